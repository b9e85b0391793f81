import { createHash } from 'node:crypto'
import { AuthError } from '../errors.js'
import type { Account } from '../session.js'

/** A user's id as tokens and stores hold it. Throws `server_error` for what cannot be one. */
export function toUserId(userId: string | number, account?: Account): string {
  const text = typeof userId === 'number' && Number.isSafeInteger(userId) ? String(userId) : userId
  if (typeof text !== 'string' || text === '' || text.length > 255 || text === account?.appId) {
    throw new AuthError(
      'server_error',
      'A userId must be a whole number or a string of 1 to 255 characters, and not the AppID',
    )
  }
  return text
}

/** Stable, needs no database, and says nothing about the openid to anyone who does not already know it. */
export function opaqueUserId({ appId, openid }: Account): string {
  return createHash('sha256')
    .update(`wxlogin:user:${appId}:${openid}`)
    .digest('base64url')
    .slice(0, 22)
}
