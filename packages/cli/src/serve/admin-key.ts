import { createHash, timingSafeEqual } from 'node:crypto'

/**
 * Tells whether an `Authorization` header holds one of the admin keys. A list rotates: any of them passes, so the new one
 * is added, then the callers change, then the old one goes. What a key must be, the settings are checked for.
 */
export function createKeyCheck(keys: readonly string[]): (authorization: string | null) => boolean {
  const digests = keys.map(digestOf)

  return (authorization) => {
    const [, sent = ''] = /^Bearer +([\x21-\x7e]+)$/i.exec(authorization ?? '') ?? []
    const digest = digestOf(sent)
    // All of them, always: how long it takes says nothing of which one it was, or nearly was.
    return digests.map((one) => timingSafeEqual(one, digest)).includes(true)
  }
}

/** Of one length for every text, and of no use to whoever reads the memory. */
const digestOf = (text: string): Buffer => createHash('sha256').update(text).digest()
