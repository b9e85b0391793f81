import type { WeChatAnswer } from './answer.js'
import type { WeChatRequest } from './transport.js'

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
    if (typeof value !== 'string') throw new TypeError(`query.${name} must be a text`)
  }
  if ('access_token' in query) {
    throw new TypeError('query must not have an access_token; call adds the current one')
  }
  if (body !== undefined && (method === 'GET' || typeof body !== 'object' || body === null)) {
    throw new TypeError('body must be an object, and the method POST')
  }
  return {
    endpoint: path,
    appId,
    method,
    path,
    query,
    body,
    isRepeatable: method === 'GET',
    read: (answer) => answer,
  }
}

const isPath = (path: unknown): path is `/${string}` =>
  typeof path === 'string' && /^(\/[\w.-]+)+\/?$/.test(path) && path.length <= 256
