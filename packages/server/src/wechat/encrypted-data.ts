import { createHash } from 'node:crypto'
import { encryptedDataErrcodes } from './errcodes.js'
import { bytesOf } from './open-data.js'
import type { WeChatRequest } from './transport.js'

/**
 * The names under which WeChat may know what it has encrypted: it does not say whether it hashes the base64 or the
 * bytes. None for what is no base64.
 */
export function hashesOf(encryptedData: string): string[] {
  const bytes = bytesOf(encryptedData)
  if (!bytes) return []
  return [encryptedData, bytes].map((data) => createHash('sha256').update(data).digest('hex'))
}

/** https://developers.weixin.qq.com/miniprogram/dev/server/API/user-info/basic-info/api_checkencrypteddata */
export function checkEncryptedDataRequest(appId: string, hash: string): WeChatRequest<boolean> {
  return {
    endpoint: 'checkEncryptedData',
    group: 'user_info',
    appId,
    method: 'POST',
    path: '/wxa/business/checkencryptedmsg',
    query: {},
    body: { encrypted_msg_hash: hash },
    isRepeatable: true,
    errcodes: encryptedDataErrcodes,
    unknownErrcode: 'wechat_unavailable',
    // WeChat's spelling.
    read: ({ vaild }) => vaild === true,
  }
}
