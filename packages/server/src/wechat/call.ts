import type { WeChatAnswer } from './answer.js'
import { type ErrcodeMeaning, errcodeTable } from './errcodes.js'
import type { WeChatRequest } from './transport.js'

// What is known of interfaces that have numbers of their own.
const errcodesByPath: ReadonlyMap<string, ReadonlyMap<number, ErrcodeMeaning>> = new Map([
  [
    '/wxa/getpluginopenpid',
    errcodeTable([
      [1000, 'wechat_unavailable', 'WeChat has trouble; try again a little later', 2],
      [
        1001,
        'invalid_request',
        'WeChat finds an argument wrong; compare it with the documentation',
      ],
      [1003, 'rate_limited', 'Too many calls; slow down', 60],
      [1005, 'server_misconfigured', "The token must be of the plugin's own AppID"],
      [
        1007,
        'invalid_code',
        'WeChat has nothing for the code: it was used, has expired, or is not of wx.pluginLogin; get a new one',
      ],
      [1022, 'invalid_request', 'WeChat cannot read the body; compare it with the documentation'],
    ]),
  ],
  [
    '/wxa/business/checkencryptedmsg',
    errcodeTable([
      [1, 'invalid_request', 'WeChat does not know the data, or it is older than 3 days'],
    ]),
  ],
])

export interface CallOptions {
  /** Added to the access token, which `call` brings. */
  readonly query?: Readonly<Record<string, string>>
  /** Sent as JSON, with POST only. */
  readonly body?: object
}

/** A call to an interface that this library has no name for. Throws a `TypeError` when it cannot be one. */
export function callRequest(
  appId: string,
  method: 'GET' | 'POST',
  path: string,
  { query = {}, body }: CallOptions,
): WeChatRequest<WeChatAnswer> {
  if (method !== 'GET' && method !== 'POST') throw new TypeError("method must be 'GET' or 'POST'")
  if (!isPath(path)) {
    throw new TypeError("path must be the path of an interface, '/wxa/…' without host and query")
  }
  for (const [name, value] of Object.entries(query)) {
    if (typeof value !== 'string') throw new TypeError(`query.${name} must be a string`)
  }
  if ('access_token' in query) {
    throw new TypeError('query must not have an access_token; call adds the current one')
  }
  if (body !== undefined && (method === 'GET' || typeof body !== 'object' || body === null)) {
    throw new TypeError('body must be an object, and the method POST')
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

const isPath = (path: unknown): path is `/${string}` =>
  typeof path === 'string' && /^(\/[\w.-]+)+\/?$/.test(path) && path.length <= 256
