import type { WeChatAnswer } from './answer.js'
import { encryptedDataErrcodes } from './encrypted-data.js'
import { type ErrcodeMeaning, errcodeTable } from './errcodes.js'
import type { WeChatRequest } from './transport.js'

// APIs that have errcodes of their own.
export const errcodesByPath: ReadonlyMap<string, ReadonlyMap<number, ErrcodeMeaning>> = new Map([
  [
    '/wxa/getpluginopenpid',
    errcodeTable([
      [1000, 'wechat_unavailable', 'WeChat has a problem; try again later', 2],
      [1001, 'invalid_request', 'WeChat rejects an argument; check it against the documentation'],
      [1003, 'rate_limited', 'Too many calls; slow down', 60],
      [1005, 'server_misconfigured', "The token must belong to the plugin's own AppID"],
      [
        1007,
        'invalid_code',
        'WeChat rejects the code: it was used, has expired, or is not from wx.pluginLogin; get a new one',
      ],
      [1022, 'invalid_request', 'WeChat cannot parse the body; check it against the documentation'],
    ]),
  ],
  ['/wxa/business/checkencryptedmsg', encryptedDataErrcodes],
  [
    '/wxa/getwxacodeunlimit',
    errcodeTable([
      [
        40129,
        'invalid_request',
        'WeChat rejects the scene; it has characters that it may not have',
      ],
      [40169, 'invalid_request', 'The scene is too long; it has at most 32 characters'],
      [
        41030,
        'invalid_request',
        'The page is not in the published mini program; publish it, set check_path to false, or choose another env_version',
      ],
      [85096, 'invalid_request', 'The scene must not have scancode_time in it, which is reserved'],
    ]),
  ],
])

export interface CallOptions {
  /** Sent in addition to the access token, which `call` adds. */
  readonly query?: Readonly<Record<string, string>>
  /** Sent as JSON, with POST only. */
  readonly body?: object
}

/** A call to an API that this library has no method for. Throws a `TypeError` if it is malformed. */
export function callRequest(
  appId: string,
  method: 'GET' | 'POST',
  path: string,
  { query = {}, body }: CallOptions,
): WeChatRequest<WeChatAnswer> {
  if (method !== 'GET' && method !== 'POST') throw new TypeError("method must be 'GET' or 'POST'")
  if (!isPath(path)) {
    throw new TypeError("path must be the path of an API, such as '/wxa/…', without host and query")
  }
  for (const [name, value] of Object.entries(query)) {
    if (typeof value !== 'string') throw new TypeError(`query.${name} must be a string`)
  }
  if ('access_token' in query) {
    throw new TypeError('query must not have an access_token; call adds the current one')
  }
  if (body !== undefined && (method === 'GET' || typeof body !== 'object' || body === null)) {
    throw new TypeError('body must be an object, and the method must be POST')
  }
  const errcodes = errcodesByPath.get(path)
  return {
    endpoint: path,
    group: 'call',
    appId,
    method,
    path,
    query,
    body,
    isRepeatable: method === 'GET',
    ...(errcodes && { errcodes }),
    unknownErrcode: 'server_error',
    read: (answer) => answer,
  }
}

// With dots alone as a segment, a path would leave the one that a proxy in `wechatHosts` has in front.
const isPath = (path: unknown): path is `/${string}` =>
  typeof path === 'string' && /^(\/(?!\.+(\/|$))[\w.-]+)+\/?$/.test(path) && path.length <= 256
