import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import type { Account } from '../session.js'
import type { SubKey } from './key-ring.js'

const ivBytes = 12
const tagBytes = 16

type AccountId = Pick<Account, 'appId' | 'openid'>

// Each id is prefixed with its length, so that different pairs never give the same bytes.
function associatedData({ appId, openid }: AccountId): Buffer {
  return Buffer.from(`${appId.length}:${appId}${openid.length}:${openid}`)
}

/** Encrypts a `session_key` for the store (AES-256-GCM), bound to the account that it belongs to. */
export function seal(
  [{ kid, key }]: readonly [SubKey, ...SubKey[]],
  account: AccountId,
  text: string,
): string {
  const iv = randomBytes(ivBytes)
  const cipher = createCipheriv('aes-256-gcm', key, iv).setAAD(associatedData(account))
  const box = Buffer.concat([iv, cipher.update(text), cipher.final(), cipher.getAuthTag()])
  return `${kid}.${box.toString('base64url')}`
}

/** Decrypts what {@link seal} encrypted. `undefined` if its key is no longer in the ring, or the account is another. */
export function unseal(
  ring: readonly SubKey[],
  account: AccountId,
  sealed: string,
): string | undefined {
  const end = sealed.indexOf('.')
  const member = ring.find(({ kid }) => kid === sealed.slice(0, end))
  const bytes = Buffer.from(sealed.slice(end + 1), 'base64url')
  if (!member || bytes.length < ivBytes + tagBytes) return undefined

  const decipher = createDecipheriv('aes-256-gcm', member.key, bytes.subarray(0, ivBytes))
    .setAAD(associatedData(account))
    .setAuthTag(bytes.subarray(-tagBytes))
  try {
    const text = [decipher.update(bytes.subarray(ivBytes, -tagBytes)), decipher.final()]
    return Buffer.concat(text).toString()
  } catch {
    // It was changed, or belongs to another account.
  }
  return undefined
}
