import { createHmac } from 'node:crypto'
import { expect, test } from 'vitest'
import { createKeyRing, hmacKeys } from '../../src/crypto/key-ring.js'
import { createAccessTokens } from '../../src/tokens/access-token.js'
import { createTokenSigner } from '../../src/tokens/signed-token.js'
import { createClock, testSecret } from '../set-up.js'

// What only the holder of a key can make, and what callers of the public surface cannot send.

const { access } = createKeyRing({ secret: testSecret })
const keys = hmacKeys(access)
const signer = createTokenSigner(keys, 'at+jwt')

/** Signed with our key, whatever it is. */
function signed(...segments: readonly string[]): string {
  const input = segments.join('.')
  return `${input}.${createHmac('sha256', access[0].key).update(input).digest('base64url')}`
}

const base64url = (text: string) => Buffer.from(text).toString('base64url')
const header = base64url(JSON.stringify({ alg: 'HS256', typ: 'at+jwt', kid: access[0].kid }))

test('a payload that is an object is read', async () => {
  expect(await signer.verify(signed(header, base64url('{"a":1}')))).toEqual({ a: 1 })
})

test.each(['null', '[]', '[{}]', '7', 'true', '"text"', '', ' {}', '{} ', '{"a":1,"a":2}', '{'])(
  'the payload %j is refused, though it is signed',
  async (payload) => {
    expect(await signer.verify(signed(header, base64url(payload)))).toBeUndefined()
  },
)

test.each([
  { what: 'one segment', token: signed(header) },
  { what: 'three segments', token: signed(header, base64url('{}'), base64url('{}')) },
  { what: 'four segments', token: signed(header, base64url('{}'), '', '') },
  { what: 'no base64url', token: signed(header, '{}') },
  {
    what: 'no UTF-8',
    token: signed(header, Buffer.from('{"a":"\xff"}', 'latin1').toString('base64url')),
  },
])('a signature over $what is refused', async ({ token }) => {
  expect(await signer.verify(token)).toBeUndefined()
})

test.each([undefined, null, 7, {}, ['a.b.c']])('%j is no token', async (token) => {
  expect(await signer.verify(token as unknown as string)).toBeUndefined()
})

test('a token has 4096 characters at most', async () => {
  const { verify } = createTokenSigner([{ kid: 'k', alg: 'HS256', verify: () => true }], 'at+jwt')
  const head = base64url(JSON.stringify({ alg: 'HS256', typ: 'at+jwt', kid: 'k' }))
  const ofLength = (length: number) => `${head}.${base64url('{}')}.`.padEnd(length, 's')

  expect(await verify(ofLength(4096))).toEqual({})
  expect(await verify(ofLength(4097))).toBeUndefined()
})

test('without a key that can sign there are no tokens', async () => {
  const verifying = keys.map(({ kid, alg, verify }) => ({ kid, alg, verify }))

  await expect(createTokenSigner(verifying, 'at+jwt').sign({})).rejects.toThrow(
    'No key can sign tokens of type at+jwt',
  )
})

test.each([
  { what: 'a header that is written here', token: header, isOurs: true },
  { what: 'one of a key that is gone', token: `${base64url('{"typ":"at+jwt"}')}.`, isOurs: true },
  { what: 'one of another kind', token: base64url('{"typ":"rt+jwt"}'), isOurs: false },
  { what: 'one that is null', token: base64url('null'), isOurs: false },
  { what: 'none', token: 'text', isOurs: false },
  { what: 'nothing', token: '', isOurs: false },
])('$what makes a token ours: $isOurs', ({ token, isOurs }) => {
  expect(signer.knows(token)).toBe(isOurs)
})

const claims = {
  iss: 'wxlogin',
  aud: 'wx0000000000000001',
  client_id: 'wx0000000000000001',
  sub: 'user-1',
  iat: 1_800_000_000,
  exp: 1_800_000_900,
  jti: 'jti',
  sid: 'sid',
}

test.each([
  { answer: true, isTaken: true },
  { answer: false, isTaken: false },
  { answer: Promise.resolve(true), isTaken: true },
  { answer: Promise.resolve(false), isTaken: false },
])('a mini program that is served, or not, at once or later: $isTaken', async (row) => {
  const { now } = createClock(claims.iat)
  const tokens = createAccessTokens({ keys, now, knowsApp: () => row.answer })
  const token = signed(header, base64url(JSON.stringify(claims)))

  const session = await tokens.verify(token).catch(() => undefined)

  expect(session !== undefined).toBe(row.isTaken)
})

// A turn of the event loop lets everybody else go first, and on a busy server that is what a request waits for.
test('a token that needs no waiting costs no turns but those of its two functions', async () => {
  const { now } = createClock(claims.iat)
  const tokens = createAccessTokens({ keys, now, knowsApp: () => true })
  const token = signed(header, base64url(JSON.stringify(claims)))

  expect(await turnsOf(tokens.verify(token))).toBeLessThanOrEqual(
    await turnsOf((async () => await (async () => 1)())()),
  )
})

async function turnsOf(promise: Promise<unknown>): Promise<number> {
  let isSettled = false
  promise.then(() => {
    isSettled = true
  })
  let turns = 0
  while (!isSettled) {
    turns++
    await null
  }
  return turns
}
