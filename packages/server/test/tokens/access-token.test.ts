import { createHmac } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { createKeyRing } from '../../src/crypto/key-ring.js'
import {
  type AuthOptions,
  createAuth,
  createMemoryStore,
  type SessionStore,
} from '../../src/index.js'
import { signIn } from '../../src/testing/index.js'
import { createClock, newKey, setUp, testSecret } from '../set-up.js'

const startAt = 1_800_000_000
const appId = 'wx0000000000000001'
const otherSecret = 'pQ8xWm2Zk7Rt4Yv9Lc1Nh6Bs3Gf5Jd0EaUoTiVnKy'

const ring = createKeyRing({ secret: [testSecret] })
const [accessKey] = ring.access
const [refreshKey] = ring.refresh

const goodHeader = { alg: 'HS256', typ: 'at+jwt', kid: accessKey.kid }
const goodClaims = {
  iss: 'wxlogin',
  aud: appId,
  client_id: appId,
  sub: 'user-1',
  iat: startAt,
  exp: startAt + 900,
  jti: 'token-1',
  sid: 'session-1',
  auth_time: startAt,
}

const encode = (text: string | Uint8Array) => Buffer.from(text).toString('base64url')

interface Forgery {
  header?: string
  payload?: string | Uint8Array
  key?: Uint8Array
  hash?: string
}

/** A token with a true signature over any header and payload, which no JWT library would agree to write. */
function forge({
  header = JSON.stringify(goodHeader),
  payload = JSON.stringify(goodClaims),
  key = accessKey.key,
  hash = 'sha256',
}: Forgery = {}): string {
  const input = `${encode(header)}.${encode(payload)}`
  return `${input}.${createHmac(hash, key).update(input).digest('base64url')}`
}

const withHeader = (changes: object) =>
  forge({ header: JSON.stringify({ ...goodHeader, ...changes }) })
const withClaims = (changes: object) =>
  forge({ payload: JSON.stringify({ ...goodClaims, ...changes }) })
const withClaimText = (name: keyof typeof goodClaims, text: string) =>
  forge({ payload: JSON.stringify({ ...goodClaims, [name]: '@' }).replace('"@"', text) })

const withPart = (parts: readonly string[], index: number, part: string) =>
  parts.map((old, at) => (at === index ? part : old)).join('.')

const bearer = (token: string) => `Bearer ${token}`

function decode(token: string): Record<string, unknown> {
  return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())
}

async function expectRefused(token: string): Promise<void> {
  const { auth } = setUp()

  await expect(auth.authenticate(bearer(token))).rejects.toMatchObject({
    code: 'invalid_token',
    status: 401,
  })
}

test('a token with our header, our claims and our signature is accepted', async () => {
  const { auth } = setUp()

  const session = await auth.authenticate(bearer(forge()))

  expect(session).toEqual({
    id: 'session-1',
    userId: 'user-1',
    appId,
    claims: {},
    authenticatedAt: startAt,
    issuedAt: startAt,
    expiresAt: startAt + 900,
  })
})

describe('only the very header that we write for a known key is accepted', () => {
  const kid = accessKey.kid
  const rows: Record<string, string> = {
    'alg none': withHeader({ alg: 'none' }),
    'alg None': withHeader({ alg: 'None' }),
    'alg nOnE': withHeader({ alg: 'nOnE' }),
    'alg NONE': withHeader({ alg: 'NONE' }),
    'alg empty': withHeader({ alg: '' }),
    'alg null': withHeader({ alg: null }),
    'alg in an array': withHeader({ alg: ['HS256'] }),
    'alg in lower case': withHeader({ alg: 'hs256' }),
    'alg missing': withHeader({ alg: undefined }),
    'alg HS384': forge({ header: JSON.stringify({ ...goodHeader, alg: 'HS384' }), hash: 'sha384' }),
    'alg HS512': forge({ header: JSON.stringify({ ...goodHeader, alg: 'HS512' }), hash: 'sha512' }),
    'alg RS256': withHeader({ alg: 'RS256' }),
    'alg ES256': withHeader({ alg: 'ES256' }),
    'alg EdDSA': withHeader({ alg: 'EdDSA' }),
    'a signature by another hash under HS256': forge({ hash: 'sha512' }),
    'typ missing': withHeader({ typ: undefined }),
    'typ empty': withHeader({ typ: '' }),
    'typ JWT': withHeader({ typ: 'JWT' }),
    'typ of a refresh token': withHeader({ typ: 'rt+jwt' }),
    'typ in upper case': withHeader({ typ: 'AT+JWT' }),
    'typ with its media type': withHeader({ typ: 'application/at+jwt' }),
    'crit that names a known claim': withHeader({ crit: ['exp'], exp: goodClaims.exp }),
    'crit that names b64': withHeader({ crit: ['b64'], b64: true }),
    'crit empty': withHeader({ crit: [] }),
    'crit null': withHeader({ crit: null }),
    'b64 true': withHeader({ b64: true }),
    'b64 false': withHeader({ b64: false }),
    jku: withHeader({ jku: 'https://evil.example.com/jwks.json' }),
    jwk: withHeader({ jwk: { kty: 'oct', k: encode(accessKey.key) } }),
    x5u: withHeader({ x5u: 'https://evil.example.com/cert.pem' }),
    x5c: withHeader({ x5c: ['MIIB'] }),
    x5t: withHeader({ x5t: 'AAAA' }),
    zip: withHeader({ zip: 'DEF' }),
    cty: withHeader({ cty: 'JWT' }),
    'a member of its own': withHeader({ hello: 'world' }),
    'alg twice, none first': forge({
      header: `{"alg":"none","alg":"HS256","typ":"at+jwt","kid":"${kid}"}`,
    }),
    'alg twice, none last': forge({
      header: `{"alg":"HS256","typ":"at+jwt","kid":"${kid}","alg":"none"}`,
    }),
    'kid twice': forge({ header: `{"alg":"HS256","typ":"at+jwt","kid":"${kid}","kid":"${kid}"}` }),
    'members in another order': forge({ header: `{"typ":"at+jwt","alg":"HS256","kid":"${kid}"}` }),
    'a space between members': forge({ header: `{"alg":"HS256", "typ":"at+jwt","kid":"${kid}"}` }),
    'a space after the header': forge({ header: `${JSON.stringify(goodHeader)} ` }),
    'an escaped member name': forge({
      header: `{"\\u0061lg":"HS256","typ":"at+jwt","kid":"${kid}"}`,
    }),
    'a byte order mark': forge({ header: `\ufeff${JSON.stringify(goodHeader)}` }),
    'a header that is an array': forge({ header: JSON.stringify([goodHeader]) }),
    'a header that is null': forge({ header: 'null' }),
    'a header that is no JSON': forge({ header: '{' }),
    '__proto__ in the header': forge({ header: `{"__proto__":${JSON.stringify(goodHeader)}}` }),
    'kid missing': withHeader({ kid: undefined }),
    'kid unknown': withHeader({ kid: 'AAAAAAAAAAA' }),
    'kid empty': withHeader({ kid: '' }),
    'kid null': withHeader({ kid: null }),
    'kid a number': withHeader({ kid: 0 }),
    'kid in an array': withHeader({ kid: [kid] }),
    'kid with another ending': withHeader({ kid: `${kid}A` }),
    'kid that is a path': withHeader({ kid: '../../../../../../dev/null' }),
    'kid that is SQL': withHeader({ kid: "x' UNION SELECT 'key' --" }),
    'kid that is a command': withHeader({ kid: '| id' }),
    'kid with a NUL': withHeader({ kid: `${kid}\u0000` }),
    'kid __proto__': withHeader({ kid: '__proto__' }),
    'kid of the refresh key': withHeader({ kid: refreshKey.kid }),
    'kid and signature of the refresh key': forge({
      header: JSON.stringify({ ...goodHeader, kid: refreshKey.kid }),
      key: refreshKey.key,
    }),
    'signature of the refresh key': forge({ key: refreshKey.key }),
    'signature of the sealing key': forge({ key: ring.seal[0].key }),
    'signature of the secret itself': forge({ key: Buffer.from(testSecret) }),
    'signature of the kid': forge({ key: Buffer.from(kid) }),
    'signature of an empty key': forge({ key: new Uint8Array() }),
    'signature of zeros': forge({ key: new Uint8Array(32) }),
  }

  test.each(Object.entries(rows))('%s is refused', async (_name, token) => {
    await expectRefused(token)
  })

  test.each(['none', 'None', 'nOnE', 'NONE'])(
    'alg %s without a signature is refused',
    async (alg) => {
      const input = `${encode(JSON.stringify({ ...goodHeader, alg }))}.${encode(JSON.stringify(goodClaims))}`

      await expectRefused(`${input}.`)
      await expectRefused(`${input}.AA`)
      await expectRefused(input)
    },
  )
})

