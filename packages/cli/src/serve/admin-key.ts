import { createHash, timingSafeEqual } from 'node:crypto'

const minLength = 32

/**
 * Tells whether an `Authorization` header holds one of the admin keys. A list rotates: any of them passes, so the new one
 * is added, then the callers change, then the old one goes.
 *
 * Throws a `TypeError` for a key that is too short, or that a header cannot carry; it never quotes the key.
 */
export function createKeyCheck(
  given: string | readonly string[],
): (authorization: string | null) => boolean {
  const keys: readonly unknown[] = typeof given === 'string' ? [given] : given
  if (!Array.isArray(keys) || keys.length === 0) {
    throw new TypeError('The admin key must be a text, or a list of at least one')
  }
  for (const [index, key] of keys.entries()) checkKey(key, keys.length > 1 ? index : undefined)
  const digests = keys.map((key) => digestOf(String(key)))

  return (authorization) => {
    const [, sent = ''] = /^Bearer +([\x21-\x7e]+)$/i.exec(authorization ?? '') ?? []
    const digest = digestOf(sent)
    // All of them, always: how long it takes says nothing of which one it was, or nearly was.
    return digests.map((one) => timingSafeEqual(one, digest)).includes(true)
  }
}

function checkKey(key: unknown, index: number | undefined): void {
  if (typeof key === 'string' && key.length >= minLength && /^[\x21-\x7e]+$/.test(key)) return
  const which = index === undefined ? 'The admin key' : `Number ${index + 1} of the admin keys`
  throw new TypeError(
    `${which} must be ${minLength} or more characters of ASCII without spaces; make one with \`npx wxlogin keygen --admin\``,
  )
}

/** Of one length for every text, and of no use to whoever reads the memory. */
const digestOf = (text: string): Buffer => createHash('sha256').update(text).digest()
