import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { createKeyRing } from '../../src/crypto/key-ring.js'
import { seal, unseal } from '../../src/crypto/sealed.js'

// No public call gives a session_key back, so what is sealed can be opened again only here.

const secret = () => randomBytes(32).toString('hex')
const account = { appId: 'wx0000000000000001', openid: 'oAlice' }
const sessionKey = 'tiihtNczf5v6AKRyjwEUhQ=='

test('what was sealed opens for its account', () => {
  const { seal: ring } = createKeyRing({ secret: [secret()] })

  const sealed = seal(ring, account, sessionKey)

  expect(sealed).not.toContain(sessionKey)
  expect(unseal(ring, account, sealed)).toBe(sessionKey)
})

test.each(['', '微信'])('the text %j comes back as it was', (text) => {
  const { seal: ring } = createKeyRing({ secret: [secret()] })

  expect(unseal(ring, account, seal(ring, account, text))).toBe(text)
})

test.each([0, 1, 11, 12, 27])('a box that was cut to %d bytes does not open', (length) => {
  const { seal: ring } = createKeyRing({ secret: [secret()] })
  const [kid, box = ''] = seal(ring, account, sessionKey).split('.')
  const cut = Buffer.from(box, 'base64url').subarray(0, length).toString('base64url')

  expect(unseal(ring, account, `${kid}.${cut}`)).toBeUndefined()
})

test('the same key is sealed differently each time', () => {
  const { seal: ring } = createKeyRing({ secret: [secret()] })

  expect(seal(ring, account, sessionKey)).not.toBe(seal(ring, account, sessionKey))
})

test.each([
  { appId: 'wx0000000000000001', openid: 'oMallory' },
  { appId: 'wx0000000000000002', openid: 'oAlice' },
  { appId: 'wx0000000000000001o', openid: 'Alice' },
])("another account's key does not open: %j", (other) => {
  const { seal: ring } = createKeyRing({ secret: [secret()] })

  expect(unseal(ring, other, seal(ring, account, sessionKey))).toBeUndefined()
})

test('an older member of the ring still opens, and a removed one does not', () => {
  const [older, newer] = [secret(), secret()]
  const sealed = seal(createKeyRing({ secret: [older] }).seal, account, sessionKey)

  expect(unseal(createKeyRing({ secret: [newer, older] }).seal, account, sealed)).toBe(sessionKey)
  expect(unseal(createKeyRing({ secret: [newer] }).seal, account, sealed)).toBeUndefined()
})

test('a box with any byte changed does not open', () => {
  const { seal: ring } = createKeyRing({ secret: [secret()] })
  const [kid, box = ''] = seal(ring, account, sessionKey).split('.')
  const bytes = Buffer.from(box, 'base64url')

  for (let at = 0; at < bytes.length; at++) {
    const changed = Buffer.from(bytes)
    changed.writeUInt8(changed.readUInt8(at) ^ 1, at)
    expect(unseal(ring, account, `${kid}.${changed.toString('base64url')}`)).toBeUndefined()
  }
})

test.each(['', '.', 'nonsense', 'kid.', 'kid.AAAA'])('%j does not open', (sealed) => {
  expect(unseal(createKeyRing({ secret: [secret()] }).seal, account, sealed)).toBeUndefined()
})
