/** What leaks. */
export type LeakKind = 'app_secret' | 'session_key' | 'private_key' | 'wechat_call'

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
  const leaks = [namedSecrets, secretsBesideAppIds, encodedSecrets, sessionKeys, readSessionKeys]
    .concat([pemKeys, encodedPemKeys, jwks, callsOfWeChat])
    .flatMap((find: Finder) => [...find(text)])
    .sort((a, b) => a.range[0] - b.range[0])
  const kept: Leak[] = []
  for (const leak of leaks) {
    const isSeen = kept.some(
      ({ kind, range: [start, end] }) =>
        kind === leak.kind && start < leak.range[1] && leak.range[0] < end,
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

/** An AppSecret without a name, near an AppID: `['wx…', '…']`, `init('wx…', '…')`. */
function* secretsBesideAppIds({ raw }: { readonly raw: string }): Iterable<Leak> {
  const pair = new RegExp(
    `${quote}wx[0-9a-f]{16}${quote}([^;{}]{1,80}?)${quote}(${hex})${quote}`,
    'gd',
  )
  for (const match of raw.matchAll(pair)) {
    const [, between = '', secret = ''] = match
    const range = match.indices?.[2]
    // These are hex as well.
    const isHash = /md5|hash|etag|digest|sum|version|trace|nonce|uuid|guid|(?<!secret|app)key|id\b/i
    if (range && isRandomHex(secret) && !isHash.test(between)) yield { kind: 'app_secret', range }
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
