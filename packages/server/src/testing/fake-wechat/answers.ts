import { randomBytes } from 'node:crypto'
import type { FakeWeChatRequest, Outcome } from './transports.js'

/** The JSON object that a call is answered with. */
export type Answer = Readonly<Record<string, unknown>>

/** The members of a JSON body; their types are not checked yet. */
export type Fields = Readonly<Record<string, unknown>>

/** How `/wxa` reports a success; `/sns` and the token endpoints do not. */
export const succeeded = { errcode: 0, errmsg: 'ok' } as const

/** An errcode with WeChat's message for it. `shown` is how the number is written. */
export function refusal(errcode: number, shown: number | string = errcode): Answer {
  return { errcode: shown, errmsg: errmsgs.get(errcode) ?? '' }
}

/** Passes the members of the JSON body to an endpoint, and refuses any other body. */
export function withFields<Rest extends readonly unknown[], Result extends Answer | Uint8Array>(
  endpoint: (fields: Fields, ...rest: Rest) => Result,
  { malformed = 47001 }: { malformed?: number } = {},
): (request: FakeWeChatRequest, ...rest: Rest) => Result | Answer {
  return ({ body }, ...rest) => {
    if (body === '') return refusal(44002)
    const fields = fieldsOf(body)
    return fields ? endpoint(fields, ...rest) : refusal(malformed)
  }
}

/** `undefined` if the text is not a JSON object. */
export function fieldsOf(body: string): Fields | undefined {
  try {
    const value: unknown = JSON.parse(body)
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
    return isObject ? { ...value } : undefined
  } catch {
    return undefined
  }
}

/** Writes an answer as WeChat does, `rid` and content type included. */
export function createWriter({ now, hints }: { now: () => number; hints: boolean }) {
  return function write(path: string, answer: Answer | Uint8Array): Outcome {
    if (answer instanceof Uint8Array) {
      const isPng = answer[0] === 0x89
      return { status: 200, contentType: isPng ? 'image/png' : 'image/jpeg', body: answer }
    }
    const errcode = Number(answer.errcode ?? 0)
    const isSns = path.startsWith('/sns/')
    const errmsg = wecomPaths.has(path)
      ? wecomErrmsgOf(errcode, answer.errmsg)
      : errmsgOf(errcode, answer.errmsg, isSns)
    const whole = errcode === 0 ? answer : { ...answer, errmsg }
    return {
      status: 200,
      contentType: isSns ? 'text/plain' : 'application/json; encoding=utf-8',
      body: JSON.stringify(whole),
      errcode,
    }
  }

  /** WeCom writes the caller's address, and where to read on, into every error. */
  function wecomErrmsgOf(errcode: number, errmsg: unknown): string {
    const text = typeof errmsg === 'string' && errmsg !== '' ? errmsg : errmsgs.get(errcode)
    const hint = randomBytes(12).toString('base64url')
    return `${text}, hint: [${hint}], from ip: 203.0.113.7, more info at https://open.work.weixin.qq.com/devtool/query?e=${errcode}`
  }

  function errmsgOf(errcode: number, errmsg: unknown, isSns: boolean): string {
    const text = typeof errmsg === 'string' ? errmsg : (errmsgs.get(errcode) ?? '')
    const separator = isSns && text !== '' ? ', ' : ' '
    const hint = hints ? `${separator}hint: [${randomBytes(12).toString('base64url')}]` : ''
    const seconds = Math.floor(now() / 1000)
      .toString(16)
      .padStart(8, '0')
    const trace = [seconds, randomBytes(4).toString('hex'), randomBytes(4).toString('hex')]
    return `${text}${hint}${separator}rid: ${trace.join('-')}`
  }
}

/** Answered by WeCom (企业微信), at a host of its own and in words of its own. */
export const wecomPaths: ReadonlySet<string> = new Set([
  '/cgi-bin/gettoken',
  '/cgi-bin/miniprogram/jscode2session',
])

// From the global error table and answers quoted in public, spelled as WeChat spells them; for a number that is not
// here the message is the rid alone.
const errmsgs: ReadonlyMap<number, string> = new Map([
  [-1, 'system error'],
  [1, 'data not exit'],
  [40001, 'invalid credential, access_token is invalid or not latest'],
  [40002, 'invalid grant_type'],
  [40003, 'invalid openid'],
  [40013, 'invalid appid'],
  [40014, 'invalid access_token'],
  [40029, 'invalid code'],
  [40091, 'invalid secret'],
  [40097, 'invalid args'],
  [40125, 'invalid appsecret'],
  [40129, 'invalid scene'],
  [40163, 'code been used'],
  [40164, 'invalid ip 203.0.113.7 ipv6 ::ffff:203.0.113.7, not in whitelist'],
  [40226, 'code blocked'],
  [41001, 'access_token missing'],
  [41002, 'appid missing'],
  [41004, 'appsecret missing'],
  [41008, 'missing code'],
  [41030, 'invalid page'],
  [42001, 'access_token expired'],
  [43001, 'require GET method'],
  [43002, 'require POST method'],
  [44002, 'empty post data'],
  [45009, 'reach max api daily quota limit'],
  [45011, 'api minute-quota reach limit  mustslower  retry next minute'],
  [47001, 'data format error'],
  [48001, 'api unauthorized'],
  [48002, 'api forbidden'],
  [60020, 'not allow to access from your ip'],
  [87007, 'session_key is not existd or expired'],
  [87008, 'invalid sig_method'],
  [87009, 'invalid signature'],
  [89300, 'invalid trade'],
])
