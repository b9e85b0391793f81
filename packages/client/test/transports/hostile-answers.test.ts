import { fileURLToPath } from 'node:url'
import { createContext, Script } from 'node:vm'
import { build } from 'esbuild'
import { beforeAll, expect, test, vi } from 'vitest'
import { json } from '../backend.js'
import { outcomes, setUp } from '../set-up.js'

// A phone has one thread: what anybody can send must not stop it. Megabytes in place of the 49 kB that a header can have,
// so that one pass over the text takes a moment and one pass for each of its characters would take hours.
const length = 4_000_000
/** Only ends what hangs. */
const timeoutMs = 20_000

const texts = {
  'a word over and over': 'bearer'.repeat(length / 6),
  'the name over and over': 'error '.repeat(length / 6),
  'the name and spaces': `error${' '.repeat(length)}`,
  'the name, = and spaces': `error=${' '.repeat(length)}x`,
  'challenges without an end': 'Bearer error = "invalid_toke'.repeat(length / 28),
  'quotes and commas': 'Bearer realm="x", '.repeat(length / 18),
  'separators that a text is parsed for': `{"error":"${'\u2028 '.repeat(length / 2)}`,
}

const places = {
  'a header': (text: string) => ({ header: { 'WWW-Authenticate': text }, data: 'no' }),
  'a body': (text: string) => ({ header: {}, data: { error: text } }),
  'a body that is a text': (text: string) => ({ header: {}, data: text }),
}

const requests = {
  'to who sent a token': { url: '/orders' },
  'to who sent none': { url: '/orders', auth: false },
  'from another host': { url: 'https://elsewhere.example.com/orders' },
}

let code = ''

beforeAll(async () => {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL('../../src/index.ts', import.meta.url))],
    alias: {
      '@wxlogin/shared': fileURLToPath(new URL('../../../shared/src/index.ts', import.meta.url)),
    },
    bundle: true,
    write: false,
    format: 'iife',
    globalName: 'client',
    target: 'es2015',
  })
  code = outputFiles[0]?.text ?? ''
})

/** One request in a world whose promises run within the call, so that an engine that is stuck in it is stopped. */
function askFor(request: object, answer: object): unknown {
  const world = createContext(
    { request, answer, setTimeout: () => 0, clearTimeout: () => {} },
    {
      microtaskMode: 'afterEvaluate',
    },
  )
  const play = new Script(`${code}
    let aheadMs = 0
    const { now } = Date
    Date.now = () => now() + aheadMs
    const tokens = {
      access_token: 'access', refresh_token: 'refresh', token_type: 'Bearer', user_id: 'user-1',
      expires_in: 900, refresh_expires_in: 900,
    }
    const stored = {}
    const { createClient } = client
    const phone = createClient({
      baseUrl: 'https://api.example.com',
      appId: 'wx0000000000000001',
      wx: {
        login: ({ success }) => success({ code: 'code' }),
        request({ url, success }) {
          const isLogin = url.endsWith('/login')
          success(isLogin ? { statusCode: 200, header: {}, data: tokens } : answer)
        },
        getStorageSync: (key) => stored[key],
        setStorageSync: (key, value) => { stored[key] = value },
        removeStorageSync: (key) => { delete stored[key] },
      },
    })
    var outcome = 'hung'
    phone.login()
      .then(() => {
        aheadMs = 30_000
        return phone.request(request)
      })
      .then(() => { outcome = 'ok' }, (error) => { outcome = error.code })
  `)
  play.runInContext(world, { timeout: timeoutMs })
  return world.outcome
}

const rows = Object.keys(texts).flatMap((what) =>
  Object.keys(places).flatMap((where) => Object.keys(requests).map((who) => [what, where, who])),
) as [keyof typeof texts, keyof typeof places, keyof typeof requests][]

test.each(rows)('%s in %s %s does not stop the thread', (what, where, who) => {
  const answer = { statusCode: 401, ...places[where](texts[what]) }

  expect(askFor(requests[who], answer)).toBe('http')
})

test('a challenge is looked for at the beginning of a header, and not in all of it', async () => {
  vi.useFakeTimers()
  try {
    const { client, backend } = setUp()
    await client.launch()
    await vi.advanceTimersByTimeAsync(30_000)
    const challenge = `Basic realm="${'x'.repeat(10_000)}", Bearer error="invalid_token"`
    backend.answer('/orders', json(401, 'no', { 'WWW-Authenticate': challenge }))

    expect(await outcomes([client.request({ url: '/orders' })])).toEqual(['http'])

    expect(backend.seen('/wx/refresh')).toEqual([])
  } finally {
    vi.useRealTimers()
  }
})
