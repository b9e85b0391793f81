import { expect, test } from 'vitest'
import { createMask } from '../src/mask.js'

const jwt = `eyJhbGciOiJIUzI1NiJ9.${'eyJzdWIiOiIxIn0'.repeat(4)}.sVt5mM2c1yqQ0Zl3dPq_-xyz`
const openid = 'oGZUI0egBJY1zhBYw2KhdUfwVJJE'
const sessionKey = 'HyVFkGl5F5OQWJZZaNzBBg=='
const code = '0a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P'
const appSecret = '0123456789abcdef0123456789abcdef'
const phoneNumber = '13800138000'
const accessToken = `57_${'Abc-1_'.repeat(23)}`

const secrets = { jwt, openid, sessionKey, code, appSecret, phoneNumber, accessToken }
const body = (value: unknown, type = 'application/json') =>
  createMask().body(Buffer.from(JSON.stringify(value)), type)

test.each(Object.entries(secrets))('%s is masked under a name that says nothing', (_, secret) => {
  const mask = createMask()

  const shown = [
    mask.text(`before ${secret} after`),
    mask.url(`/a/${encodeURIComponent(secret)}?b=${encodeURIComponent(secret)}`),
    body({ a: [secret], [secret]: 1, deep: { b: `x ${secret}` } }),
    body({ rawData: JSON.stringify({ a: secret }) }),
    mask.body(Buffer.from(`<p>${secret}</p>`), 'text/html'),
    mask.body(Buffer.from(`a=${encodeURIComponent(secret)}`), 'application/x-www-form-urlencoded'),
    JSON.stringify(mask.headers({ 'x-a': secret, 'x-b': ['1', secret] })),
  ].join('\n')

  expect(shown).not.toContain(secret)
  expect(shown).not.toContain(secret.slice(2, 14))
})

test.each([
  'code',
  'js_code',
  'secret',
  'session_key',
  'refreshToken',
  'openId',
  'phone_number',
  'password',
  'signature',
  'encryptedData',
  'iv',
])('a short %s is masked for its name', (name) => {
  expect(body({ [name]: 'xyz' })).not.toContain('xyz')
  expect(createMask().url(`/?${name}=xyz`)).not.toContain('xyz')
})

test('a phone number is masked as a number, too', () => {
  expect(body({ a: 13_800_138_000 })).not.toContain(phoneNumber)
  expect(body({ phone: 25_551_234 })).not.toContain('25551234')
})

test('the headers that carry secrets show only how they are used', () => {
  const shown = createMask().headers({
    authorization: `Bearer ${jwt}`,
    cookie: 'sid=abc',
    'idempotency-key': '1-2',
    'x-wx-openid': 'xyz',
  })

  expect(shown.authorization).toMatch(/^Bearer •••#[0-9a-f]{4}$/)
  expect(shown.cookie).toMatch(/^•••#[0-9a-f]{4}$/)
  expect(shown['idempotency-key']).toMatch(/^•••#/)
  expect(shown['x-wx-openid']).toMatch(/^•••#/)
})

test('the same value looks the same wherever it stands, and other values do not', () => {
  const mask = createMask()

  const { authorization } = mask.headers({ authorization: `Bearer ${jwt}` })
  const shown = mask.body(Buffer.from(JSON.stringify({ access_token: jwt })), 'application/json')

  expect(shown).toContain(authorization?.replace('Bearer ', ''))
  expect(mask.text(code)).not.toBe(mask.text(appSecret))
  expect(createMask().text(code)).not.toBe(mask.text(code))
})

test('what helps to understand is shown', () => {
  const readable = {
    errcode: 40163,
    errmsg: 'code been used, rid: 5f0c1a2b-0a1b2c3d-4e5f6a7b',
    error: 'invalid_token',
    error_description: 'The access token has expired; refresh it',
    expires_in: 900,
    app_id: 'wx0000000000000001',
    user_id: '1',
    id: '123e4567-e89b-42d3-a456-426614174000',
    createdAt: 1_764_300_000,
    atMs: 1_764_300_000_000,
    data: { name: '小明' },
    country_code: '86',
  }

  expect(JSON.parse(body(readable) ?? '')).toEqual(readable)
})

test('WeChat’s JSON is read as such, though it says text/plain', () => {
  expect(body({ session_key: 'xyz', openid: 'uvw' }, 'text/plain')).not.toMatch(/xyz|uvw/)
})

test('what is no text is not shown', () => {
  expect(createMask().body(Buffer.from([0, 1, 2, 255]), 'image/png')).toBeUndefined()
})

test('64 KiB of anything are masked in a moment', () => {
  const startedAt = performance.now()

  for (const text of ['a', '-', 'a-', '1.', '+/', 'aB3', 'a=']) {
    createMask().text(text.repeat(65_536 / text.length))
  }

  expect(performance.now() - startedAt).toBeLessThan(1_000)
})
