import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createContext, runInContext } from 'node:vm'
import { gzipSync } from 'node:zlib'
import type { Backend } from '@wxlogin/client/backend'
import type * as full from '@wxlogin/client/full'
import { createFakeWx } from '@wxlogin/client/testing'
import { transform } from 'esbuild'
import { build } from 'tsup'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { miniprogram } from '../tsup.config.js'
import { createBackend } from './backend.js'
import { baseUrl } from './set-up.js'

const entries = ['index', 'full', 'backend', 'explain'] as const
const clients = ['index', 'full'] as const
// The same as in `.ci/size.mjs`.
const budgets = { index: 4_945, full: 7_765, backend: 1_400, explain: 4_096 }
const folder = mkdtempSync(join(tmpdir(), 'wxlogin-bundle-'))
const codes = { index: '', full: '', backend: '', explain: '' }

beforeAll(async () => {
  for (const options of miniprogram) {
    const [name = ''] = Object.keys(options.entry ?? {})
    await build({
      ...options,
      config: false,
      silent: true,
      entry: { [name]: fileURLToPath(new URL(`../src/${name}.ts`, import.meta.url)) },
      tsconfig: fileURLToPath(new URL('../tsconfig.json', import.meta.url)),
      outDir: folder,
    })
  }
  for (const name of entries) codes[name] = readFileSync(join(folder, `${name}.js`), 'utf8')
})

afterAll(() => {
  rmSync(folder, { recursive: true })
})

/** Whether there is nothing in it that a compiler for ES2015 would have to translate. */
async function isEs2015(source: string): Promise<boolean> {
  const latest = await transform(source, { charset: 'utf8', target: 'esnext' })
  const translated = await transform(source, { charset: 'utf8', target: 'es2015' })
  return latest.code === translated.code
}

/** The bundle, loaded where there is nothing but these and the language. */
function load(name: keyof typeof codes, globals: object): typeof full {
  const exports = {} as typeof full
  runInContext(codes[name], createContext({ ...globals, exports }))
  return exports
}

/** A phone with a backend, and the bundle on it. */
function setUp(name: keyof typeof codes) {
  const backend = createBackend()
  const { wechat, network, handshake } = backend
  const wx = createFakeWx({ wechat, network, handshake })
  return { backend, wx, ...load(name, { wx, setTimeout, clearTimeout }) }
}

test.each([
  'a ** b',
  'async () => {}',
  '({ ...a })',
  'try {} catch {}',
  'a?.b',
  'a ?? b',
  'class A { b = 1 }',
  '/(?<name>a)/',
])('%s is noticed as newer than ES2015', async (newer) => {
  expect(await isEs2015(newer)).toBe(false)
})

