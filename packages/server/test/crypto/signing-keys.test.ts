import { createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto'
import { createVerifier } from 'fast-jwt'
import { CompactSign, createLocalJWKSet, jwtVerify } from 'jose'
import jsonwebtoken from 'jsonwebtoken'
import { describe, expect, test } from 'vitest'
import { readSigningKeys } from '../../src/crypto/signing-keys.js'
import { type Auth, createMemoryStore, type Jwk } from '../../src/index.js'
import { createClock, setUp, testSecret } from '../set-up.js'

function privateJwk(kind: 'ed25519' | 'ec' | 'rsa', changes: object = {}): Jwk {
  const { privateKey } =
    kind === 'ed25519'
      ? generateKeyPairSync('ed25519')
      : kind === 'ec'
        ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
        : generateKeyPairSync('rsa', { modulusLength: 2048 })
  const { kty = '', ...members } = privateKey.export({ format: 'jwk' })
  return { kty, ...members, ...changes }
}

const privateMembers = ['d', 'p', 'q', 'dp', 'dq', 'qi']

function publicPart(jwk: Jwk): Jwk {
  const members = Object.entries(jwk).filter(([name]) => !privateMembers.includes(name))
  return { kty: jwk.kty, ...Object.fromEntries(members) }
}

async function accessToken(auth: Auth): Promise<string> {
  return (await auth.sessions.create({ account: { openid: 'alice' }, userId: 7 })).access_token
}

async function published(auth: Auth) {
  const response = await auth.handle({
    method: 'GET',
    path: '/jwks.json',
    header: () => undefined,
    body: undefined,
  })
  const { keys }: { keys: Jwk[] } = JSON.parse(response.body ?? '{}')
  return { ...response, keys }
}

const headerOf = (token: string) =>
  JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString())

const nodeKey = ({ kty, ...members }: Jwk) =>
  createPublicKey({ key: { kty, ...members }, format: 'jwk' })

test.each([
  { kind: 'ed25519', alg: 'EdDSA' },
  { kind: 'ec', alg: 'ES256' },
  { kind: 'rsa', alg: 'RS256' },
] as const)(
  'an access token signed with an $kind key says $alg and is accepted',
  async ({ kind, alg }) => {
    const { auth } = setUp({ signingKeys: [privateJwk(kind, { kid: 'key-1' })] })

    const token = await accessToken(auth)

    expect(headerOf(token)).toEqual({ alg, typ: 'at+jwt', kid: 'key-1' })
    expect(await auth.authenticate(`Bearer ${token}`)).toMatchObject({ userId: '7' })
  },
)

describe('another service verifies the tokens with what is published', () => {
  const now = Date.now
  const expected = { sub: '7', aud: 'wx0000000000000001', iss: 'wxlogin' }

  test.each(['ec', 'rsa'] as const)('by jsonwebtoken, %s', async (kind) => {
    const { auth } = setUp({ signingKeys: [privateJwk(kind)], now })
    const [jwk] = (await published(auth)).keys

    const payload = jsonwebtoken.verify(await accessToken(auth), nodeKey(jwk ?? { kty: '' }), {
      algorithms: ['ES256', 'RS256'],
      issuer: 'wxlogin',
      audience: 'wx0000000000000001',
    })

    expect(payload).toMatchObject(expected)
  })

  test('by fast-jwt, ed25519', async () => {
    const { auth } = setUp({ signingKeys: [privateJwk('ed25519')], now })
    const [jwk] = (await published(auth)).keys
    const key = nodeKey(jwk ?? { kty: '' }).export({ type: 'spki', format: 'pem' })

    const verify = createVerifier({ key, algorithms: ['EdDSA'], allowedIss: 'wxlogin' })

    expect(verify(await accessToken(auth))).toMatchObject(expected)
  })

  test('by any that picks the key by its kid', async () => {
    const { auth } = setUp({ signingKeys: [privateJwk('ec'), privateJwk('ed25519')], now })
    const keys = (await published(auth)).keys.map(({ kty, ...members }) => ({ kty, ...members }))

    const { payload } = await jwtVerify(await accessToken(auth), createLocalJWKSet({ keys }))

    expect(payload).toMatchObject(expected)
  })
})