describe('only the one text of a token is accepted', () => {
  const good = forge()
  const [header = '', payload = '', signature = ''] = good.split('.')

  const rows: Record<string, string> = {
    'no dot': good.replaceAll('.', ''),
    'one part': header,
    'two parts': `${header}.${payload}`,
    'four parts': `${good}.${signature}`,
    'five parts': `${header}.${payload}.${payload}.${payload}.${signature}`,
    'a leading dot': `.${good}`,
    'a trailing dot': `${good}.`,
    'an empty header': `.${payload}.${signature}`,
    'an empty payload': `${header}..${signature}`,
    'an empty signature': `${header}.${payload}.`,
    'only dots': '..',
    'padding after the signature': `${good}=`,
    'padding after the header': `${header}=.${payload}.${signature}`,
    'padding after the payload': `${header}.${payload}=.${signature}`,
    'padding written as %3D': `${good}%3D`,
    'a tab inside': `${header}\t.${payload}.${signature}`,
    'a line break inside': `${header}.${payload}\n.${signature}`,
    'a line break at the end': `${good}\n`,
    'a space inside': `${header} .${payload}.${signature}`,
    'a space in the payload': `${header}.${payload.slice(0, 8)} ${payload.slice(8)}.${signature}`,
    'a NUL at the end': `${good}\u0000`,
    'a letter that is no base64url': `${header}.${payload}.${signature.slice(0, -1)}é`,
    'a fullwidth letter': `${header}.${payload}.${signature.slice(0, -1)}Ａ`,
    'quotes around it': `"${good}"`,
    'a list of two': `${good},${good}`,
    'Bearer twice': `Bearer ${good}`,
    'the JSON serialization': JSON.stringify({ payload, protected: header, signature }),
    'parts in another order': `${payload}.${header}.${signature}`,
    'the header for a payload': `${header}.${header}.${signature}`,
    '5000 characters of nothing': 'A'.repeat(5000),
    '5000 dots': '.'.repeat(5000),
    'a signed token of more than 4096 characters': withClaims({ role: 'x'.repeat(5000) }),
  }

  test.each(Object.entries(rows))('%s is refused', async (_name, token) => {
    await expectRefused(token)
  })

  test('standard base64 letters are refused', async () => {
    const payloads = Array.from({ length: 64 }, (_, n) =>
      withClaims({ sub: `user-${n}-???>>>~~~` }),
    )
    const token = payloads.find((candidate) => /[-_]/.test(candidate.split('.')[1] ?? '')) ?? ''

    expect(token).toMatch(/[-_]/)
    await expectRefused(token.replaceAll('-', '+').replaceAll('_', '/'))
  })

  test('unused bits that are not zero are refused in every part', async () => {
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
    const { auth } = setUp()
    const seen = new Set<number>()

    // Longer and longer subjects, so that payloads with two and with four unused bits come up.
    for (const sub of ['u', 'us', 'use', 'user']) {
      const parts = withClaims({ sub }).split('.')
      for (const [index, part] of parts.entries()) {
        const unusedBits = { 2: 4, 3: 2 }[part.length % 4]
        if (unusedBits === undefined) continue
        seen.add(index)
        const last = alphabet.indexOf(part.slice(-1))
        for (let bits = 1; bits < 2 ** unusedBits; bits++) {
          const twin = part.slice(0, -1) + alphabet[last + bits]
          expect(Buffer.from(twin, 'base64url')).toEqual(Buffer.from(part, 'base64url'))
          const token = withPart(parts, index, twin)
          await expect(auth.authenticate(bearer(token))).rejects.toMatchObject({
            code: 'invalid_token',
          })
        }
      }
    }

    expect([...seen]).toEqual(expect.arrayContaining([1, 2]))
  })

  test('every beginning of a token is refused', async () => {
    const { auth } = setUp()

    for (let length = 0; length < good.length; length++) {
      const header = bearer(good.slice(0, length))
      await expect(auth.authenticate(header)).rejects.toMatchObject({ code: 'invalid_token' })
    }
  })

  test('every character matters', async () => {
    const { auth } = setUp()
    await auth.authenticate(bearer(good))

    for (const [position, character] of [...good].entries()) {
      const other = character === 'A' ? 'B' : 'A'
      const token = good.slice(0, position) + other + good.slice(position + 1)
      await expect(auth.authenticate(bearer(token))).rejects.toMatchObject({
        code: 'invalid_token',
      })
    }
  })

  test('every bit of header, payload and signature matters', async () => {
    const { auth } = setUp()
    await auth.authenticate(bearer(good))
    const parts = good.split('.')

    for (const [index, part] of parts.entries()) {
      const bytes = Buffer.from(part, 'base64url')
      for (let bit = 0; bit < bytes.length * 8; bit++) {
        const flipped = Buffer.from(bytes)
        flipped[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7))
        const token = withPart(parts, index, flipped.toString('base64url'))
        await expect(auth.authenticate(bearer(token))).rejects.toMatchObject({
          code: 'invalid_token',
        })
      }
    }
  })
})

