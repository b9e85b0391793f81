import type { Reason } from './reasons.js'

// Looked up, so that projects with neither Node's nor the DOM's types compile too.
type Signal = typeof globalThis extends { AbortSignal: { prototype: infer S } }
  ? S
  : { readonly aborted: boolean }

/** A request as it leaves the phone. */
export interface FakeNetworkRequest {
  /** With the query string that `data` of a GET request became. */
  readonly url: string
  readonly method: string
  /** Names in lower case, `referer` as the platform sets it. */
  readonly header: Readonly<Record<string, string>>
  /** For an upload the whole `multipart/form-data`. */
  readonly body?: string | ArrayBuffer
  /** What the body of an upload holds, for a network that does not want to take it apart. */
  readonly upload?: FakeUpload
  /** Aborts when the phone gives up: `abort()`, a timeout, no network, 5 seconds in background. */
  readonly signal: Signal
}

/** The file and the fields of `wx.uploadFile`. */
export interface FakeUpload {
  readonly filePath: string
  /** The name of the form field that holds the file. */
  readonly name: string
  readonly formData: Readonly<Record<string, string>>
}

/** What came back to the phone. */
export interface FakeNetworkResponse {
  readonly statusCode: number
  /** Handed on with these very names; a list stands for a header that came several times. */
  readonly header: Readonly<Record<string, string | readonly string[]>>
  readonly body: string | ArrayBuffer
}

/** How a request leaves the phone. A rejection is a broken connection. */
export type FakeNetwork = (request: FakeNetworkRequest) => Promise<FakeNetworkResponse>

/** Leaves the phone through the global `fetch`. */
export async function fetchNetwork(request: FakeNetworkRequest): Promise<FakeNetworkResponse> {
  const { url, method, header, body, signal } = request
  const response = await fetch(url, {
    method,
    headers: { ...header },
    signal,
    ...(body === undefined ? {} : { body }),
  })
  const received: Record<string, string | string[]> = Object.fromEntries(response.headers)
  const cookies = response.headers.getSetCookie()
  if (cookies.length > 0) received['set-cookie'] = cookies
  return { statusCode: response.status, header: received, body: await response.arrayBuffer() }
}

/** Android's wording for what Node reports. */
export function brokenConnection(error: unknown): Reason {
  const code = codeOf(error) ?? (error instanceof Error ? codeOf(error.cause) : undefined)
  switch (code) {
    case 'ECONNREFUSED':
      return { text: '-102:net::ERR_CONNECTION_REFUSED', errno: 600001 }
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return { text: '-105:net::ERR_NAME_NOT_RESOLVED', errno: 600001 }
    case 'ECONNRESET':
    case 'EPIPE':
    case 'UND_ERR_SOCKET':
      return { text: '-101:net::ERR_CONNECTION_RESET', errno: 600001 }
    default:
      return { text: 'unknown network error', errno: 600000 }
  }
}

function codeOf(error: unknown): unknown {
  return typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined
}
