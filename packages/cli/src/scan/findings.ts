/** What leaks; `possible_app_secret` looks like an AppSecret, and may be something else. */
export type LeakKind =
  | 'app_secret'
  | 'session_key'
  | 'private_key'
  | 'wechat_call'
  | 'possible_app_secret'

export interface Leak {
  readonly kind: LeakKind
  /** From this character to before that one. */
  readonly range: readonly [start: number, end: number]
}

/** Looks for one kind in a text. `code` is the same text with its comments blanked, if it is a program. */
type Finder = (text: { readonly raw: string; readonly code: string }) => Iterable<Leak>

/** Everything that leaks in a file, in its order, each place once. */
export function leaksIn(raw: string, { isProgram }: { readonly isProgram: boolean }): Leak[] {
  const text = { raw, code: isProgram ? withoutComments(raw) : raw }
  const leaks = [namedSecrets, namelessSecrets, encodedSecrets, sessionKeys, readSessionKeys]
    .concat([pemKeys, encodedPemKeys, jwks, callsOfWeChat])
    .flatMap((find: Finder) => [...find(text)])
    .sort((a, b) => a.range[0] - b.range[0])
  const kept: Leak[] = []
  for (const leak of leaks) {
    const isSeen = kept.some(
      ({ kind, range: [start, end] }) =>
        (kind === leak.kind || leak.kind === 'possible_app_secret') &&
        start < leak.range[1] &&
        leak.range[0] < end,
    )
    if (!isSeen) kept.push(leak)
  }
  return kept
}

// Quotes, also escaped ones, as in JSON inside of a string.
const quote = String.raw`(?:\\*["'\x60])`
// What may stand between a name and its value: `:`, `=`, `,` of a call, and a type.
const assigned = String.raw`${quote}?\s{0,20}(?::\s{0,20}string\s{0,20})?[:=,(]\s{0,20}`
const hex = '[0-9a-f]{32}(?![0-9a-zA-Z])'

/** An AppSecret beside a name that says so: `appSecret: '…'`, `&secret=…`, `WX_APP_SECRET=…`, in parts, or in quotes. */
function* namedSecrets({ raw }: { readonly raw: string }): Iterable<Leak> {
  const whole = new RegExp(`secret\\w{0,20}${assigned}${quote}?(${hex})`, 'gid')
  yield* hits(raw, whole, 'app_secret', isRandomHex)
  const inUrl = new RegExp(`[?&]secret=(${hex})`, 'gd')
  yield* hits(raw, inUrl, 'app_secret', isRandomHex)
  const inParts = new RegExp(
    `secret\\w{0,20}${assigned}\\[?\\s{0,20}((?:${quote}[0-9a-f]{1,31}${quote}\\s{0,20}[+,]?\\s{0,20}){2,32})`,
    'gid',
  )
  yield* hits(raw, inParts, 'app_secret', (parts) => isRandomHex(parts.replace(/[^0-9a-f]/g, '')))
}

/**
 * An AppSecret without a name that says so. It is known by an AppID beside it (`['wx…', '…']`), by what it is given to
 * (`jscode2session(code, '…')`), or by a call of WeChat's nearby; elsewhere 32 hexadecimal digits could be one, where
 * nothing says that they are a hash, an id or the key of a map.
 */
function* namelessSecrets({ raw }: { readonly raw: string }): Iterable<Leak> {
  for (const match of raw.matchAll(new RegExp(`${quote}(${hex})${quote}`, 'gd'))) {
    const range = match.indices?.[1]
    if (!range || !isRandomHex(match[1] ?? '')) continue
    const before = raw.slice(Math.max(0, match.index - 300), match.index)
    const after = raw.slice(match.index + match[0].length, range[1] + 300)
    const names = [...namesBefore(before)]
    if (names.some((name) => isOfHash.test(name))) continue
    const between = betweenAppId(before, after)
    const isKnown =
      (between !== undefined && !isOfHash.test(between) && !isOfKey.test(between)) ||
      names.some((name) => takesSecret.test(name)) ||
      [before, after].some((text) => callsWithSecret.test(text))
    if (isKnown) yield { kind: 'app_secret', range }
    else if (!names.some((name) => isOfMap.test(name)) && !isInList(before, after)) {
      yield { kind: 'possible_app_secret', range }
    }
  }
}

// These are hex as well.
const isOfHash =
  /md5|hash|etag|digest|sum|version|trace|nonce|uuid|guid|sha\d|signature|integrity|fingerprint|id\b/i
const isOfKey = /(?<!secret|app)key/i
const isOfMap = /map|lbs|geo/i
const takesSecret = /secret|jscode2session|code2session|access_?token/i
const callsWithSecret = /jscode2session|[?&]secret=|cgi-bin\/(?:stable_)?token\b/

/** What is between an AppID and this, on either side, in the same list, object or call. */
function betweenAppId(before: string, after: string): string | undefined {
  return (
    new RegExp(`${quote}wx[0-9a-f]{16}${quote}([^{}]{1,200})$`).exec(before)?.[1] ??
    new RegExp(`^([^{}]{1,200}?)${quote}wx[0-9a-f]{16}${quote}`).exec(after)?.[1]
  )
}

const isInList = (before: string, after: string): boolean =>
  new RegExp(`${hex}${quote}\\s*,\\s*$`).test(before) ||
  new RegExp(`^\\s*,\\s*${quote}${hex}`).test(after)

