import { createHash } from 'node:crypto'
import { crc32, deflateSync, inflateSync } from 'node:zlib'
import { type Answer, type Fields, refusal, withFields } from './answers.js'
import type { FakeWeChatApp } from './people.js'

/** What a phone opens that scans a mini-program code (小程序码). */
export interface FakeWeChatScanned {
  readonly appId: string
  /** `undefined` for the home page. */
  readonly page: string | undefined
  /** As the page receives it: encoded, for `decodeURIComponent`. */
  readonly scene: string
}

/** Mini-program codes: `POST /wxa/getwxacodeunlimit`. */
export interface FakeWeChatWxacodes {
  /** Scans a picture that this emulator has made. Throws a `TypeError` for any other. */
  scan(picture: Uint8Array): FakeWeChatScanned
}

export function createWxacodes() {
  function getwxacodeunlimit(fields: Fields, app: FakeWeChatApp): Answer | Uint8Array {
    const { scene, page, check_path = true, env_version = 'release', width = 430 } = fields
    if (typeof scene !== 'string' || scene === '' || !allowed.test(scene)) return refusal(40129)
    if (scene.length > 32) return refusal(40169)
    if (scene.includes('scancode_time')) return refusal(85096)
    if (!['release', 'trial', 'develop'].includes(String(env_version))) return refusal(40097)
    if (typeof width !== 'number' || width < 280 || width > 1280) return refusal(40097)
    if (page !== undefined && (typeof page !== 'string' || !/^[^/?][^?]*$/.test(page))) {
      return refusal(41030)
    }
    const isUnpublished = app.pages && page !== undefined && !app.pages.includes(page)
    if (check_path !== false && isUnpublished) return refusal(41030)
    return pictureOf({ appId: app.appId, page, scene: encodeURIComponent(scene) })
  }

  const methods: FakeWeChatWxacodes = {
    scan(picture) {
      const scanned = textIn(picture)
      if (scanned !== undefined) return JSON.parse(scanned)
      throw new TypeError('picture must be one that wxacode() of this emulated WeChat gave')
    },
  }

  return {
    methods,
    endpoints: { 'POST /wxa/getwxacodeunlimit': withFields(getwxacodeunlimit) },
  }
}

const allowed = /^[\w!#$&'()*+,/:;=?@.~-]+$/

const signature = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1')
const side = 64

/** A PNG that every viewer shows: a pattern by what it leads to, which also stands in it as text (PNG §11.3.3). */
function pictureOf(scanned: FakeWeChatScanned): Uint8Array {
  const text = JSON.stringify(scanned)
  const pattern = createHash('sha256').update(text).digest()
  const rows = Array.from({ length: side }, (_, y) =>
    Buffer.from([0, ...Array.from({ length: side }, (_, x) => shadeAt(pattern, x, y))]),
  )
  const header = Buffer.alloc(13)
  header.writeUInt32BE(side, 0)
  header.writeUInt32BE(side, 4)
  // 8 bits of grey.
  header.writeUInt8(8, 8)
  return Buffer.concat([
    signature,
    chunk('IHDR', header),
    chunk('zTXt', Buffer.concat([Buffer.from('wxacode\0\0'), deflateSync(text)])),
    chunk('IDAT', deflateSync(Buffer.concat(rows))),
    chunk('IEND', Buffer.alloc(0)),
  ])
}

/** Squares of 4 by 4 pixels, the left half mirrored. */
function shadeAt(pattern: Buffer, x: number, y: number): number {
  const column = Math.min(x, side - 1 - x) >> 2
  const bit = (y >> 2) * 8 + column
  return ((pattern[(bit >> 3) % pattern.length] ?? 0) >> (bit & 7)) & 1 ? 0 : 255
}

function chunk(type: string, data: Uint8Array): Uint8Array {
  const whole = Buffer.alloc(12 + data.length)
  whole.writeUInt32BE(data.length, 0)
  whole.write(type, 4, 'latin1')
  whole.set(data, 8)
  whole.writeUInt32BE(crc32(whole.subarray(4, -4)), 8 + data.length)
  return whole
}

function textIn(picture: Uint8Array): string | undefined {
  const bytes = Buffer.from(picture)
  if (!bytes.subarray(0, signature.length).equals(signature)) return undefined
  for (let at = signature.length; at + 12 <= bytes.length; ) {
    const size = bytes.readUInt32BE(at)
    const data = bytes.subarray(at + 8, at + 8 + size)
    if (bytes.toString('latin1', at + 4, at + 8) === 'zTXt' && data.indexOf('wxacode\0') === 0) {
      return inflateSync(data.subarray('wxacode\0\0'.length)).toString()
    }
    at += 12 + size
  }
  return undefined
}
