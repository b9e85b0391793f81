import { TextDecoder, TextEncoder } from 'node:util'

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
  readonly body?: string | ArrayBuffer
  /** Aborts when the phone gives up: `abort()`, a timeout, no network, 5 seconds in background. */
  readonly signal: Signal
}

/** What came back to the phone. */
export interface FakeNetworkResponse {
  readonly statusCode: number
  /** Passed on with exactly these names; a list stands for a header that occurs several times. */
  readonly header: Readonly<Record<string, string | readonly string[]>>
  readonly body: string | ArrayBuffer
}

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

/** A header as the phone sends it: every name once and in lower case, the app's values as text. */
export function headerOf(
  given: Readonly<Record<string, string>> = {},
  defaults: Readonly<Record<string, string>> = {},
): Record<string, string> {
  const header: Record<string, string> = { ...defaults }
  for (const [name, value] of Object.entries(given)) header[name.toLowerCase()] = String(value)
  return header
}

/** Cannot be set by the app. */
export function refererOf(appId: string): { referer: string } {
  return { referer: `https://servicewechat.com/${appId}/0/page-frame.html` }
}

/** What `data` becomes: a part of the url, or a body. */
export function serialise({
  url,
  method,
  header,
  data,
}: {
  readonly url: string
  readonly method: string
  readonly header: Readonly<Record<string, string>>
  readonly data: unknown
}): { url: string; body?: string | ArrayBuffer } {
  if (data === undefined || data === null) return { url }
  if (method === 'GET' || method === 'HEAD') {
    if (isArrayBuffer(data)) return { url }
    const query = typeof data === 'string' ? data : queryOf(data)
    if (query === '') return { url }
    return { url: url + (url.includes('?') ? '&' : '?') + query }
  }
  if (isArrayBuffer(data) || typeof data === 'string') return { url, body: data }
  const isForm = header['content-type']?.toLowerCase().includes('x-www-form-urlencoded')
  return { url, body: isForm ? queryOf(data) : JSON.stringify(data) }
}

export function bytesOf(body: string | ArrayBuffer): ArrayBuffer {
  if (typeof body !== 'string') return body
  const bytes = new TextEncoder().encode(body)
  return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength)
}

/** One byte order mark is removed, as the platform does. */
export function textOf(body: string | ArrayBuffer): string {
  return new TextDecoder().decode(bytesOf(body))
}

/** `data` of an answer: one attempt at JSON, whatever its type says. */
export function parse(
  body: string | ArrayBuffer,
  dataType = 'json',
  responseType = 'text',
): unknown {
  if (responseType === 'arraybuffer') return bytesOf(body)
  const text = textOf(body)
  if (dataType !== 'json') return text
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

/** Every name once, several values in one string. */
export function fold(header: FakeNetworkResponse['header']): Record<string, string> {
  const entries = Object.entries(header)
  return Object.fromEntries(entries.map(([name, value]) => [name, String(value)]))
}

export function cookiesOf(header: FakeNetworkResponse['header']): string[] {
  const entries = Object.entries(header).filter(([name]) => name.toLowerCase() === 'set-cookie')
  return entries.flatMap(([, value]) => value)
}

/** Android's wording for what Node reports. */
export function wordingOf(error: unknown): [reason: string, errno: number] {
  const code = codeOf(error) ?? (error instanceof Error ? codeOf(error.cause) : undefined)
  switch (code) {
    case 'ECONNREFUSED':
      return ['-102:net::ERR_CONNECTION_REFUSED', 600001]
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return ['-105:net::ERR_NAME_NOT_RESOLVED', 600001]
    case 'ECONNRESET':
    case 'EPIPE':
    case 'UND_ERR_SOCKET':
      return ['-101:net::ERR_CONNECTION_RESET', 600001]
    default:
      return ['unknown network error', 600000]
  }
}

function queryOf(data: unknown): string {
  if (typeof data !== 'object' || data === null) return String(data)
  return Object.entries(data)
    .map(([name, value]: [string, unknown]) => {
      const text =
        typeof value === 'object' && value !== null ? JSON.stringify(value) : String(value)
      return `${encodeURIComponent(name)}=${encodeURIComponent(text)}`
    })
    .join('&')
}

// By tag: an ArrayBuffer made in another `vm` context is not an instance of this one's.
function isArrayBuffer(value: unknown): value is ArrayBuffer {
  return Object.prototype.toString.call(value) === '[object ArrayBuffer]'
}

function codeOf(error: unknown): unknown {
  return typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined
}