describe('the payload must be an object with every claim in its right type', () => {
  const payloads: Record<string, string | Uint8Array> = {
    'an array': JSON.stringify([goodClaims]),
    'an empty array': '[]',
    'a string': JSON.stringify('payload'),
    null: 'null',
    'a number': '1',
    true: 'true',
    'an empty object': '{}',
    'a space': ' ',
    'no JSON': '{"iss":',
    'two objects': `${JSON.stringify(goodClaims)}{}`,
    'bytes that are not UTF-8': Buffer.concat([Buffer.from('{"iss":"'), Buffer.from([0xff, 0xfe])]),
    '__proto__ in place of claims': `{"__proto__":${JSON.stringify(goodClaims)}}`,
  }

  test.each(Object.entries(payloads))('%s is refused', async (_name, payload) => {
    await expectRefused(forge({ payload }))
  })

  const needed = Object.keys(goodClaims).filter((name) => name !== 'auth_time')

  test.each(needed)('a token without %s is refused', async (name) => {
    await expectRefused(withClaims({ [name]: undefined }))
  })

  test('a token without auth_time, of an earlier version, is too old where a login has to be new', async () => {
    const { auth } = setUp()
    const token = withClaims({ auth_time: undefined })

    expect(await auth.authenticate(bearer(token))).toMatchObject({ authenticatedAt: 0 })
    await expect(
      auth.authenticate(bearer(token), { maxAgeSeconds: startAt - 1 }),
    ).rejects.toMatchObject({ code: 'insufficient_user_authentication' })
  })

  const wrongTexts = [null, true, 1, '', [], ['user-1'], {}, { length: 1 }]

  test.each(
    ['iss', 'aud', 'client_id', 'sub', 'jti', 'sid'].flatMap((name) =>
      wrongTexts.map((value) => ({ name, value: JSON.stringify(value) })),
    ),
  )('$name $value is refused', async ({ name, value }) => {
    await expectRefused(withClaims({ [name]: JSON.parse(value) }))
  })

  const wrongInstants = [
    'null',
    'true',
    '""',
    '[]',
    '{}',
    '0',
    '-1',
    `-${startAt}`,
    'NaN',
    'Infinity',
    '1e400',
    '-1e400',
    '1e300',
    `"${startAt + 60}"`,
    `[${startAt + 60}]`,
    `${startAt + 60}.5`,
    '9007199254740992',
  ]

  test.each(wrongInstants)('exp %s is refused', async (text) => {
    await expectRefused(withClaimText('exp', text))
  })

  test.each(wrongInstants)('iat %s is refused', async (text) => {
    await expectRefused(withClaimText('iat', text))
  })

  test.each(wrongInstants)('auth_time %s is refused', async (text) => {
    await expectRefused(withClaimText('auth_time', text))
  })

  const rows: Record<string, string> = {
    'another issuer': withClaims({ iss: 'wxlogin2' }),
    'our issuer in another case': withClaims({ iss: 'WXLOGIN' }),
    'our issuer in an array': withClaims({ iss: ['wxlogin'] }),
    'an array as audience': withClaims({ aud: [appId] }),
    'an audience that we do not serve': withClaims({
      aud: 'wx00000000000000ff',
      client_id: 'wx00000000000000ff',
    }),
    'a client that is not the audience': withClaims({ client_id: 'wx00000000000000ff' }),
    'an audience that is not the client': withClaims({ aud: 'wx00000000000000ff' }),
    'an audience in another case': withClaims({
      aud: appId.toUpperCase(),
      client_id: appId.toUpperCase(),
    }),
    'an audience named __proto__': withClaims({ aud: '__proto__', client_id: '__proto__' }),
    'a life of more than an hour': withClaims({ exp: startAt + 3601 }),
    'a life of a hundred years': withClaims({ exp: startAt + 100 * 365 * 86_400 }),
    'an end at its beginning': withClaims({ exp: startAt }),
    'an end before its beginning': withClaims({ exp: startAt - 1 }),
    'a start in the future': withClaims({ nbf: startAt + 300 }),
    'a start 31 seconds ahead': withClaims({ nbf: startAt + 31 }),
    'a start that is a text': withClaims({ nbf: `${startAt}` }),
  }

  test.each(Object.entries(rows))('%s is refused', async (_name, token) => {
    await expectRefused(token)
  })

  test.each([
    { when: 'in the past', nbf: startAt - 300 },
    { when: 'now', nbf: startAt },
    { when: '30 seconds ahead', nbf: startAt + 30 },
  ])('a start that is $when is accepted, for clocks differ', async ({ nbf }) => {
    const { auth } = setUp()

    await expect(auth.authenticate(bearer(withClaims({ nbf })))).resolves.toMatchObject({
      issuedAt: startAt,
    })
  })

  test('a life of an hour is accepted, since a sibling may be configured so', async () => {
    const { auth } = setUp()

    const session = await auth.authenticate(bearer(withClaims({ exp: startAt + 3600 })))

    expect(session.expiresAt).toBe(startAt + 3600)
  })

  test('a longer life is accepted where it was asked for by name, and not beyond it', async () => {
    const { auth } = setUp({ accessTtlSeconds: 7200, allowLongAccessTtl: true })

    await auth.authenticate(bearer(withClaims({ exp: startAt + 7200 })))

    const tooLong = auth.authenticate(bearer(withClaims({ exp: startAt + 7201 })))
    await expect(tooLong).rejects.toMatchObject({ code: 'invalid_token' })
  })

  test('an issue time up to a minute ahead is forgiven, for clocks that differ', async () => {
    const { auth } = setUp()

    await auth.authenticate(bearer(withClaims({ iat: startAt + 60 })))

    const tooEarly = auth.authenticate(bearer(withClaims({ iat: startAt + 61 })))
    await expect(tooEarly).rejects.toMatchObject({ code: 'invalid_token' })
  })

  test.each([
    { name: 'seen for the first time', maxVerifiedTokens: 0 },
    { name: 'seen before', maxVerifiedTokens: 10 },
  ])(
    'a token $name works for 30 seconds after its end, and no longer',
    async ({ maxVerifiedTokens }) => {
      const { auth, clock } = setUp({ maxVerifiedTokens })
      const { headers } = await signIn(auth, { openid: 'alice' })
      await auth.authenticate(headers.authorization)

      clock.advance(929)
      await auth.authenticate(headers.authorization)
      clock.advance(1)

      await expect(auth.authenticate(headers.authorization)).rejects.toMatchObject({
        code: 'invalid_token',
      })
    },
  )
})

