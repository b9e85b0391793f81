import { expect, test } from 'vitest'
import { createKeyRing, hmacKeys } from '../../src/crypto/key-ring.js'
import { testSecret } from '../set-up.js'

// What is derived has to stay as it is: another value would sign everybody out, or let a code be used twice, while an old
// and a new version stand side by side.

const createOurs = () => createKeyRing({ secret: testSecret })

test('the ids of sessions are the same in every version', () => {
  const ring = createOurs()

  expect(ring.sessionIds('wechat', 'wx0000000000000001', 'code')).toEqual([
    'ZzRbjBs0DTeqkcbMzZkM7t',
  ])
  expect(ring.sessionIds('phone', 'wx0000000000000001', 'code')).toEqual(['hc80VcpTRdH1rAe13F_5he'])
})

test('the proofs of tickets are the same in every version', () => {
  expect(createOurs().ticketProofs('https://shop.example.com', 'tmyjrd', 'name')).toEqual([
    'TUxJQHh9vSrUKJilEjhMgh',
  ])
})

test('the names of keys are the same in every version, and each purpose has its own', () => {
  const { access, refresh, seal, device } = createOurs()

  expect([access, refresh, seal, device].map(([{ kid }]) => kid)).toEqual([
    '85mJs3H265f',
    'qrq1WSZU8V7',
    'jDl3b4u8mbo',
    'MMrDLEdLKeB',
  ])
})

test.each(['', '.', 'text', 'a.b', 'a.b.c', `a.${'b'.repeat(43)}`, `a.${'é'.repeat(43)}`])(
  'the text %j has no signature of ours',
  (text) => {
    const [key] = hmacKeys(createOurs().access)

    expect(key?.verify(text)).toBe(false)
  },
)

test('a secret has at least 32 bytes', () => {
  expect(() => createKeyRing({ secret: testSecret.slice(0, 32) })).not.toThrow()
  expect(() => createKeyRing({ secret: testSecret.slice(0, 31) })).toThrow(TypeError)
})

test.each(['[', '{', ' {', '\n['])('%j within a secret is a character like any other', (text) => {
  expect(() => createKeyRing({ secret: `${testSecret}${text}` })).not.toThrow()
  expect(() => createKeyRing({ secret: `${text}${testSecret}` })).toThrow(TypeError)
})
