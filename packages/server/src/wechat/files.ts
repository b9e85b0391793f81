import { AuthError } from '../errors.js'
import { Unreadable } from './answer.js'
import { type CallOptions, callRequest } from './call.js'
import type { WeChatRequest } from './transport.js'

/** A file that WeChat answered with: a picture, mostly. */
export interface WeChatFile {
  readonly bytes: Uint8Array
  /** By its first bytes, for a `content-type` header; `application/octet-stream` for anything but these pictures. */
  readonly type: 'image/png' | 'image/jpeg' | 'image/gif' | 'application/octet-stream'
}

export interface FileCallOptions extends CallOptions {
  /** How large the file may be, in bytes (default 2 MiB, at most 32 MiB); a larger one is not read. */
  readonly maxBytes?: number
}

export const defaultMaxBytes = 2 * 1024 * 1024
const mostBytes = 32 * 1024 * 1024

/** A call to an API that answers with a file. Throws a `TypeError` if it is malformed. */
export function fileRequest(
  appId: string,
  method: 'GET' | 'POST',
  path: string,
  { maxBytes = defaultMaxBytes, ...options }: FileCallOptions,
): WeChatRequest<WeChatFile> {
  if (!Number.isSafeInteger(maxBytes) || maxBytes < 1 || maxBytes > mostBytes) {
    throw new TypeError(`maxBytes must be a whole number of bytes, at most ${mostBytes}`)
  }
  return {
    ...callRequest(appId, method, path, options),
    file: { maxBytes, read: readFile },
    read: () => {
      throw new AuthError('server_error', 'WeChat answered with JSON, not with a file; use call')
    },
  }
}

export function readFile(bytes: Uint8Array): WeChatFile {
  const start = Buffer.from(bytes.subarray(0, 512)).toString('latin1')
  // Of something in between, which answers for WeChat.
  if (bytes.length === 0 || /^\s*<(!doctype|html)/i.test(start)) {
    throw new Unreadable('WeChat answered with something that is not a file')
  }
  const [type = 'application/octet-stream'] =
    signatures.find(([, signature]) => start.startsWith(signature)) ?? []
  return { bytes, type }
}

const signatures = [
  ['image/png', '\x89PNG\r\n\x1a\n'],
  ['image/jpeg', '\xff\xd8\xff'],
  ['image/gif', 'GIF8'],
] as const