describe('what a token says', () => {
  test('it holds the claims of RFC 9068 and of the app, and nothing else', async () => {
    const { auth } = setUp({ claims: () => ({ role: 'admin' }) })

    const { accessToken } = await signIn(auth, {
      openid: 'alice',
      unionid: 'union-of-alice',
      userId: 7,
    })

    expect(decode(accessToken)).toEqual({
      iss: 'wxlogin',
      aud: appId,
      client_id: appId,
      sub: '7',
      iat: startAt,
      exp: startAt + 900,
      jti: expect.any(String),
      sid: expect.any(String),
      auth_time: startAt,
      role: 'admin',
    })
  })

  test('every token has a name of its own', async () => {
    const { auth } = setUp()
    const first = await signIn(auth, { openid: 'alice' })

    const next = await auth.refresh({ refreshToken: first.refreshToken })

    expect(decode(next.access_token).jti).not.toBe(decode(first.accessToken).jti)
    expect(decode(next.access_token).sid).toBe(decode(first.accessToken).sid)
  })

  test('without an id of the app its subject is stable, opaque and different in each mini program', async () => {
    const apps = [appId, 'wx0000000000000002'].map((appId) => ({ appId, appSecret: 'a secret' }))
    const { auth } = setUp({ apps })
    const subjectOf = async (openid: string, appId: string) =>
      (await signIn(auth, { openid, unionid: `union-of-${openid}`, appId })).userId

    const subject = await subjectOf('alice', appId)

    expect(subject).toMatch(/^[\w-]{22}$/)
    expect(await subjectOf('alice', appId)).toBe(subject)
    expect(await subjectOf('bob', appId)).not.toBe(subject)
    expect(await subjectOf('alice', 'wx0000000000000002')).not.toBe(subject)
  })

  test('its subject is never the AppID', async () => {
    const { auth } = setUp()

    await expect(signIn(auth, { openid: 'alice', userId: appId })).rejects.toMatchObject({
      code: 'server_error',
    })
  })

  test.each([{}, { accessTtlSeconds: 60 }, { accessTtlSeconds: 3600 }])(
    'it always ends, with the options %o',
    async (options) => {
      const { auth } = setUp(options)

      const { accessToken } = await signIn(auth, { openid: 'alice' })

      const { iat, exp } = decode(accessToken)
      expect(exp).toBe(Number(iat) + (options.accessTtlSeconds ?? 900))
    },
  )

  test('it never outlives its session', async () => {
    const { auth, clock } = setUp({ idleTtlSeconds: 1000, absoluteTtlSeconds: 1000 })
    const { refreshToken } = await signIn(auth, { openid: 'alice' })

    clock.advance(800)
    const answer = await auth.refresh({ refreshToken })

    expect(answer.expires_in).toBe(200)
    expect(decode(answer.access_token).exp).toBe(startAt + 1000)
  })

  test.each(['iss', 'aud', 'client_id', 'sub', 'iat', 'exp', 'nbf', 'jti', 'sid', 'auth_time'])(
    'the claims of the app cannot set %s',
    async (name) => {
      const { auth, wechat } = setUp({ claims: () => ({ [name]: 'mine' }) })

      const login = auth.login({ code: wechat.codeFor('alice') })

      await expect(login).rejects.toMatchObject({
        code: 'server_error',
        message: expect.stringContaining(name),
      })
      await expect(
        signIn(auth, { openid: 'bob', claims: { [name]: 'mine' } }),
      ).rejects.toMatchObject({
        code: 'server_error',
      })
    },
  )

  const cyclic: { self?: unknown } = {}
  cyclic.self = cyclic

  test.each([
    { name: 'nothing', claims: undefined },
    { name: 'null', claims: null },
    { name: 'an array', claims: ['admin'] },
    { name: 'a string', claims: 'admin' },
    { name: 'a function', claims: () => 'admin' },
    { name: 'a bigint inside', claims: { id: 1n } },
    { name: 'a circle', claims: cyclic },
  ])('claims that are $name are a server_error', async ({ claims }) => {
    const { auth, wechat } = setUp({ claims: () => claims as object })

    const login = auth.login({ code: wechat.codeFor('alice') })

    await expect(login).rejects.toMatchObject({ code: 'server_error' })
  })

  test('claims lose what JSON leaves out', async () => {
    const { auth, wechat } = setUp({
      claims: () => ({ role: 'admin', isAdmin: () => true, gone: undefined }),
    })

    const { access_token } = await auth.login({ code: wechat.codeFor('alice') })

    const { claims } = await auth.authenticate(bearer(access_token))
    expect(claims).toEqual({ role: 'admin' })
  })

  test('claims that make the token longer than 4096 characters are a server_error', async () => {
    const { auth, wechat } = setUp({ claims: () => ({ text: 'x'.repeat(4000) }) })

    const login = auth.login({ code: wechat.codeFor('alice') })

    await expect(login).rejects.toMatchObject({ code: 'server_error' })
  })

  test('an issuer may make the token 4096 characters long, and no longer', async () => {
    let longest = 0
    let issuer = 'i'.repeat(2600)
    for (let isTaken = true; isTaken; issuer += 'i') {
      const { auth, wechat } = setUp({ issuer })
      const login = auth.login({ code: wechat.codeFor('alice') })
      const token = await login.then(({ access_token }) => access_token).catch(() => undefined)
      isTaken = token !== undefined
      if (!token) await expect(login).rejects.toMatchObject({ code: 'server_error' })
      if (!token) continue
      longest = token.length
      if (longest > 4090) await expect(auth.authenticate(bearer(token))).resolves.toBeDefined()
    }

    expect(longest).toBe(4096)
  })

  test('claims of 2048 characters of JSON are carried, and not one more', async () => {
    let text = 'x'.repeat(2048 - '{"text":""}'.length)
    const { auth, wechat } = setUp({ claims: () => ({ text }) })

    const { access_token } = await auth.login({ code: wechat.codeFor('alice') })
    expect((await auth.authenticate(bearer(access_token))).claims).toEqual({ text })

    text += 'x'
    await expect(auth.login({ code: wechat.codeFor('alice') })).rejects.toMatchObject({
      code: 'server_error',
    })
  })

  test('claims whose letters take more bytes than a token may have are a server_error', async () => {
    const { auth, wechat } = setUp({ claims: () => ({ text: '微'.repeat(1200) }) })

    await expect(auth.login({ code: wechat.codeFor('alice') })).rejects.toMatchObject({
      code: 'server_error',
    })
  })

  test('a claim named __proto__ is a claim, and changes no prototype', async () => {
    const claims: object = JSON.parse('{"__proto__":{"role":"admin"}}')
    const { auth } = setUp()

    const { headers } = await signIn(auth, { openid: 'alice', claims })

    const session = await auth.authenticate(headers.authorization)
    expect(Reflect.get(session.claims, 'role')).toBeUndefined()
    expect(Object.getPrototypeOf(session.claims)).toBe(Object.prototype)
  })
})

