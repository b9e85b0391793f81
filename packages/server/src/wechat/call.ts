import type { WeChatAnswer } from './answer.js'
import type { WeChatRequest } from './transport.js'

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
  return {
    endpoint: path,
    group: 'call',
    appId,
    method,
    path,
    query,
    body,
    isRepeatable: method === 'GET',
    unknownErrcode: 'server_error',
    read: (answer) => answer,
  }
}

// With dots alone as a segment, a path would leave the one that a proxy in `wechatHosts` has in front.
const isPath = (path: unknown): path is `/${string}` =>
  typeof path === 'string' && /^(\/(?!\.+(\/|$))[\w.-]+)+\/?$/.test(path) && path.length <= 256
