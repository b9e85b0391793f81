import { bytesOf } from './fake-body.js'

/** A `multipart/form-data` body (RFC 7578): the fields, then the file. */
export function multipart(options: {
  readonly boundary: string
  readonly fields: Readonly<Record<string, string>>
  readonly name: string
  readonly fileName: string
  readonly content: string | ArrayBuffer
}): ArrayBuffer {
  const { boundary, fields, name, fileName, content } = options
  const parts = Object.entries(fields).map(
    ([field, value]) => `--${boundary}\r\n${disposition(field)}\r\n\r\n${value}\r\n`,
  )
  const file =
    `--${boundary}\r\n${disposition(name)}; filename="${quoted(fileName)}"\r\n` +
    'content-type: application/octet-stream\r\n\r\n'
  const bytes = Buffer.concat([
    Buffer.from(parts.join('') + file),
    Buffer.from(bytesOf(content)),
    Buffer.from(`\r\n--${boundary}--\r\n`),
  ])
  return Uint8Array.from(bytes).buffer
}

function disposition(name: string): string {
  return `content-disposition: form-data; name="${quoted(name)}"`
}

function quoted(text: string): string {
  return text.replace(/\r/g, '%0D').replace(/\n/g, '%0A').replace(/"/g, '%22')
}
