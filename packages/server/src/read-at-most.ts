/** A source of chunks: an async iterator, or the reader of a stream. Strings are read as UTF-8. */
export interface ByteSource {
  next(): Promise<{
    readonly done?: boolean | undefined
    readonly value?: Uint8Array | string | undefined
  }>
}

/** Reads a source to its end. `undefined` as soon as it exceeds `maxBytes`; the rest is left unread. */
export async function readAtMost(
  source: ByteSource,
  maxBytes: number,
): Promise<Uint8Array | undefined> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for (;;) {
    const { done, value } = await source.next()
    if (done || value === undefined) return Buffer.concat(chunks)
    const chunk = typeof value === 'string' ? Buffer.from(value) : value
    bytes += chunk.byteLength
    if (bytes > maxBytes) return undefined
    chunks.push(chunk)
  }
}
