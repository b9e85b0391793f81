import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createContext, runInContext } from 'node:vm'
import { gzipSync } from 'node:zlib'
import type * as library from '@wxlogin/client'
import { createFakeWx } from '@wxlogin/client/testing'
import { transform } from 'esbuild'
import { build } from 'tsup'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { miniprogram } from '../tsup.config.js'
import { createBackend } from './backend.js'
import { baseUrl } from './set-up.js'

const folder = mkdtempSync(join(tmpdir(), 'wxlogin-bundle-'))
let code = ''

beforeAll(async () => {
  await build({
    ...miniprogram,
    config: false,
    silent: true,
    entry: { index: fileURLToPath(new URL('../src/index.ts', import.meta.url)) },
    tsconfig: fileURLToPath(new URL('../tsconfig.json', import.meta.url)),
    outDir: folder,
  })
  code = readFileSync(join(folder, 'index.js'), 'utf8')
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

test('the bundle is ES2015', async () => {
  expect(await isEs2015(code)).toBe(true)
})

test('the bundle needs nothing that phones do not have', () => {
  expect(code).not.toMatch(/\brequire\s*\(/)
  expect(code).not.toMatch(/\b(process|Buffer|globalThis|window|URL|fetch|Proxy|eval|Function)\b/)
  expect(code).not.toMatch(
    /\.(finally|includes|entries|values|padStart|getOwnPropertyDescriptors)\b/,
  )
})

test('the bundle is at most 3,072 bytes by gzip -9', () => {
  expect(gzipSync(code, { level: 9 }).length).toBeLessThanOrEqual(3_072)
})

test.each(['README.md', 'README.zh-CN.md'])('the size in %s is the size', (name) => {
  const readme = readFileSync(new URL(`../${name}`, import.meta.url), 'utf8')

  const [, bytes] = /miniprogram_dist\/index\.js: (\d+) bytes gzip/.exec(readme) ?? []

  // The README says what the program gzip makes of it; the library of each Node differs by a few bytes.
  expect(Math.abs(Number(bytes) - gzipSync(code, { level: 9 }).length)).toBeLessThan(32)
})

test('the bundle works where there is nothing but wx, timers and the language', async () => {
  const backend = createBackend()
  const wx = createFakeWx({ wechat: backend.wechat, network: backend.network })
  const exports: Partial<typeof library> = {}
  const context = createContext({ wx, setTimeout, clearTimeout, exports })
  runInContext(code, context)
  const { createClient, ClientError } = exports
  if (!createClient || !ClientError) throw new Error('the bundle exports nothing')
  const client = createClient({ baseUrl, loginTimeoutMs: 5_000 })

  const { data } = await client.request<{ user: string }>({ url: '/orders' })
  await client.logout()
  const error = await client.request({ url: '/orders' }).catch((error) => error)

  expect(data.user).toBe('user-1')
  expect(error).toBeInstanceOf(ClientError)
  expect(error).toMatchObject({ code: 'signed_out', reason: 'logout' })
  expect(Object.keys(exports).sort()).toEqual(['ClientError', 'createClient'])
})
