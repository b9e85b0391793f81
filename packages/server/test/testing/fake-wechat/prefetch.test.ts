import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, onTestFinished, test, vi } from 'vitest'
import type { FakeWeChatPrefetchFetch } from '../../../src/testing/index.js'
import { exchange, game, setUp, shop, startAt } from './set-up.js'

const url = 'https://api.example.com/wx/prefetch'

/** A backend that answers every call in the same way, and remembers what it was asked. */
function backend(body: string, status = 200) {
  const asked: URL[] = []
  const fetch: FakeWeChatPrefetchFetch = async (address) => {
    asked.push(new URL(address))
    return new Response(body, { status })
  }
  return {
    fetch,
    asked: () => Object.fromEntries(asked.at(-1)?.searchParams ?? []),
    address: () => asked.at(-1),
  }
}

async function listen(listener: RequestListener): Promise<string> {
  const server = createServer(listener)
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  onTestFinished(() => {
    server.close()
    server.closeAllConnections()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/wx/prefetch`
}

test('the backend is asked as WeChat asks, and its answer is kept', async () => {
  const { wechat } = setUp()
  const { fetch, asked, address } = backend('{"access_token":"t"}')

  const prefetched = await wechat.prefetch(url, 'alice', { fetch })

  expect(prefetched).toEqual({ status: 200, body: '{"access_token":"t"}' })
  expect(`${address()?.origin}${address()?.pathname}`).toBe(url)
  expect(asked()).toEqual({
    appid: shop.appId,
    code: expect.stringMatching(/^[A-Za-z0-9]{32}$/),
    timestamp: String(startAt * 1000),
    path: 'pages/index/index',
    query: '',
    scene: '1001',
    customMiniprogramVersion: '1.0.0',
  })
})

test('how the mini program was opened is told, encoded', async () => {
  const { wechat } = setUp()
  const { fetch, asked } = backend('')

  await wechat.prefetch(`${url}?tenant=7`, 'alice', {
    fetch,
    path: 'pages/order/order',
    query: 'id=7&from=分享',
    scene: 1011,
    timestamp: 5,
    customMiniprogramVersion: '2.3.4',
  })

  expect(asked()).toMatchObject({
    tenant: '7',
    path: 'pages/order/order',
    query: 'id=7&from=分享',
    scene: '1011',
    timestamp: '5',
    customMiniprogramVersion: '2.3.4',
  })
})

test('the code logs the person in, once, to the mini program that was opened', async () => {
  const { wechat } = setUp()
  const { fetch, asked } = backend('')

  await wechat.prefetch(url, 'alice', { fetch, appId: game.appId })
  const { appid, code = '' } = asked()

  expect(appid).toBe(game.appId)
  expect((await exchange(wechat, code, game)).openid).toBe(
    wechat.openidOf('alice', { appId: game.appId }),
  )
  expect((await exchange(wechat, code, game)).errcode).toBe(40163)
})

test.each([
  [true, 'replaces'],
  [false, 'leaves'],
])('with rotateSessionKey %s it %s the session_key', async (rotateSessionKey) => {
  const { wechat } = setUp({ rotateSessionKey })
  wechat.codeFor('alice')
  const before = wechat.sessionKeyOf('alice')

  await wechat.prefetch(url, 'alice', { fetch: backend('').fetch })

  expect(wechat.sessionKeyOf('alice') === before).toBe(!rotateSessionKey)
})

test('up to 256 KB are handed over, and nothing of more', async () => {
  const { wechat } = setUp()
  const most = '好'.repeat(87_381)
  expect(Buffer.byteLength(most)).toBe(256 * 1024 - 1)

  const fits = await wechat.prefetch(url, 'alice', { fetch: backend(`${most}.`).fetch })
  const isTooLarge = await wechat.prefetch(url, 'alice', { fetch: backend(`${most}..`).fetch })

  expect(fits).toEqual({ status: 200, body: `${most}.` })
  expect(isTooLarge).toEqual({ status: 200, body: '' })
})

test('whatever the status, the body is handed over', async () => {
  const { wechat } = setUp()

  const prefetched = await wechat.prefetch(url, 'alice', { fetch: backend('oops', 500).fetch })

  expect(prefetched).toEqual({ status: 500, body: 'oops' })
})

test('an answer that is late is not waited for, though fetch has no ear for its signal', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  onTestFinished(() => {
    vi.useRealTimers()
  })
  const { wechat } = setUp()
  const settled = vi.fn()

  const waiting = wechat.prefetch(url, 'alice', { fetch: () => new Promise(() => {}) })
  waiting.then(settled)
  await vi.advanceTimersByTimeAsync(4999)
  const before = settled.mock.calls.length
  await vi.advanceTimersByTimeAsync(1)

  expect(before).toBe(0)
  expect(await waiting).toEqual({ status: 0, body: '' })
})

test('an answer in time leaves no timer behind', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  onTestFinished(() => {
    vi.useRealTimers()
  })
  const { wechat } = setUp()

  await wechat.prefetch(url, 'alice', { fetch: backend('').fetch })

  expect(vi.getTimerCount()).toBe(0)
})

test('over a real socket the call is a GET, and giving up ends it', async () => {
  const { wechat } = setUp()
  const hungUp = vi.fn()
  const seen: unknown[] = []
  const address = await listen((request, response) => {
    seen.push(request.method)
    response.on('close', () => hungUp())
    if (seen.length === 1) response.end('{"data":"七"}')
  })

  const inTime = await wechat.prefetch(address, 'alice')
  hungUp.mockClear()
  const late = await wechat.prefetch(address, 'alice', { timeoutMs: 1000 })

  expect(inTime).toEqual({ status: 200, body: '{"data":"七"}' })
  expect(late).toEqual({ status: 0, body: '' })
  expect(seen).toEqual(['GET', 'GET'])
  await vi.waitFor(() => expect(hungUp).toHaveBeenCalledOnce())
})

test('a redirect is not followed', async () => {
  const { wechat } = setUp()
  const paths: unknown[] = []
  const address = await listen((request, response) => {
    paths.push(request.url?.split('?')[0])
    response.writeHead(302, { location: '/elsewhere' }).end()
  })

  const { status } = await wechat.prefetch(address, 'alice')

  expect(status).toBe(302)
  expect(paths).toEqual(['/wx/prefetch'])
})

test('a backend that cannot be reached is an error', async () => {
  const { wechat } = setUp()
  const refused = new TypeError('fetch failed')

  const prefetched = wechat.prefetch(url, 'alice', { fetch: () => Promise.reject(refused) })

  await expect(prefetched).rejects.toBe(refused)
})

test('a wrong url or mini program costs no code', async () => {
  const { wechat } = setUp()
  wechat.codeFor('alice')
  const before = wechat.sessionKeyOf('alice')
  const { fetch } = backend('')

  await expect(wechat.prefetch('/wx/prefetch', 'alice', { fetch })).rejects.toThrow(TypeError)
  await expect(wechat.prefetch(url, 'alice', { fetch, appId: 'wx9' })).rejects.toThrow('appId')
  expect(wechat.sessionKeyOf('alice')).toBe(before)
})
