import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, test } from 'vitest'
import { createFakeWeChat } from '../../src/testing/index.js'
import { createWeChat, type FetchLike } from '../../src/wechat/index.js'
import { createClock } from '../set-up.js'
import { listen } from './set-up.js'

const first = 'https://api.weixin.qq.com'
const second = 'https://api2.weixin.qq.com'
const third = 'https://sh.api.weixin.qq.com'

const refused = () =>
  Promise.reject(Object.assign(new TypeError('fetch failed'), { code: 'ECONNREFUSED' }))
const cut = () =>
  Promise.reject(Object.assign(new TypeError('fetch failed'), { code: 'UND_ERR_SOCKET' }))

/** A WeChat at several hosts, of which some are down, and what was tried. */
function setUpHosts(hosts = [first, second, third]) {
  const clock = createClock()
  const fake = createFakeWeChat({ now: clock.now })
  const down = new Map<string, () => Promise<never>>()
  const tried: string[] = []
  const fetch: FetchLike = (url, init) => {
    const { origin } = new URL(url)
    tried.push(origin)
    return down.get(origin)?.() ?? fake.fetch(url, init)
  }
  const wechat = createWeChat({ ...fake.app, fetch, wechatHosts: hosts, now: clock.now })

  /** A login, and the hosts that it tried. */
  async function login(): Promise<string[]> {
    tried.length = 0
    await wechat.code2Session(fake.codeFor('alice')).catch(() => undefined)
    return [...tried]
  }
  return { login, down, clock, wechat, fake, tried }
}

test('the first host is used while it is there', async () => {
  const { login, wechat } = setUpHosts()

  expect([...(await login()), ...(await login())]).toEqual([first, first])
  expect(wechat.health().host).toBe(first)
})

test('another host is tried when no connection can be made, and stays in use', async () => {
  const { login, down, wechat } = setUpHosts()
  down.set(first, refused)

  expect(await login()).toEqual([first, second])
  expect(await login()).toEqual([second])
  expect(wechat.health()).toMatchObject({ ok: true, host: second })
})

test('all hosts are tried, each once', async () => {
  const { login, down } = setUpHosts()
  for (const host of [first, second, third]) down.set(host, refused)

  expect(await login()).toEqual([first, second, third])
})

test('a host that was in use and is gone gives way to the others', async () => {
  const { login, down } = setUpHosts()
  down.set(first, refused)
  await login()
  down.set(second, refused)

  expect(await login()).toEqual([second, first, third])
  expect(await login()).toEqual([third])
})

describe('another host is not tried', () => {
  test.each<[string, (parts: ReturnType<typeof setUpHosts>) => void]>([
    ['when the connection was lost', ({ down }) => down.set(first, cut)],
    ['when the host has trouble', ({ fake }) => fake.fail('html-502')],
    ['when WeChat is busy', ({ fake }) => fake.fail(-1)],
  ])('%s: the code may be spent', async (_name, fail) => {
    const parts = setUpHosts()
    fail(parts)

    expect(await parts.login()).toEqual([first])
  })
})

describe('the first host', () => {
  test('is tried again after 30 seconds, by one call', async () => {
    const { login, down, clock } = setUpHosts()
    down.set(first, refused)
    await login()

    clock.advance(29)
    expect(await login()).toEqual([second])
    clock.advance(1)
    expect(await login()).toEqual([first, second])
    expect(await login()).toEqual([second])
    clock.advance(30)
    expect(await login()).toEqual([first, second])
  })

  test('is used again once it is back', async () => {
    const { login, down, clock, wechat } = setUpHosts()
    down.set(first, refused)
    await login()
    down.clear()
    clock.advance(30)

    expect([...(await login()), ...(await login())]).toEqual([first, first])
    expect(wechat.health().host).toBe(first)
  })

  test('is tried twice when there is no other', async () => {
    const { login, down } = setUpHosts([first])
    down.set(first, refused)

    expect(await login()).toEqual([first, first])
  })
})

test('over real connections: a host that is down costs nothing, and takes over when it is back', async () => {
  const clock = createClock()
  const away = createServer().listen(0, '127.0.0.1')
  await new Promise((listening) => away.once('listening', listening))
  const { port } = away.address() as AddressInfo
  await new Promise((closed) => away.close(closed))
  const fake = createFakeWeChat({ now: clock.now })
  const backup = await listen(fake)
  const preferred = `http://127.0.0.1:${port}`
  const wechat = createWeChat({ ...fake.app, wechatHosts: [preferred, backup], now: clock.now })

  await wechat.code2Session(fake.codeFor('alice'))
  expect(wechat.health().host).toBe(backup)

  const server = await fake.listen({ port })
  clock.advance(30)
  await wechat.code2Session(fake.codeFor('alice'))
  expect(wechat.health().host).toBe(preferred)

  await wechat.close()
  await server.close()
})
