/** A package as WeChat makes it. */
export function wxapkgOf(files: Readonly<Record<string, string>>): Buffer {
  const entries = Object.entries(files).map(([name, content]) => ({
    name: Buffer.from(name),
    content: Buffer.from(content),
  }))
  const indexBytes = 4 + entries.reduce((sum, { name }) => sum + 12 + name.length, 0)
  const bodyBytes = entries.reduce((sum, { content }) => sum + content.length, 0)
  const header = Buffer.alloc(18)
  header.writeUInt8(0xbe, 0)
  header.writeUInt32BE(indexBytes, 5)
  header.writeUInt32BE(bodyBytes, 9)
  header.writeUInt8(0xed, 13)
  header.writeUInt32BE(entries.length, 14)
  let offset = 14 + indexBytes
  const index = entries.map(({ name, content }) => {
    const row = Buffer.alloc(12 + name.length)
    row.writeUInt32BE(name.length, 0)
    name.copy(row, 4)
    row.writeUInt32BE(offset, 4 + name.length)
    row.writeUInt32BE(content.length, 8 + name.length)
    offset += content.length
    return row
  })
  return Buffer.concat([header, ...index, ...entries.map(({ content }) => content)])
}
