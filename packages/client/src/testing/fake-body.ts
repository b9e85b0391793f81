/** Where `data` goes: into the query of a GET, else into the body, as the content type says. */
export function serialise(
  url: string,
  method: string,
  header: Readonly<Record<string, string>>,
  data: unknown,
): { url: string; body?: string | ArrayBuffer } {
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

export function queryOf(data: unknown): string {
  if (typeof data !== 'object' || data === null) return String(data)
  return Object.entries(data)
    .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(fieldOf(value))}`)
    .join('&')
}

/** A value of a form, as text. */
export function fieldOf(value: unknown): string {
  return typeof value === 'object' && value !== null ? JSON.stringify(value) : String(value)
}

// By tag: an ArrayBuffer made in another `vm` context is not an instance of this one's.
export function isArrayBuffer(value: unknown): value is ArrayBuffer {
  return Object.prototype.toString.call(value) === '[object ArrayBuffer]'
}

export function bytesOf(body: string | ArrayBuffer): ArrayBuffer {
  if (typeof body !== 'string') return body
  const bytes = new TextEncoder().encode(body)
  return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength)
}

/** Without a byte order mark. */
export function textOf(body: string | ArrayBuffer): string {
  return new TextDecoder().decode(bytesOf(body))
}

/** What the app gets as `data`: JSON whatever the content type, and a text when it is none. */
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