describe('one kind of token never passes for another', () => {
  test('a refresh token is no access token', async () => {
    const { auth } = setUp()
    const { refreshToken } = await signIn(auth, { openid: 'alice' })

    const request = auth.authenticate(bearer(refreshToken))

    await expect(request).rejects.toMatchObject({ code: 'invalid_token' })
  })

  test('an access token is no refresh token', async () => {
    const { auth } = setUp()
    const { accessToken } = await signIn(auth, { openid: 'alice' })

    const refresh = auth.refresh({ refreshToken: accessToken })

    await expect(refresh).rejects.toMatchObject({ code: 'invalid_grant', reason: 'unknown' })
  })

  test('a refresh token signed with the access key is unknown', async () => {
    const { auth } = setUp()
    const { refreshToken } = await signIn(auth, { openid: 'alice' })
    const [header = '', payload = ''] = refreshToken
      .split('.')
      .map((part) => Buffer.from(part, 'base64url').toString())

    const forged = forge({ header, payload, key: accessKey.key })

    expect(forge({ header, payload, key: refreshKey.key })).toBe(refreshToken)
    await expect(auth.refresh({ refreshToken: forged })).rejects.toMatchObject({
      reason: 'unknown',
    })
  })

  test('a refresh token has claims of the right types, else it is unknown and no store is asked', async () => {
    const { now } = createClock()
    const memory = createMemoryStore({ now })
    let reads = 0
    const get: SessionStore['get'] = (id) => {
      reads++
      return memory.get(id)
    }
    const { auth } = setUp({
      now,
      store: { ...memory, get },
      apps: (id) => ({ appId: id, appSecret: 'a secret' }),
    })
    const signedIn = await signIn(auth, { openid: 'alice', appId })
    const { id } = await auth.authenticate(signedIn.headers.authorization)
    const header = JSON.stringify({ alg: 'HS256', typ: 'rt+jwt', kid: refreshKey.kid })
    const iat = Math.floor(now() / 1000)
    const claims = { sid: id, gen: 0, aud: appId, iat }
    const refreshWith = (changes: object) => {
      const payload = JSON.stringify({ ...claims, ...changes })
      const refreshToken = forge({ header, payload, key: refreshKey.key })
      return auth.refresh({ refreshToken })
    }

    for (const wrong of [
      { sid: undefined },
      { sid: [id] },
      { gen: undefined },
      { gen: '0' },
      { aud: undefined },
      { aud: [appId] },
      { iat: undefined },
      { iat: String(iat) },
    ]) {
      await expect(refreshWith(wrong)).rejects.toMatchObject({
        code: 'invalid_grant',
        reason: 'unknown',
      })
    }

    expect(reads).toBe(0)
    await expect(refreshWith({})).resolves.toMatchObject({ user_id: signedIn.userId })
  })

  test('an access token with every claim of a refresh token, and the reverse, stays what it is', async () => {
    const { auth } = setUp({ claims: () => ({ gen: 0 }) })
    const { accessToken } = await signIn(auth, { openid: 'alice' })
    const refreshHeader = JSON.stringify({ alg: 'HS256', typ: 'rt+jwt', kid: refreshKey.kid })

    const hybrid = forge({ header: refreshHeader, key: refreshKey.key })

    await expect(auth.refresh({ refreshToken: accessToken })).rejects.toMatchObject({
      reason: 'unknown',
    })
    await expect(auth.authenticate(bearer(hybrid))).rejects.toMatchObject({ code: 'invalid_token' })
  })

  test('every purpose has a key of its own, and no two secrets share one', () => {
    const rings = [
      createKeyRing({ secret: [testSecret] }),
      createKeyRing({ secret: [otherSecret] }),
    ]

    const members = rings.flatMap(({ access, refresh, seal }) => [...access, ...refresh, ...seal])

    expect(new Set(members.map(({ key }) => encode(key))).size).toBe(6)
    expect(new Set(members.map(({ kid }) => kid)).size).toBe(6)
  })
})

test('keys and ids are made of a secret in one way for good, so that an update logs nobody out', () => {
  const { access, refresh, seal, sessionIds } = createKeyRing({ secret: [testSecret] })

  expect([access, refresh, seal].map(([{ kid }]) => kid)).toEqual([
    '85mJs3H265f',
    'qrq1WSZU8V7',
    'jDl3b4u8mbo',
  ])
  expect(sessionIds('wechat', 'wx1', 'code')).toEqual(['uztGw4jz6c5lTZezPcFlQw'])
  expect(sessionIds('cloud_hosting', 'wx1', 'openid')).toEqual(['ZDg_8F3Cq5Sa_hxScCSeDZ'])
})

describe('tokens of another mini program', () => {
  const apps = [
    { appId: 'wx0000000000000001', appSecret: 'secret one' },
    { appId: 'wx0000000000000002', appSecret: 'secret two' },
  ] as const

  test('are refused by a backend that does not serve it, though the secret is the same', async () => {
    const backendA = setUp({ apps: [apps[0]] }).auth
    const backendB = setUp({ apps: [apps[1]] }).auth
    const { headers } = await signIn(backendA, { openid: 'alice' })

    await expect(backendB.authenticate(headers.authorization)).rejects.toMatchObject({
      code: 'invalid_token',
    })
  })

  test('are refused when a look-up by AppID finds nothing', async () => {
    const known = new Set<string>([apps[0].appId])
    const { auth } = setUp({
      apps: (appId) => (known.has(appId) ? { appId, appSecret: 'x' } : undefined),
    })
    const { headers } = await signIn(auth, { openid: 'alice', appId: apps[0].appId })

    known.clear()

    await expect(auth.authenticate(headers.authorization)).rejects.toMatchObject({
      code: 'invalid_token',
    })
  })

  test('get no further than the routes that name it', async () => {
    const { auth } = setUp({ apps })
    const { headers } = await signIn(auth, { openid: 'alice', appId: apps[1].appId })

    const request = auth.authenticate(headers.authorization, { appIds: [apps[0].appId] })

    await expect(request).rejects.toMatchObject({ code: 'insufficient_scope', status: 403 })
    await auth.authenticate(headers.authorization, { appIds: [apps[0].appId, apps[1].appId] })
  })

  test('keep their AppID in the session', async () => {
    const { auth } = setUp({ apps })
    const { headers } = await signIn(auth, { openid: 'alice', appId: apps[1].appId })

    const session = await auth.authenticate(headers.authorization)

    expect(session.appId).toBe(apps[1].appId)
  })
})

