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
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { miniprogram } from '../tsup.config.js'
import { createBackend } from './backend.js'
import { baseUrl } from './set-up.js'

const budgets = { index: 3_072, full: 4_608 }
const entries = ['index', 'full'] as const

const folder = mkdtempSync(join(tmpdir(), 'wxlogin-bundle-'))
const codeOf = (entry: (typeof entries)[number]) =>
  readFileSync(join(folder, `${entry}.js`), 'utf8')

beforeAll(async () => {
  for (const options of miniprogram) {
    const [name] = Object.keys(options.entry ?? {})
    await build({
      ...options,
      config: false,
      silent: true,
      entry: { [`${name}`]: fileURLToPath(new URL(`../src/${name}.ts`, import.meta.url)) },
      tsconfig: fileURLToPath(new URL('../tsconfig.json', import.meta.url)),
      outDir: folder,
    })
  }
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

describe.each(entries)('%s.js', (entry) => {
  test('is ES2015', async () => {
    expect(await isEs2015(codeOf(entry))).toBe(true)
  })

  test('needs nothing that phones do not have, and no other file', () => {
    const code = codeOf(entry)

    expect(code).not.toMatch(/\brequire\s*\(/)
    expect(code).not.toMatch(/\b(process|Buffer|globalThis|window|URL|fetch|Proxy|eval|Function)\b/)
    expect(code).not.toMatch(
      /\.(finally|includes|entries|values|padStart|getOwnPropertyDescriptors)\b/,
    )
  })

  test('keeps to its budget by gzip -9', () => {
    expect(gzipSync(codeOf(entry), { level: 9 }).length).toBeLessThanOrEqual(budgets[entry])
  })

  test.each(['README.md', 'README.zh-CN.md'])('has the size that stands in %s', (name) => {
    const readme = readFileSync(new URL(`../${name}`, import.meta.url), 'utf8')

    const size = new RegExp(`miniprogram_dist/${entry}\\.js: (\\d+) bytes gzip`)
    const [, bytes] = size.exec(readme) ?? []

    // The README says what the program gzip makes of it; the library of each Node differs by a few bytes.
    expect(Math.abs(Number(bytes) - gzipSync(codeOf(entry), { level: 9 }).length)).toBeLessThan(32)
  })

  test('touches nothing while it is loaded', () => {
    const context = createContext({ exports: {} })

    runInContext(codeOf(entry), context)

    expect(Object.keys(context).sort()).toEqual(['exports'])
  })

  test('works where there is nothing but wx, timers and the language', async () => {
    const backend = createBackend()
    const wx = createFakeWx({ wechat: backend.wechat, network: backend.network })
    const { createClient, ClientError, ...others } = load(codeOf(entry), {
      wx,
      setTimeout,
      clearTimeout,
    })
    const client = createClient({ baseUrl, loginTimeoutMs: 5_000 })

    const { data } = await client.request<{ user: string }>({ url: '/orders' })
    await client.logout()
    const error = await client.request({ url: '/orders' }).catch((error) => error)

    expect(data.user).toBe('user-1')
    expect(error).toBeInstanceOf(ClientError)
    expect(error).toMatchObject({ code: 'signed_out', reason: 'logout' })
    expect(others).toEqual({})
  })
})

/** Runs a bundle in a world that has these globals and the language, and gives what it exports. */
function load(code: string, globals: object): typeof library {
  const exports: Partial<typeof library> = {}
  runInContext(code, createContext({ ...globals, exports }))
  const { createClient, ClientError } = exports
  if (!createClient || !ClientError) throw new Error('the bundle exports nothing')
  return { ...exports, createClient, ClientError }
}