test('only public members are published, named by their thumbprint, with a short cache', async () => {
  const jwk = privateJwk('rsa')
  const { auth } = setUp({ signingKeys: [jwk, privateJwk('ed25519'), privateJwk('ec')] })

  const { status, headers, keys, body } = await published(auth)

  expect(status).toBe(200)
  expect(headers).toMatchObject({
    'cache-control': 'public, max-age=300',
    'content-type': 'application/json; charset=utf-8',
  })
  expect(keys.map((key) => Object.keys(key).sort())).toEqual([
    ['alg', 'e', 'kid', 'kty', 'n', 'use'],
    ['alg', 'crv', 'kid', 'kty', 'use', 'x'],
    ['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y'],
  ])
  for (const name of privateMembers) expect(body).not.toContain(String(jwk[name]))
  for (const { kid } of keys) expect(kid).toMatch(/^[\w-]{43}$/)
})

test('the thumbprint is the one of RFC 7638', async () => {
  // RFC 8037 appendix A.3
  const jwk = { kty: 'OKP', crv: 'Ed25519', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo' }
  const { auth } = setUp({ signingKeys: [jwk] })

  const { keys } = await published(auth)

  expect(keys[0]?.kid).toBe('kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k')
})

// A copy that went wrong, or half of a rotation: the first login would be the first to fail.
test('a key with the private part of another one is refused at creation', () => {
  const { d } = privateJwk('ec')

  expect(() => setUp({ signingKeys: [privateJwk('ec', { d })] })).toThrow(
    'signingKeys[0]: its private part does not belong to its public part',
  )
})

test('without signing keys there is nothing to publish', async () => {
  expect((await published(setUp().auth)).status).toBe(404)
})

// jose reads a signature with unused bits that are not zero as the one without them.
test.each(['ed25519', 'ec', 'rsa'] as const)(
  'a token signed with an %s key has one text: unused bits of its signature are zero',
  async (kind) => {
    const { auth } = setUp({ signingKeys: [privateJwk(kind)] })
    const token = await accessToken(auth)
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
    const twin = token.slice(0, -1) + alphabet.charAt(alphabet.indexOf(token.slice(-1)) + 1)
    const signatureOf = (text: string) => Buffer.from(text.split('.')[2] ?? '', 'base64url')

    expect(signatureOf(twin)).toEqual(signatureOf(token))
    await expect(auth.authenticate(`Bearer ${twin}`)).rejects.toMatchObject({
      code: 'invalid_token',
    })
  },
)

// No token with another algorithm gets so far: its header is none that is written here.
test('a key is used with its own algorithm alone', async () => {
  const jwk = privateJwk('rsa')
  const [key] = readSigningKeys({ signingKeys: [jwk] })
  const privateKey = createPrivateKey({ key: { ...jwk }, format: 'jwk' })
  const signed = (alg: string) =>
    new CompactSign(Buffer.from('{}')).setProtectedHeader({ alg }).sign(privateKey)

  expect(await key?.verify(await signed('RS256'))).toBe(true)
  expect(await key?.verify(await signed('RS512'))).toBe(false)
  expect(await key?.verify(await signed('PS256'))).toBe(false)
})

test('a public key verifies what its owner signs, and signs nothing', async () => {
  const jwk = privateJwk('ed25519')
  const { now } = createClock()
  const owner = setUp({ signingKeys: [jwk], now }).auth
  const other = setUp({ signingKeys: [publicPart(jwk)], now }).auth

  await expect(other.authenticate(`Bearer ${await accessToken(owner)}`)).resolves.toBeDefined()
  expect(headerOf(await accessToken(other)).alg).toBe('HS256')
})

test('a token that claims a published key for another algorithm is refused', async () => {
  const jwk = privateJwk('rsa', { kid: 'key-1' })
  const { auth } = setUp({ signingKeys: [jwk] })
  const [, payload = ''] = (await accessToken(auth)).split('.')
  const pem = nodeKey(publicPart(jwk)).export({ type: 'spki', format: 'pem' })
  const header = Buffer.from('{"alg":"HS256","typ":"at+jwt","kid":"key-1"}').toString('base64url')
  const { createHmac } = await import('node:crypto')
  const mac = createHmac('sha256', pem).update(`${header}.${payload}`).digest('base64url')

  await expect(auth.authenticate(`Bearer ${header}.${payload}.${mac}`)).rejects.toMatchObject({
    code: 'invalid_token',
  })
})

const small = () =>
  generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey.export({ format: 'jwk' })
const withExponent3 = () =>
  generateKeyPairSync('rsa', { modulusLength: 2048, publicExponent: 3 }).privateKey
const onP384 = () => generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey

test.each([
  { what: 'no list', keys: () => privateJwk('ec') },
  { what: 'null', keys: () => [null] },
  { what: 'a text', keys: () => ['-----BEGIN PRIVATE KEY-----'] },
  { what: 'an empty object', keys: () => [{}] },
  { what: 'a symmetric key', keys: () => [{ kty: 'oct', k: testSecret }] },
  { what: 'a small RSA key', keys: () => [small()] },
  {
    what: 'another curve',
    keys: () => [generateKeyPairSync('x25519').privateKey.export({ format: 'jwk' })],
  },
  { what: 'another algorithm', keys: () => [privateJwk('rsa', { alg: 'PS256' })] },
  { what: 'a key for encryption', keys: () => [privateJwk('ec', { use: 'enc' })] },
  { what: 'an RSA key with exponent 3', keys: () => [withExponent3().export({ format: 'jwk' })] },
  { what: 'a key on P-384', keys: () => [onP384().export({ format: 'jwk' })] },
  { what: 'an empty kid', keys: () => [privateJwk('ec', { kid: '' })] },
  { what: 'a kid that is a number', keys: () => [privateJwk('ec', { kid: 7 })] },
  { what: 'a kid of two lines', keys: () => [privateJwk('ec', { kid: 'a\nb' })] },
  { what: 'a kid that is too long', keys: () => [privateJwk('ec', { kid: 'k'.repeat(129) })] },
  {
    what: 'the same kid twice',
    keys: () => [privateJwk('ec', { kid: 'a' }), privateJwk('ec', { kid: 'a' })],
  },
])('signingKeys: $what is refused, and no key material is shown', ({ keys }) => {
  const signingKeys: unknown = keys()
  const create = () => setUp({ signingKeys: signingKeys as Jwk[] })

  expect(create).toThrow(TypeError)
  expect(create).toThrow(/^signingKeys/)
  expect(create).not.toThrow(new RegExp(testSecret))
})

describe('while keys are rotated over two instances on different deploys', () => {
  interface Deploy {
    secret?: string | string[]
    signingKeys?: Jwk[]
  }
  const [one, two] = ['a', 'b'].map((letter) => `${letter}${testSecret}`) as [string, string]
  const [oldKey, newKey] = [privateJwk('ec'), privateJwk('ed25519')]

  const plans: Record<string, Deploy[]> = {
    'of a secret': [
      { secret: one },
      { secret: [one, two] },
      { secret: [two, one] },
      { secret: two },
    ],
    'of a signing key': [
      { signingKeys: [oldKey] },
      { signingKeys: [oldKey, newKey] },
      { signingKeys: [newKey, oldKey] },
      { signingKeys: [newKey] },
    ],
    'from a secret to signing keys': [
      {},
      { signingKeys: [publicPart(newKey)] },
      { signingKeys: [newKey] },
    ],
    'from signing keys to a secret': [
      { signingKeys: [newKey] },
      { signingKeys: [publicPart(newKey)] },
      {},
    ],
  }

  test.each(Object.entries(plans))('%s no user notices', async (_name, deploys) => {
    const { now, advance } = createClock()
    const store = createMemoryStore({ now })
    const deploy = (settings: Deploy) =>
      setUp({ store, now, maxSessionsPerUser: 100, ...settings }).auth
    const instances = [deploy(deploys[0] ?? {}), deploy(deploys[0] ?? {})]
    const phones = await Promise.all(
      Array.from({ length: 20 }, () =>
        instances[0]?.sessions.create({ account: { openid: 'alice' } }),
      ),
    )

    // Each step reaches one instance, then the other; phones meet any of them at any time.
    for (const settings of deploys.slice(1)) {
      for (const position of [0, 1]) {
        instances[position] = deploy(settings)
        for (const [n, phone] of phones.entries()) {
          for (const auth of instances) await auth.authenticate(`Bearer ${phone?.access_token}`)
          phones[n] = await instances[n % 2]?.refresh({ refreshToken: phone?.refresh_token ?? '' })
        }
      }
      // An old member may go when the last access token under it has ended.
      advance(900)
      for (const [n, phone] of phones.entries()) {
        phones[n] = await instances[n % 2]?.refresh({ refreshToken: phone?.refresh_token ?? '' })
      }
    }

    expect(phones).toHaveLength(20)
  })

  test('a member that is removed ends its tokens', async () => {
    const { now } = createClock()
    const store = createMemoryStore({ now })
    const before = setUp({ store, now, secret: one }).auth
    const after = setUp({ store, now, secret: two }).auth
    const phone = await before.sessions.create({ account: { openid: 'alice' } })

    await expect(after.authenticate(`Bearer ${phone.access_token}`)).rejects.toMatchObject({
      code: 'invalid_token',
    })
    await expect(after.refresh({ refreshToken: phone.refresh_token })).rejects.toMatchObject({
      code: 'invalid_grant',
    })
  })
})