describe('a ring of secrets', () => {
  const kidOf = (token: string) =>
    JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString()).kid as unknown

  test('is rotated in three deploys, of which no token takes notice', async () => {
    const store = createMemoryStore({ now: createClock().now })
    const before = setUp({ secret: testSecret, store }).auth
    const appended = setUp({ secret: [testSecret, otherSecret], store }).auth
    const moved = setUp({ secret: [otherSecret, testSecret], store }).auth
    const removed = setUp({ secret: [otherSecret], store }).auth

    const first = await signIn(before, { openid: 'alice' })
    await appended.authenticate(first.headers.authorization)
    const second = await appended.refresh({ refreshToken: first.refreshToken })
    await moved.authenticate(bearer(second.access_token))
    // An instance that has not been deployed anew yet understands what its siblings sign.
    await before.authenticate(bearer(second.access_token))
    const third = await moved.refresh({ refreshToken: second.refresh_token })
    await appended.authenticate(bearer(third.access_token))
    const session = await removed.authenticate(bearer(third.access_token))

    expect(session.userId).toBe(first.userId)
    await expect(removed.refresh({ refreshToken: third.refresh_token })).resolves.toBeDefined()
  })

  test('signs with its first member', async () => {
    const single = await signIn(setUp({ secret: otherSecret }).auth, { openid: 'alice' })

    const token = await signIn(setUp({ secret: [otherSecret, testSecret] }).auth, {
      openid: 'alice',
    })

    expect(kidOf(token.accessToken)).toBe(kidOf(single.accessToken))
    expect(kidOf(token.refreshToken)).toBe(kidOf(single.refreshToken))
  })

  test('refuses the tokens of a member that was removed', async () => {
    const store = createMemoryStore({ now: createClock().now })
    const { headers, refreshToken } = await signIn(setUp({ secret: testSecret, store }).auth, {
      openid: 'alice',
    })

    const { auth } = setUp({ secret: otherSecret, store })

    await expect(auth.authenticate(headers.authorization)).rejects.toMatchObject({
      code: 'invalid_token',
    })
    await expect(auth.refresh({ refreshToken })).rejects.toMatchObject({ reason: 'unknown' })
  })

  test('does not try its other members where the kid names none', async () => {
    const { auth } = setUp({ secret: [testSecret, otherSecret] })
    const [other] = createKeyRing({ secret: [otherSecret] }).access

    const swapped = forge({ key: other.key })
    const unknown = withHeader({ kid: 'AAAAAAAAAAA' })

    await auth.authenticate(
      bearer(forge({ header: JSON.stringify({ ...goodHeader, kid: other.kid }), key: other.key })),
    )
    await expect(auth.authenticate(bearer(swapped))).rejects.toMatchObject({
      code: 'invalid_token',
    })
    await expect(auth.authenticate(bearer(unknown))).rejects.toMatchObject({
      code: 'invalid_token',
    })
  })
})

test('a token needs no other turn of the event loop, whether it was seen before or not', async () => {
  const { auth } = setUp()
  let turns = 0
  const turn = setImmediate(() => turns++)

  await auth.authenticate(bearer(forge()))
  await auth.authenticate(bearer(forge()))

  expect(turns).toBe(0)
  clearImmediate(turn)
})

describe('a token that was verified before', () => {
  /** Counts the look-ups of AppIDs: there is one for each verification that is not remembered. */
  function setUpCounting(options: Partial<AuthOptions> = {}) {
    const counts = { cold: 0 }
    const { auth, clock } = setUp({
      apps: (appId) => {
        counts.cold++
        return { appId, appSecret: 'x' }
      },
      ...options,
    })
    const signInAs = async (openid: string) => {
      const { headers } = await signIn(auth, { openid, appId })
      counts.cold = 0
      return headers.authorization
    }
    return { auth, clock, counts, signInAs }
  }

  test('is not verified again', async () => {
    const { auth, counts, signInAs } = setUpCounting()
    const authorization = await signInAs('alice')

    const first = await auth.authenticate(authorization)
    const second = await auth.authenticate(authorization)

    expect(second).toEqual(first)
    expect(counts.cold).toBe(1)
  })

  test('is verified every time where nothing is to be remembered', async () => {
    const { auth, counts, signInAs } = setUpCounting({ maxVerifiedTokens: 0 })
    const authorization = await signInAs('alice')

    await auth.authenticate(authorization)
    await auth.authenticate(authorization)

    expect(counts.cold).toBe(2)
  })

  test('makes room for a new one when too many are remembered', async () => {
    const { auth, counts, signInAs } = setUpCounting({ maxVerifiedTokens: 2 })
    const tokens = [await signInAs('alice'), await signInAs('bob'), await signInAs('carol')]
    for (const authorization of tokens) await auth.authenticate(authorization)
    const [, , newest] = tokens
    counts.cold = 0

    await auth.authenticate(newest)
    const coldOfNewest = counts.cold
    for (const authorization of tokens) await auth.authenticate(authorization)

    expect(coldOfNewest).toBe(0)
    expect(counts.cold).toBeGreaterThanOrEqual(1)
  })

  test('is found again two times in five where half as many again come round in turn', async () => {
    const { auth, counts } = setUpCounting({ maxVerifiedTokens: 200 })
    const tokens = Array.from({ length: 300 }, (_, n) => bearer(withClaims({ jti: `token-${n}` })))
    const round = async () => {
      for (const authorization of tokens) await auth.authenticate(authorization)
    }
    for (let n = 0; n < 5; n++) await round()
    counts.cold = 0

    for (let n = 0; n < 20; n++) await round()

    const asked = 20 * tokens.length
    expect((asked - counts.cold) / asked).toBeGreaterThan(0.35)
    // No more than were allowed for: of each round the rest has to be verified.
    expect((asked - counts.cold) / asked).toBeLessThan(200 / 300)
  })

  test('is not pushed out by junk', async () => {
    const { auth, counts, signInAs } = setUpCounting({ maxVerifiedTokens: 1 })
    const authorization = await signInAs('alice')
    await auth.authenticate(authorization)

    for (let n = 0; n < 50; n++) {
      const junk = [
        `junk-${n}`,
        forge({ key: new Uint8Array(32).fill(n) }),
        withClaims({ iss: `issuer-${n}` }),
      ]
      for (const token of junk) await auth.authenticate(bearer(token)).catch(() => undefined)
    }
    counts.cold = 0
    await auth.authenticate(authorization)

    expect(counts.cold).toBe(0)
  })

  test('does not vouch for one that shares all but its signature', async () => {
    const { auth, signInAs } = setUpCounting()
    const authorization = await signInAs('alice')
    await auth.authenticate(authorization)

    const at = authorization.lastIndexOf('.') + 1
    const twin =
      authorization.slice(0, at) +
      (authorization[at] === 'A' ? 'B' : 'A') +
      authorization.slice(at + 1)

    await expect(auth.authenticate(twin)).rejects.toMatchObject({ code: 'invalid_token' })
  })

  test('does not vouch for one with the same name and signature', async () => {
    const { auth } = setUpCounting()
    const good = withClaims({ jti: 'the same' })
    await auth.authenticate(bearer(good))
    const [header = '', , signature = ''] = good.split('.')

    const promoted = `${header}.${encode(JSON.stringify({ ...goodClaims, jti: 'the same', sub: 'admin' }))}.${signature}`

    await expect(auth.authenticate(bearer(promoted))).rejects.toMatchObject({
      code: 'invalid_token',
    })
  })

  test('does not vouch for one of the same length with the same signature', async () => {
    const { auth } = setUpCounting()
    const good = withClaims({ sub: 'alice' })
    await auth.authenticate(bearer(good))
    const [header = '', , signature = ''] = good.split('.')

    const other = `${header}.${encode(JSON.stringify({ ...goodClaims, sub: 'admin' }))}.${signature}`

    expect(other).toHaveLength(good.length)
    await expect(auth.authenticate(bearer(other))).rejects.toMatchObject({ code: 'invalid_token' })
    await expect(auth.authenticate(bearer(good))).resolves.toMatchObject({ userId: 'alice' })
  })

  test.each(['bearer ', 'BEARER ', 'Bearer   '])(
    'is not verified again behind %j, which is the same scheme',
    async (scheme) => {
      const { auth, counts, signInAs } = setUpCounting()
      const authorization = await signInAs('alice')
      await auth.authenticate(authorization)
      counts.cold = 0

      await auth.authenticate(authorization.replace('Bearer ', scheme))

      expect(counts.cold).toBe(0)
    },
  )

  test('is refused when the clock is set back to long before its time', async () => {
    const { auth, clock, signInAs } = setUpCounting()
    const authorization = await signInAs('alice')
    await auth.authenticate(authorization)

    clock.advance(-61)

    await expect(auth.authenticate(authorization)).rejects.toMatchObject({ code: 'invalid_token' })
  })

  test('gives every request the same session, which none of them can change', async () => {
    const { auth } = setUp()
    const { headers } = await signIn(auth, {
      openid: 'alice',
      claims: { roles: ['user'], org: { id: 1 } },
    })

    const session = await auth.authenticate(headers.authorization)

    expect(() => Object.assign(session, { userId: 'admin' })).toThrow(TypeError)
    expect(() => Object.assign(session.claims, { roles: ['admin'] })).toThrow(TypeError)
    expect(() => Reflect.get(session.claims, 'roles').push('admin')).toThrow(TypeError)
    expect(() => Object.assign(Reflect.get(session.claims, 'org'), { id: 2 })).toThrow(TypeError)
    expect(await auth.authenticate(headers.authorization)).toMatchObject({
      claims: { roles: ['user'], org: { id: 1 } },
    })
  })
})

