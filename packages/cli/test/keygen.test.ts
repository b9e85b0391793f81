import { randomUUID } from 'node:crypto'
import { parseEnv } from 'node:util'
import { createAuth, weaknessOf } from '@wxlogin/server'
import { createFakeWeChat } from '@wxlogin/server/testing'
import { createLocalJWKSet, jwtVerify } from 'jose'
import { describe, expect, test } from 'vitest'
import { readWebhookSecret } from '../src/serve/webhook-signature.js'
import { wxlogin } from './set-up.js'

async function environmentOf(...args: readonly string[]): Promise<NodeJS.Dict<string>> {
  const { exit, out } = await wxlogin(['keygen', ...args])
  expect(exit).toBe(0)
  return parseEnv(out)
}

function backendWith(options: Partial<Parameters<typeof createAuth>[0]>) {
  const wechat = createFakeWeChat()
  const auth = createAuth({
    apps: [wechat.app],
    secret: 'Zb3vK9qR1tXw7LmN5pYc2HdJ8sFgA4eU6oTiVnQkBx0',
    fetch: wechat.fetch,
    onEvent: () => {},
    ...options,
  })
  const login = () => auth.login({ code: wechat.codeFor('alice'), idempotencyKey: randomUUID() })
  return { auth, login, appId: wechat.app.appId }
}

test('a secret starts a backend, which logs users in', async () => {
  const { WXLOGIN_SECRET = '' } = await environmentOf()

  const { auth, login } = backendWith({ secret: WXLOGIN_SECRET })

  const { access_token } = await login()
  expect((await auth.authenticate(`Bearer ${access_token}`)).userId).toMatch(/./)
  expect(weaknessOf(WXLOGIN_SECRET)).toBeUndefined()
})

test.each([
  ['into a file that does not end its last line', 'WX_APP_SECRET=d1f3'],
  ['into one that does', 'WX_APP_SECRET=d1f3\n'],
])('appended %s, nothing else is lost', async (_, before) => {
  const { out } = await wxlogin(['keygen'], { isAppending: before !== '' })

  const { WX_APP_SECRET, WXLOGIN_SECRET = '' } = parseEnv(`${before}${out}\n`)

  expect(WX_APP_SECRET).toBe('d1f3')
  expect(WXLOGIN_SECRET).toMatch(/^[\w-]{64}$/)
})

test('each is another one', async () => {
  expect(await environmentOf()).not.toEqual(await environmentOf())
})

test.each([[['--jwk']], [['--jwk', '--json']], [['--jwk', '--lang', 'zh']]])(
  'a pair without a name is for ES256: %j',
  async (args) => {
    const { exit, out } = await wxlogin(['keygen', ...args])

    expect(exit).toBe(0)
    const printed = args.includes('--json') ? out : (parseEnv(out).WXLOGIN_PUBLIC_KEY ?? '')
    const { publicKey = JSON.parse(printed) } = JSON.parse(printed)
    expect(publicKey).toMatchObject({ kty: 'EC', crv: 'P-256', alg: 'ES256' })
  },
)

describe.each(['ES256', 'EdDSA', 'RS256'])('a pair for %s', (alg) => {
  test('signs tokens that others verify by /jwks.json, by its kid', async () => {
    const { WXLOGIN_KEY = '', WXLOGIN_PUBLIC_KEY = '' } = await environmentOf('--jwk', alg)
    const { auth, login, appId } = backendWith({ signingKeys: [JSON.parse(WXLOGIN_KEY)] })
    const { access_token } = await login()

    const { body } = await auth.handle({
      method: 'GET',
      path: '/jwks.json',
      header: () => undefined,
      body: undefined,
    })

    const published = JSON.parse(body ?? '')
    const { protectedHeader, payload } = await jwtVerify(
      access_token,
      createLocalJWKSet(published),
      {
        audience: appId,
        typ: 'at+jwt',
      },
    )
    expect(payload.sub).toMatch(/./)
    const publicKey = JSON.parse(WXLOGIN_PUBLIC_KEY)
    expect(protectedHeader).toMatchObject({ alg, kid: publicKey.kid })
    expect(published.keys).toEqual([publicKey])
  })

  test('its public part verifies and does not sign', async () => {
    const { WXLOGIN_KEY = '', WXLOGIN_PUBLIC_KEY = '' } = await environmentOf('--jwk', alg)
    const signing = backendWith({ signingKeys: [JSON.parse(WXLOGIN_KEY)] })
    const verifying = backendWith({ signingKeys: [JSON.parse(WXLOGIN_PUBLIC_KEY)] })

    const { access_token } = await signing.login()

    expect(await verifying.auth.authenticate(`Bearer ${access_token}`)).toMatchObject({
      appId: signing.appId,
    })
    expect(WXLOGIN_PUBLIC_KEY).not.toMatch(/"(?:d|p|q|dp|dq|qi)":/)
    const { access_token: ofVerifying } = await verifying.login()
    await expect(signing.auth.authenticate(`Bearer ${ofVerifying}`)).resolves.toBeTruthy()
    expect(
      JSON.parse(Buffer.from(ofVerifying.split('.')[0] ?? '', 'base64url').toString()).alg,
    ).toBe('HS256')
  })
})

test('a secret for webhooks is one that wxlogin serve takes', async () => {
  const { WXLOGIN_WEBHOOKS_SECRET = '' } = await environmentOf('--webhook')
  const { WXLOGIN_WEBHOOKS_SECRET: another } = await environmentOf('--webhook')

  expect(readWebhookSecret(WXLOGIN_WEBHOOKS_SECRET)).toHaveLength(32)
  expect(another).not.toBe(WXLOGIN_WEBHOOKS_SECRET)
  expect((await wxlogin(['keygen', '--webhook', '--json'])).json()).toMatchObject({
    webhookSecret: expect.stringMatching(/^whsec_/),
    rotation: { length: 4 },
  })
  expect(await wxlogin(['keygen', '--webhook', '--jwk', 'ES256'])).toMatchObject({
    exit: 2,
    err: 'wxlogin: Choose one of --jwk and --webhook',
  })
})

test('a key for the admin API is one that nobody guesses', async () => {
  const { WXLOGIN_ADMIN_KEY = '', ...others } = await environmentOf('--admin')

  expect(weaknessOf(WXLOGIN_ADMIN_KEY)).toBeUndefined()
  expect(others).toEqual({})
})

test('how to rotate is said beside it, and with --json in it', async () => {
  const { out, err } = await wxlogin(['keygen'])
  const json = (await wxlogin(['keygen', '--jwk', 'ES256', '--json'])).json()

  expect(out.split('\n')).toHaveLength(1)
  expect(err).toMatch(
    /1\. secret: \[old, new\].*\n.*2\. secret: \[new, old\].*\n.*3\. secret: \[new\]/,
  )
  expect(json).toMatchObject({
    privateKey: { kid: json.publicKey.kid, d: expect.any(String) },
    publicKey: { kty: 'EC', alg: 'ES256', use: 'sig' },
    rotation: { length: 4 },
  })
})
