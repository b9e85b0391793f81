import { expect, test } from 'vitest'
import {
  checkIdempotencyKey,
  hashIdempotencyKey,
  keyHashOf,
  readIdempotencyKey,
} from '../../src/crypto/random-id.js'

// Adapters give headers as texts, so that anything else comes here only from a framework that nobody knows yet.

const key = 'k'.repeat(22)

test.each([[[key]], [{ toString: () => key }], [undefined], [null], [22]])(
  'an Idempotency-Key that is no text is none: %o',
  (text) => {
    expect(readIdempotencyKey(text)).toBeUndefined()
  },
)

test.each([key, 'K-_9'.repeat(16)])('the key %s is taken as it is', (text) => {
  expect(readIdempotencyKey(text)).toBe(text)
  expect(readIdempotencyKey(`"${text}"`)).toBe(text)
  expect(checkIdempotencyKey(text)).toBe(text)
})

test.each([
  '',
  'k'.repeat(21),
  'k'.repeat(65),
  `${key}.`,
  ` ${key}`,
  `${key}\n`,
  `"${key}`,
  `${key}"`,
  `""${key}""`,
])('the key %j is none, and as an argument a TypeError', (text) => {
  expect(readIdempotencyKey(text)).toBeUndefined()
  expect(() => checkIdempotencyKey(text)).toThrow(TypeError)
})

test('a record keeps the same of a key in every version', () => {
  expect(hashIdempotencyKey(key)).toBe('FzPDXZT2F30O9cN8osamTptuxIccBhRwh9XCCOMMEfU')
  expect(keyHashOf({ idempotencyKey: key })).toBe(hashIdempotencyKey(key))
})

test('without a key it keeps what is the hash of none, another one each time', () => {
  const hashes = Array.from({ length: 100 }, () => keyHashOf())

  expect(new Set(hashes).size).toBe(100)
  // The hash of a key has 43 characters.
  for (const hash of hashes) expect(hash).not.toMatch(/^[\w-]{43}$/)
})