describe('revocation', () => {
  function setUpCounting(options: Partial<AuthOptions> = {}) {
    const counts = { get: 0, others: 0, isDown: false }
    const clock = createClock()
    const inner = createMemoryStore({ now: clock.now })
    const other =
      <Args extends unknown[], Result>(call: (...args: Args) => Promise<Result>) =>
      (...args: Args) => {
        counts.others++
        return call(...args)
      }
    const store: SessionStore = {
      create: other(inner.create),
      replace: other(inner.replace),
      delete: other(inner.delete),
      list: other(inner.list),
      get: async (id) => {
        counts.get++
        if (counts.isDown) throw new Error('down')
        return inner.get(id)
      },
    }
    const { auth } = setUp({ store, now: clock.now, ...options })
    const signInAs = async (openid: string) => {
      const signedIn = await signIn(auth, { openid })
      const revoke = async () => {
        await auth.sessions.revoke({ userId: signedIn.userId })
        reset()
      }
      reset()
      return { ...signedIn, authorization: signedIn.headers.authorization, revoke }
    }
    const reset = () => Object.assign(counts, { get: 0, others: 0 })
    return { auth, clock, counts, reset, signInAs }
  }

  test("'expiry' reads no store, and a revoked session works until its access token ends", async () => {
    const { auth, clock, counts, signInAs } = setUpCounting({ revocation: 'expiry' })
    const { authorization, revoke } = await signInAs('alice')
    await revoke()

    for (let n = 0; n < 10; n++) await auth.authenticate(authorization)
    const reads = counts.get
    clock.advance(930)

    await expect(auth.authenticate(authorization)).rejects.toMatchObject({ code: 'invalid_token' })
    expect(reads).toBe(0)
    expect(counts).toMatchObject({ get: 0, others: 0 })
  })

  test("'immediate' reads the store once for each request", async () => {
    const { auth, counts, signInAs } = setUpCounting({ revocation: 'immediate' })
    const { authorization } = await signInAs('alice')

    for (let n = 0; n < 10; n++) await auth.authenticate(authorization)

    expect(counts).toMatchObject({ get: 10, others: 0 })
  })

  test("'immediate' refuses a revoked session at once", async () => {
    const { auth, signInAs } = setUpCounting({ revocation: 'immediate' })
    const { authorization, revoke } = await signInAs('alice')
    await auth.authenticate(authorization)

    await revoke()

    await expect(auth.authenticate(authorization)).rejects.toMatchObject({ code: 'invalid_token' })
  })

  test("'immediate' refuses a session that its own client has ended", async () => {
    const { auth, signInAs } = setUpCounting({ revocation: 'immediate' })
    const { authorization, refreshToken } = await signInAs('alice')
    await auth.authenticate(authorization)

    await auth.logout({ refreshToken })

    await expect(auth.authenticate(authorization)).rejects.toMatchObject({ code: 'invalid_token' })
  })

  test("'immediate' asks no store about a token that is not valid", async () => {
    const { auth, counts } = setUpCounting({ revocation: 'immediate' })

    for (const token of [
      'junk',
      forge({ key: refreshKey.key }),
      withClaims({ exp: startAt - 60 }),
    ]) {
      await expect(auth.authenticate(bearer(token))).rejects.toMatchObject({
        code: 'invalid_token',
      })
    }

    expect(counts.get).toBe(0)
  })

  test('a number of seconds is the time between two reads, whatever the number of requests', async () => {
    const { auth, clock, counts, signInAs } = setUpCounting({ revocation: { staleSeconds: 30 } })
    const { authorization } = await signInAs('alice')

    await Promise.all(Array.from({ length: 20 }, () => auth.authenticate(authorization)))
    clock.advance(29)
    await auth.authenticate(authorization)
    const readsBefore = counts.get
    clock.advance(1)
    await auth.authenticate(authorization)
    await auth.authenticate(authorization)

    expect(readsBefore).toBe(1)
    expect(counts.get).toBe(2)
  })

  test('a number of seconds is how long a revoked session may go on', async () => {
    const { auth, clock, signInAs } = setUpCounting({ revocation: { staleSeconds: 30 } })
    const { authorization, revoke } = await signInAs('alice')
    await auth.authenticate(authorization)
    await revoke()

    clock.advance(29)
    await auth.authenticate(authorization)
    clock.advance(1)

    await expect(auth.authenticate(authorization)).rejects.toMatchObject({ code: 'invalid_token' })
    await expect(auth.authenticate(authorization)).rejects.toMatchObject({ code: 'invalid_token' })
  })

  test('a clock that is set back does not make what was read hold for longer', async () => {
    const { auth, clock, signInAs } = setUpCounting({ revocation: { staleSeconds: 30 } })
    const { authorization, revoke } = await signInAs('alice')
    await auth.authenticate(authorization)
    await revoke()

    clock.advance(-40)

    await expect(auth.authenticate(authorization)).rejects.toMatchObject({ code: 'invalid_token' })
  })

  test('sessions are read apart from each other', async () => {
    const { auth, counts, reset, signInAs } = setUpCounting({ revocation: { staleSeconds: 30 } })
    const alice = await signInAs('alice')
    const bob = await signInAs('bob')
    reset()
    await alice.revoke()

    await expect(auth.authenticate(alice.authorization)).rejects.toMatchObject({
      code: 'invalid_token',
    })
    await auth.authenticate(bob.authorization)

    expect(counts.get).toBe(2)
  })

  test.each(['expiry', 'immediate', { staleSeconds: 30 }] as const)(
    'a fresh route reads the store once for each request, with %o',
    async (revocation) => {
      const { auth, counts, signInAs } = setUpCounting({ revocation })
      const { authorization, revoke } = await signInAs('alice')
      await auth.authenticate(authorization)
      counts.get = 0

      await auth.authenticate(authorization, { fresh: true })
      await auth.authenticate(authorization, { fresh: true })
      const reads = counts.get
      await revoke()

      await expect(auth.authenticate(authorization, { fresh: true })).rejects.toMatchObject({
        code: 'invalid_token',
      })
      expect(reads).toBe(2)
    },
  )

  test('what a fresh route learns holds for the others', async () => {
    const { auth, signInAs } = setUpCounting({ revocation: { staleSeconds: 30 } })
    const { authorization, revoke } = await signInAs('alice')
    await auth.authenticate(authorization)
    await revoke()

    await auth.authenticate(authorization, { fresh: true }).catch(() => undefined)

    await expect(auth.authenticate(authorization)).rejects.toMatchObject({ code: 'invalid_token' })
  })

  test.each(['immediate', { staleSeconds: 30 }] as const)(
    'a store that is down makes a request wait, and logs nobody out, with %o',
    async (revocation) => {
      const { auth, counts, signInAs } = setUpCounting({ revocation })
      const { authorization } = await signInAs('alice')

      counts.isDown = true
      const whileDown = auth.authenticate(authorization)
      await expect(whileDown).rejects.toMatchObject({ code: 'store_unavailable', status: 503 })
      counts.isDown = false

      await expect(auth.authenticate(authorization)).resolves.toMatchObject({ appId })
    },
  )
})