describe.each(entries)('%s.js', (name) => {
  test('is ES2015', async () => {
    expect(await isEs2015(codes[name])).toBe(true)
  })

  test('is one file, and needs nothing that phones do not have', () => {
    expect(codes[name]).not.toMatch(/\b(require|import)\s*\(/)
    expect(codes[name]).not.toMatch(
      /\b(process|Buffer|globalThis|window|URL|fetch|Proxy|eval|Function)\b/,
    )
    expect(codes[name]).not.toMatch(
      /\.(finally|includes|entries|values|hasOwn|padStart|getOwnPropertyDescriptors)\b/,
    )
  })

  test('keeps to its budget by gzip -9, without a file name', () => {
    expect(gzipSync(codes[name], { level: 9 }).length).toBeLessThanOrEqual(budgets[name])
  })
})

describe.each(clients)('%s.js', (name) => {
  test('touches nothing when it is loaded', () => {
    expect(Object.keys(load(name, {})).sort()).toEqual(['ClientError', 'createClient'])
  })

  test('works where there is nothing but wx, timers and the language', async () => {
    const { createClient, ClientError } = setUp(name)
    const client = createClient({ baseUrl, loginTimeoutMs: 5_000 })

    const { data } = await client.request<{ user: string }>({ url: '/orders' })
    await client.logout()
    const error = await client.request({ url: '/orders' }).catch((error) => error)

    expect(data.user).toBe('user-1')
    expect(error).toBeInstanceOf(ClientError)
    expect(error).toMatchObject({ code: 'signed_out', reason: 'logout' })
  })

  test.each([
    ['baseUrl', { baseUrl: 'api.example.com' }],
    ['timeoutMs', { timeoutMs: Number.NaN }],
    ['loginTimeoutMs', { loginTimeoutMs: Number.NaN }],
    ['loginTimeoutMs', { loginTimeoutMs: 20_001 }],
  ])('a wrong %s still throws after minifying', (option, wrong) => {
    const { createClient } = setUp(name)

    expect(() => createClient({ baseUrl, ...wrong } as full.ClientOptions)).toThrow(option)
  })
})

test('full.js carries the login on every transport', async () => {
  const { backend, wx, createClient } = setUp('full')
  wx.control.files.set('a', 'pixels')
  const trustedOrigins = [{ env: 'prod-1', service: 'shop' }]
  const client = createClient({ baseUrl, trustedOrigins })

  const { data } = await client.uploadFile<{ user: string }>({
    url: '/a',
    filePath: 'a',
    name: 'a',
  })
  const { statusCode } = await client.downloadFile({ url: '/a' })
  await client.connectSocket({ url: '/ws' })
  const called = await client.callContainer<{ user: string }>({
    path: '/a',
    service: 'shop',
    config: { env: 'prod-1' },
  })
  const code = backend.phoneCode({ number: '138', movesTo: 'user-9' })
  const { phoneNumber, session } = await client.bindPhone({ detail: { code } })

  expect([data.user, statusCode, called.data.user]).toEqual(['user-1', 200, 'user-1'])
  expect(wx.control.sockets[0]?.header.authorization).toBe('Bearer access-1-session1')
  expect([phoneNumber, session?.userId]).toEqual(['138', 'user-9'])
})

test('backend.js lets both speak to a backend with a login of its own', async () => {
  const exports = {} as typeof import('@wxlogin/client/backend')
  runInContext(codes.backend, createContext({ exports }))

  for (const name of clients) {
    const { wx, createClient } = setUp(name)
    wx.control.onRequest('/auth', { respond: { statusCode: 200, data: { token: 't-1' } } })
    wx.control.onRequest('/orders', { respond: { statusCode: 200, data: [] } })
    const backend: Backend<{ token: string }> = {
      login: ({ code }) => ({ url: '/auth', data: { code } }),
      tokens: ({ data }) => ({ accessToken: data.token }),
    }
    const client = createClient({
      baseUrl,
      wx: exports.createTranslator({ wx, baseUrl, backend }),
    })

    await client.request({ url: '/orders' })

    expect(wx.control.requests.map(({ url }) => url)).toEqual([
      `${baseUrl}/auth`,
      `${baseUrl}/orders`,
    ])
    expect(wx.control.requests[1]?.header.authorization).toBe('Bearer t-1')
  }
})

test('explain.js explains the errors of both', async () => {
  const exports = {} as typeof import('@wxlogin/client/explain')
  runInContext(codes.explain, createContext({ exports }))

  for (const name of clients) {
    const { createClient } = setUp(name)
    const client = createClient({ baseUrl })
    await client.logout()
    const error = await client.request({ url: '/orders' }).catch((error) => error)

    expect(exports.explain(error).en).toBe('You are signed out. Please sign in')
  }
})

test.each(
  ['README.md', 'README.zh-CN.md'].flatMap((readme) =>
    entries.map((name) => [readme, name] as const),
  ),
)('%s tells the size of %s.js', (readme, name) => {
  const text = readFileSync(new URL(`../${readme}`, import.meta.url), 'utf8')

  const [, bytes] = new RegExp(`miniprogram_dist/${name}\\.js: (\\d+) bytes gzip`).exec(text) ?? []

  // The zlib of each Node compresses a few bytes more or less.
  const size = gzipSync(codes[name], { level: 9 }).length
  expect(Math.abs(Number(bytes) - size)).toBeLessThan(32)
})
