/** A file inside of a package. */
export interface PackedFile {
  readonly name: string
  readonly content: Buffer
}

const maxFiles = 20_000
const maxNameBytes = 1_024

/** A package that cannot be read, and why. */
export type Unreadable = 'encrypted' | 'damaged' | 'too_large'

/**
 * Reads a `.wxapkg`, which is what WeChat makes of a mini program: 0xBE, three lengths, 0xED, the number of files, then
 * for each its name, offset and size, then the contents. What contradicts itself is damaged; nothing is read twice, so
 * that a small package cannot become a large one.
 */
export function readWxapkg(bytes: Buffer): readonly PackedFile[] | Unreadable {
  // As WeChat for Windows keeps them.
  if (bytes.subarray(0, 6).toString('latin1') === 'V1MMWX') return 'encrypted'
  if (bytes.length < 18 || bytes[0] !== 0xbe || bytes[13] !== 0xed) return 'damaged'
  const count = bytes.readUInt32BE(14)
  // Whether its length counts the number of files, too, is nowhere written.
  const indexEnd = 18 + bytes.readUInt32BE(5)
  if (count > maxFiles) return 'too_large'
  if (indexEnd - 4 > bytes.length) return 'damaged'

  const files: PackedFile[] = []
  let at = 18
  let total = 0
  for (let n = 0; n < count; n++) {
    if (at + 4 > Math.min(indexEnd, bytes.length)) return 'damaged'
    const nameBytes = bytes.readUInt32BE(at)
    const nameEnd = at + 4 + nameBytes
    if (nameBytes > maxNameBytes || nameEnd + 8 > Math.min(indexEnd, bytes.length)) return 'damaged'
    const offset = bytes.readUInt32BE(nameEnd)
    const size = bytes.readUInt32BE(nameEnd + 4)
    if (offset + size > bytes.length) return 'damaged'
    total += size
    if (total > bytes.length) return 'damaged'
    files.push({
      name: bytes.toString('utf8', at + 4, nameEnd),
      content: bytes.subarray(offset, offset + size),
    })
    at = nameEnd + 8
  }
  return files
}