describe('the rule of a route', () => {
  test('sees the session, and refuses with 403', async () => {
    const { auth } = setUp<{ role: string }>()
    const admin = await signIn(auth, { openid: 'alice', claims: { role: 'admin' } })
    const user = await signIn(auth, { openid: 'bob', claims: { role: 'user' } })
    const allow = async ({ claims }: { claims: { role: string } }) => claims.role === 'admin'

    await auth.authenticate(admin.headers.authorization, { allow })

    const refused = auth.authenticate(user.headers.authorization, { allow })
    await expect(refused).rejects.toMatchObject({ code: 'insufficient_scope', status: 403 })
  })

  test('is not asked about a token that is not valid', async () => {
    const { auth } = setUp()
    let asked = 0
    const allow = () => {
      asked++
      return true
    }

    await auth.authenticate(bearer('junk'), { allow }).catch(() => undefined)
    await auth.authenticate(undefined, { allow, optional: true })

    expect(asked).toBe(0)
  })

  test('lets a request without a header pass where the session is optional, and no bad one', async () => {
    const { auth } = setUp()

    expect(await auth.authenticate(undefined, { optional: true })).toBeUndefined()

    for (const authorization of ['', 'Bearer', 'Bearer junk', 'Basic dXNlcjpwYXNz']) {
      const request = auth.authenticate(authorization, { optional: true })
      await expect(request).rejects.toMatchObject({ code: 'invalid_token' })
    }
  })
})

describe('an Authorization header', () => {
  test.each<[string, (token: string) => string]>([
    ['in the usual spelling', (token) => `Bearer ${token}`],
    ['in small letters', (token) => `bearer ${token}`],
    ['in capitals', (token) => `BEARER ${token}`],
    ['with more blanks before the token', (token) => `Bearer   ${token}`],
    ['with blanks behind the token', (token) => `bearer ${token}  `],
  ])('%s is read', async (_, spell) => {
    const { auth } = setUp()
    const { accessToken, userId } = await signIn(auth, { openid: 'alice' })

    expect(await auth.authenticate(spell(accessToken))).toMatchObject({ userId })
  })

  test.each<[string, (token: string) => string]>([
    ['of another scheme', (token) => `Digest ${token}`],
    ['of a scheme that ends like ours', (token) => `MyBearer  ${token}`],
    ['of no scheme', (token) => token],
    ['without a blank', (token) => `Bearer${token}`],
    ['with a tab', (token) => `Bearer\t${token}`],
    ['with a comma', (token) => `Bearer  ${token},`],
    ['with two tokens', (token) => `Bearer ${token} ${token}`],
    ['that was sent twice', (token) => `Bearer ${token}, Bearer ${token}`],
  ])('%s is a 401', async (_, spell) => {
    const { auth } = setUp()
    const { accessToken } = await signIn(auth, { openid: 'alice' })

    await expect(auth.authenticate(spell(accessToken))).rejects.toMatchObject({
      code: 'invalid_token',
      status: 401,
    })
  })

  test('that is missing is a 401 by default', async () => {
    const { auth } = setUp()

    await expect(auth.authenticate(undefined)).rejects.toMatchObject({ code: 'invalid_token' })
  })

  test('that is missing may be null, which Headers.get gives', async () => {
    const { auth } = setUp()
    // What JavaScript may pass.
    const missing = new Headers().get('authorization') as unknown as undefined

    await expect(auth.authenticate(missing)).rejects.toMatchObject({ code: 'invalid_token' })
    expect(await auth.authenticate(missing, { optional: true })).toBeUndefined()
  })
})

test('guard gives an adapter the session, or the answer to send', async () => {
  const { auth } = setUp()
  const { headers, userId } = await signIn(auth, { openid: 'alice' })

  const passed = await auth.guard(headers.authorization)
  const refused = await auth.guard('Bearer junk')
  const anonymous = await auth.guard(undefined, { optional: true })

  expect(passed).toMatchObject({ session: { userId } })
  expect(refused).toMatchObject({
    response: { status: 401, headers: { 'www-authenticate': 'Bearer error="invalid_token"' } },
  })
  expect(anonymous).toEqual({ session: undefined })
})

test('the session comes from the token alone', async () => {
  const { auth } = setUp()
  const { userId, headers } = await signIn(auth, { openid: 'alice' })
  const { refreshToken } = await signIn(auth, { openid: 'bob' })

  await auth.refresh({ refreshToken, idempotencyKey: newKey() })

  const session = await auth.authenticate(headers.authorization)
  expect(session.userId).toBe(userId)
})

test('a token that cannot be made leaves nothing behind that passes for one', () => {
  const make = () =>
    createAuth({
      apps: [{ appId, appSecret: 'x' }],
      secret: testSecret,
      accessTtlSeconds: Number.NaN,
    })

  expect(make).toThrow(TypeError)
})