/** What a value is assigned to, and the functions that it is given to. */
function* namesBefore(before: string): Iterable<string> {
  const [, assignedTo] =
    /([\w$.-]+)\\*["'`]?\s*(?::\s*string\s*)?[:=]{1,3}\s*\[?\s*$/.exec(before) ?? []
  if (assignedTo !== undefined) yield assignedTo
  let closed = 0
  for (let at = before.length - 1; at >= 0; at--) {
    if (before[at] === ')') closed++
    if (before[at] === ';' && closed === 0) return
    if (before[at] !== '(' || closed-- > 0) continue
    closed = 0
    const [called] = /[\w$.]+\s*$/.exec(before.slice(0, at)) ?? []
    if (called !== undefined) yield called
  }
}

/** An AppSecret in base64. Hardly anything else becomes 32 hexadecimal digits. */
function* encodedSecrets({ raw }: { readonly raw: string }): Iterable<Leak> {
  const encoded = new RegExp(`${quote}([A-Za-z0-9+/]{43}=)${quote}`, 'gd')
  yield* hits(raw, encoded, 'app_secret', (base64) => {
    const decoded = Buffer.from(base64, 'base64').toString('latin1')
    return /^[0-9a-f]{32}$/.test(decoded) && isRandomHex(decoded)
  })
}

/** A `session_key` itself: 16 bytes in base64, beside its name. */
function* sessionKeys({ raw }: { readonly raw: string }): Iterable<Leak> {
  const named = new RegExp(`session_?key\\w{0,20}${assigned}${quote}?([A-Za-z0-9+/]{22}==)`, 'gid')
  yield* hits(raw, named, 'session_key', (key) => new Set(key).size > 6)
}

/** A program that takes a `session_key` out of an answer: then the backend sends it. */
function* readSessionKeys({ code }: { readonly code: string }): Iterable<Leak> {
  yield* hits(code, /\??\.(session_key)\b/dg, 'session_key')
  yield* hits(code, /\[\s*["'`](session_key)["'`]\s*\]/dg, 'session_key')
  yield* hits(
    code,
    /[{,]\s*(session_key)\b\s*(?:[,}]|:\s*\w+\s*[,}])[^;]{0,200}?=[^=>]/dg,
    'session_key',
  )
}

function* pemKeys({ raw }: { readonly raw: string }): Iterable<Leak> {
  const pem =
    /(-----BEGIN (?:[A-Z0-9]+ ){0,2}PRIVATE KEY-----)(?:\s|\\[rn]|["'`+]){0,40}(?:[A-Za-z0-9+/=]{20}|Proc-Type)/dg
  yield* hits(raw, pem, 'private_key')
}

/** PEM in base64, as it is put on one line. */
function* encodedPemKeys({ raw }: { readonly raw: string }): Iterable<Leak> {
  yield* hits(raw, /(LS0tLS1CRUdJTi[A-Za-z0-9+/=]{60,})/dg, 'private_key', (base64) =>
    /^-----BEGIN (?:[A-Z0-9]+ ){0,2}PRIVATE KEY-----/.test(
      Buffer.from(base64.slice(0, 120), 'base64').toString('latin1'),
    ),
  )
}

/** A JWK with its secret part (RFC 7518 §6.2.2, §6.3.2). */
function* jwks({ raw }: { readonly raw: string }): Iterable<Leak> {
  const member = String.raw`["']?\s{0,20}:\s{0,20}["']`
  const isKey = new RegExp(`\\bkty${member}(?:EC|OKP|RSA)["']`)
  const secretPart = new RegExp(`[\\s{,"'](?:d${member})([A-Za-z0-9_-]{40,})["']`, 'gd')
  for (const match of raw.matchAll(/\{[^{}]{40,8000}\}/g)) {
    if (!isKey.test(match[0])) continue
    for (const { kind, range } of hits(match[0], secretPart, 'private_key')) {
      yield { kind, range: [match.index + range[0], match.index + range[1]] }
    }
  }
}

/** The host of WeChat's server APIs, which take an AppSecret or an access_token. */
function* callsOfWeChat({ code }: { readonly code: string }): Iterable<Leak> {
  yield* hits(
    code,
    /((?:https?:)?\/\/(?:sh\.|sz\.|hk\.)?api2?\.weixin\.qq\.com)(?![\w.-])/dg,
    'wechat_call',
  )
  yield* hits(code, /["'`]((?:sh\.|sz\.|hk\.)?api2?\.weixin\.qq\.com)(?![\w.-])/dg, 'wechat_call')
}

/** The first group of every match for which this holds. */
function* hits(
  text: string,
  pattern: RegExp,
  kind: LeakKind,
  holds: (found: string) => boolean = () => true,
): Iterable<Leak> {
  for (const match of text.matchAll(pattern)) {
    const range = match.indices?.[1]
    if (range && holds(match[1] ?? '')) yield { kind, range }
  }
}

/** What stands in a manual, `00000000000000000000000000000000` or `0123456789abcdef…`, is not. */
function isRandomHex(hex: string): boolean {
  return hex.length === 32 && new Set(hex).size >= 7 && !/01234567|12345678|abcdef/.test(hex)
}

/**
 * With blanks in place of comments, so that nothing moves. What is in strings, templates and regular expressions stays,
 * and so does what follows a `:`, which is an address.
 */
export function withoutComments(program: string): string {
  const tokens =
    /(?<!:)\/\/[^\n]*|\/\*[\s\S]*?(?:\*\/|$)|<!--[\s\S]*?(?:-->|$)|"(?:[^"\\\n]|\\[\s\S])*"|'(?:[^'\\\n]|\\[\s\S])*'|`(?:[^`\\]|\\[\s\S])*`|(?<=(?:[=(,:[!&|?{};+>\n]|\breturn)\s*)\/(?![*/\s])(?:[^/\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\//g
  return program.replace(tokens, (token) =>
    /^(?:\/[/*]|<!--)/.test(token) ? token.replace(/[^\n]/g, ' ') : token,
  )
}
