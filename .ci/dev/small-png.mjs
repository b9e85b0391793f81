// Makes a screenshot small: a page has few colours, and 64 of them are enough for the eye and a quarter of the bytes.
import { crc32, deflateSync, inflateSync } from 'node:zlib'

const colours = 64
const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])

/** @param {Buffer} png 8 bits a channel, RGB or RGBA, opaque, not interlaced: what Chromium writes. */
export function smallPng(png) {
  const { width, height, channels, data } = read(png)
  const pixels = unfilter(inflateSync(data), width, height, channels)
  const { palette, indexOf } = reduce(pixels)
  const rows = Buffer.alloc((width + 1) * height)
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) rows[y * (width + 1) + x + 1] = indexOf(pixels[y * width + x])
  }
  const header = Buffer.alloc(13)
  header.writeUInt32BE(width, 0)
  header.writeUInt32BE(height, 4)
  header.set([8, 3], 8)
  return Buffer.concat([
    signature,
    chunk('IHDR', header),
    chunk(
      'PLTE',
      Buffer.from(palette.flatMap((color) => [color >> 16, (color >> 8) & 255, color & 255])),
    ),
    chunk('IDAT', deflateSync(rows, { level: 9, memLevel: 9 })),
    chunk('IEND', Buffer.alloc(0)),
  ])
}

function read(png) {
  const parts = []
  let header = Buffer.alloc(13)
  for (let at = 8; at < png.length; ) {
    const length = png.readUInt32BE(at)
    const type = png.toString('latin1', at + 4, at + 8)
    const body = png.subarray(at + 8, at + 8 + length)
    if (type === 'IHDR') header = body
    if (type === 'IDAT') parts.push(body)
    at += length + 12
  }
  const channels = { 2: 3, 6: 4 }[header[9]]
  if (header[8] !== 8 || !channels || header[12] !== 0) throw new Error('This is no such PNG')
  const [width, height] = [header.readUInt32BE(0), header.readUInt32BE(4)]
  return { width, height, channels, data: Buffer.concat(parts) }
}

/** The pixels as numbers, 0xrrggbb. */
function unfilter(raw, width, height, channels) {
  const stride = width * channels
  const bytes = new Uint8Array(stride * height)
  for (let y = 0; y < height; y++) {
    const filter = raw[y * (stride + 1)]
    for (let x = 0; x < stride; x++) {
      const at = y * stride + x
      const left = x >= channels ? bytes[at - channels] : 0
      const up = y > 0 ? bytes[at - stride] : 0
      const corner = x >= channels && y > 0 ? bytes[at - stride - channels] : 0
      const guess = [0, left, up, (left + up) >> 1, nearest(left, up, corner)][filter]
      bytes[at] = raw[y * (stride + 1) + x + 1] + guess
    }
  }
  const pixels = new Uint32Array(width * height)
  for (let n = 0; n < pixels.length; n++) {
    const at = n * channels
    pixels[n] = (bytes[at] << 16) | (bytes[at + 1] << 8) | bytes[at + 2]
  }
  return pixels
}

/** Paeth's predictor: PNG specification, 9.4. */
function nearest(left, up, corner) {
  const estimate = left + up - corner
  const [byLeft, byUp, byCorner] = [left, up, corner].map((one) => Math.abs(estimate - one))
  if (byLeft <= byUp && byLeft <= byCorner) return left
  return byUp <= byCorner ? up : corner
}

/** The colours that occur most, and for any other one the nearest of them. */
function reduce(pixels) {
  const counts = new Map()
  for (const color of pixels) counts.set(color, (counts.get(color) ?? 0) + 1)
  const byCount = [...counts].sort(([, a], [, b]) => b - a).map(([color]) => color)
  const palette = byCount.slice(0, colours)
  const places = new Map(palette.map((color, index) => [color, index]))
  for (const color of byCount.slice(colours)) {
    const distances = palette.map((one) => distance(one, color))
    places.set(color, distances.indexOf(Math.min(...distances)))
  }
  return { palette, indexOf: (color) => places.get(color) }
}

function distance(a, b) {
  const parts = [16, 8, 0].map((shift) => ((a >> shift) & 255) - ((b >> shift) & 255))
  return parts.reduce((sum, part) => sum + part * part, 0)
}

function chunk(type, body) {
  const named = Buffer.concat([Buffer.from(type, 'latin1'), body])
  const whole = Buffer.alloc(body.length + 12)
  whole.writeUInt32BE(body.length, 0)
  named.copy(whole, 4)
  whole.writeUInt32BE(crc32(named), body.length + 8)
  return whole
}
