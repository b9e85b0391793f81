import { once } from 'node:events'
import { createServer as createHttpServer } from 'node:http'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { createServer as createTlsServer } from 'node:tls'
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { AuthError, type FetchLike } from '../../src/wechat/index.js'
import { blockLoop } from '../set-up.js'
import { selfSigned } from './certificate.js'
import { listen, pathsOf, setUpWeChat, type WeChatSetUp } from './set-up.js'

afterEach(() => {
  vi.useRealTimers()
})

/** The port of a server that listens until the test is over. */
async function portOf(server: Server): Promise<number> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket) => sockets.add(socket.on('error', () => undefined)))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return (server.address() as AddressInfo).port
}

async function closedPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  await new Promise((closed) => server.close(closed))
  return port
}

describe('a host to which no connection can be made gives way to the next one, and the code is not lost', () => {
  const hosts: Record<string, () => Promise<string>> = {
    'a closed port': async () => `https://127.0.0.1:${await closedPort()}`,
    'no way there': async () => 'https://255.255.255.255',
    'a name that is none': async () => 'https://wxlogin.invalid',
    'a certificate that nobody signed': async () =>
      `https://127.0.0.1:${await portOf(createTlsServer(selfSigned('api.weixin.qq.com')))}`,
    'no certificate at all': async () => `https://127.0.0.1:${await portOf(createTlsServer())}`,
    'an old version of TLS': async () =>
      `https://127.0.0.1:${await portOf(createTlsServer({ ...selfSigned('a'), maxVersion: 'TLSv1.1', minVersion: 'TLSv1' }))}`,
    'a reset in the handshake': async () => {
      const server = createServer((socket) => socket.once('data', () => socket.resetAndDestroy()))
      return `https://127.0.0.1:${await portOf(server)}`
    },
    'an end in the handshake': async () => {
      const server = createServer((socket) => socket.once('data', () => socket.end()))
      return `https://127.0.0.1:${await portOf(server)}`
    },
    'something else than TLS': async () => {
      const server = createServer((socket) =>
        socket.once('data', () => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')),
      )
      return `https://127.0.0.1:${await portOf(server)}`
    },
  }

  test.each(Object.entries(hosts))('%s', async (_name, start) => {
    const first = await start()
    const { wechat, fake, events } = await setUpWeChat()
    const backup = await listen(fake)
    const parts = await setUpWeChat({ ...fake.app, door: 'http', wechatHosts: [first, backup] })

    await parts.wechat.code2Session(fake.codeFor('alice'))

    expect(parts.wechat.health()).toMatchObject({ ok: true, host: backup })
    expect(parts.events).toMatchObject([{ outcome: 'ok' }])
    expect(pathsOf(fake)).toEqual(['/sns/jscode2session'])
    expect([wechat.health().lastOutcome, events]).toEqual([undefined, []])
  })

  test('a certificate that nobody signed is none, whatever NODE_TLS_REJECT_UNAUTHORIZED says', async () => {
    vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0')
    onTestFinished(() => void vi.unstubAllEnvs())
    const heard: string[] = []
    const server = createTlsServer(selfSigned('api.weixin.qq.com'), (socket) => {
      socket.on('data', (data) => {
        heard.push(String(data))
        socket.end(
          'HTTP/1.1 200 OK\r\nContent-Length: 45\r\n\r\n{"openid":"eve","session_key":"AAAAAAAAAAAA"}',
        )
      })
      socket.on('error', () => undefined)
    })
    const port = await portOf(server)
    const { wechat, fake } = await setUpWeChat({
      door: 'http',
      wechatHosts: [`https://127.0.0.1:${port}`],
    })

    const error = await wechat.code2Session(fake.codeFor('alice')).catch((reason) => reason)

    expect(error).toMatchObject({ code: 'wechat_unavailable' })
    expect(heard).toEqual([])
  })

  test('one that is the only one is an outage, and no lost code', async () => {
    const port = await portOf(createTlsServer(selfSigned('api.weixin.qq.com')))
    const { wechat, fake } = await setUpWeChat({
      door: 'http',
      wechatHosts: [`https://127.0.0.1:${port}`],
    })

    for (let n = 0; n < 5; n++) {
      await expect(wechat.code2Session(fake.codeFor('alice'))).rejects.toMatchObject({
        code: 'wechat_unavailable',
        cause: { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' },
      })
    }
    expect(wechat.health().breakers.login).toBe('open')
  })
})

describe('a fetch of the app’s own says by its error that nothing was sent', () => {
  const failed = (members: object) =>
    Object.assign(new TypeError('fetch failed'), {
      cause: Object.assign(new Error('failed'), members),
    })
  const connecting = (code: string) => ({ code, syscall: 'connect' })
  const everyAddress = (...members: object[]) =>
    failed({
      errors: members.map((one) => Object.assign(new Error('failed'), one)),
      code: 'ETIMEDOUT',
    })

  async function hostsTried(error: unknown): Promise<number> {
    const fetch: FetchLike = (url, init) =>
      ++tried === 1 ? Promise.reject(error) : parts.fake.fetch(url, init)
    let tried = 0
    const parts = await setUpWeChat({
      fetch,
      wechatHosts: ['https://api.weixin.qq.com', 'https://api2.weixin.qq.com'],
    })
    await parts.wechat.code2Session(parts.fake.codeFor('alice')).catch(() => undefined)
    return tried
  }

  test.each([
    ['ECONNREFUSED', failed({ code: 'ECONNREFUSED' })],
    ['ENOTFOUND', failed({ code: 'ENOTFOUND' })],
    ['EAI_AGAIN', failed({ code: 'EAI_AGAIN' })],
    ['ENETUNREACH', failed({ code: 'ENETUNREACH' })],
    ['EHOSTUNREACH', failed({ code: 'EHOSTUNREACH' })],
    ['EADDRNOTAVAIL', failed({ code: 'EADDRNOTAVAIL' })],
    ['UND_ERR_CONNECT_TIMEOUT', failed({ code: 'UND_ERR_CONNECT_TIMEOUT' })],
    ['ETIMEDOUT of connect', failed(connecting('ETIMEDOUT'))],
    ['ECONNRESET of connect', failed(connecting('ECONNRESET'))],
    ['every address', everyAddress(connecting('ETIMEDOUT'), { code: 'ENETUNREACH' })],
    ['a certificate that has expired', failed({ code: 'CERT_HAS_EXPIRED' })],
    ['a certificate of nobody', failed({ code: 'DEPTH_ZERO_SELF_SIGNED_CERT' })],
    ['a chain that cannot be followed', failed({ code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' })],
    ['a certificate of somebody else', failed({ code: 'ERR_TLS_CERT_ALTNAME_INVALID' })],
  ])('%s', async (_name, error) => {
    expect(await hostsTried(error)).toBe(2)
  })

  test.each([
    ['ECONNRESET', failed({ code: 'ECONNRESET' })],
    ['EPIPE', failed({ code: 'EPIPE', syscall: 'write' })],
    ['ETIMEDOUT', failed({ code: 'ETIMEDOUT' })],
    ['UND_ERR_SOCKET', failed({ code: 'UND_ERR_SOCKET' })],
    ['UND_ERR_HEADERS_TIMEOUT', failed({ code: 'UND_ERR_HEADERS_TIMEOUT' })],
    ['one address of two', everyAddress(connecting('ETIMEDOUT'), { code: 'ECONNRESET' })],
    ['no address', failed({ errors: [] })],
    ['no code', new TypeError('fetch failed')],
    ['nothing', undefined],
  ])('and not by %s', async (_name, error) => {
    expect(await hostsTried(error)).toBe(1)
  })

  test.each(['EMFILE', 'ENFILE', 'EADDRNOTAVAIL', 'EAGAIN', 'ENOBUFS', 'ENOMEM'])(
    '%s is this machine’s limit, and no outage',
    async (code) => {
      const fetch: FetchLike = () => Promise.reject(failed({ code, syscall: 'connect' }))
      const { wechat, fake } = await setUpWeChat({ fetch })

      for (let n = 0; n < 6; n++) {
        await expect(wechat.code2Session(fake.codeFor('a'))).rejects.toMatchObject({
          code: 'wechat_unavailable',
        })
      }

      expect(wechat.health().breakers.login).toBe('closed')
    },
  )
})

test('a call ends at its time also while the connection is being made', async () => {
  // Takes the connection, and says nothing while the client waits for TLS.
  const { wechat } = await setUpWeChat({
    door: 'http',
    wechatHosts: [`https://127.0.0.1:${await portOf(createServer())}`],
    wechatTimeoutMs: 100,
  })
  // Less than it waits for a connection.
  const connecting = delay(1500, 'still connecting')

  const ended = wechat.code2Session('code-1').catch((error: unknown) => error)

  await expect(Promise.race([ended, connecting])).resolves.toMatchObject({
    code: 'wechat_unavailable',
    description: 'WeChat did not answer within 100 ms',
  })
})

test('the time for which this process was too busy to look is no outage', async () => {
  const answer = JSON.stringify({ openid: 'alice', session_key: 'tiihtNczf5v6AKRyjwEUhQ==' })
  const waiting: (() => void)[] = []
  const port = await portOf(
    createHttpServer((_request, response) => {
      waiting.push(() => response.end(answer))
    }),
  )
  const { wechat, fake } = await setUpWeChat({
    door: 'http',
    wechatHosts: [`http://127.0.0.1:${port}`],
    wechatTimeoutMs: 1000,
  })

  const calls = Array.from({ length: 6 }, () => wechat.code2Session(fake.codeFor('alice')))
  await vi.waitFor(() => expect(waiting).toHaveLength(6))
  await blockLoop(1100, () => {
    for (const respond of waiting) respond()
  })

  await expect(Promise.all(calls)).resolves.toHaveLength(6)
  expect(wechat.health().breakers.login).toBe('closed')
})

/** So many connections, each of which has served a call and is idle now. */
async function setUpIdle(connections: number): Promise<WeChatSetUp> {
  const parts = await setUpWeChat({ door: 'http' })
  const { wechat, fake } = parts
  fake.fail({ latencyMs: 50 }, { times: connections })
  await Promise.all(
    Array.from({ length: connections }, () => wechat.code2Session(fake.codeFor('alice'))),
  )
  // Until the last answers are read to their ends.
  await delay(20)
  parts.events.length = 0
  return parts
}

const statesIn = ({ events }: WeChatSetUp) =>
  events.flatMap((event) => (event.type === 'breaker' ? event.state : []))

describe('an idle connection that was dropped', () => {
  test('takes a code with it, which is said, and nothing is held against WeChat', async () => {
    const parts = await setUpIdle(6)
    const { wechat, fake } = parts
    const health = wechat.health()
    fake.fail('drop-after', { times: 6 })

    const errors = await Promise.all(
      Array.from({ length: 6 }, () =>
        wechat.code2Session(fake.codeFor('bob')).catch((error: unknown) => error),
      ),
    )

    for (const error of errors) {
      expect(error).toMatchObject({
        code: 'invalid_code',
        reason: 'lost',
        errcode: undefined,
        cause: { code: expect.stringMatching(/ECONNRESET|UND_ERR_SOCKET/) },
      })
    }
    expect(parts.events).toMatchObject(
      Array.from({ length: 6 }, () => ({ type: 'wechat', outcome: 'lost' })),
    )
    expect(wechat.health()).toEqual(health)
    await expect(wechat.code2Session(fake.codeFor('bob'))).resolves.toBeDefined()
  })

  test('costs a read nothing', async () => {
    const { wechat, fake, events } = await setUpIdle(2)
    fake.fail('drop-after', { endpoint: 'POST /cgi-bin/stable_token' })

    await wechat.accessToken()

    expect(events).toMatchObject([{ endpoint: 'accessToken', outcome: 'ok' }])
    expect(pathsOf(fake).slice(2)).toEqual(['/cgi-bin/stable_token', '/cgi-bin/stable_token'])
  })

  test('is not sent again what may have changed something', async () => {
    const parts = await setUpIdle(1)
    const { wechat, fake } = parts
    await wechat.accessToken()
    const calls = fake.calls.length
    fake.fail('drop-after')

    await expect(wechat.call('POST', '/wxa/getpluginopenpid')).rejects.toMatchObject({
      code: 'wechat_unavailable',
    })

    expect(fake.calls).toHaveLength(calls + 1)
    expect(parts.events.at(-1)).toMatchObject({ outcome: 'lost' })
  })

  test('takes the code of a phone number with it as well', async () => {
    const { wechat, fake } = await setUpIdle(1)
    await wechat.accessToken()
    fake.fail('drop-after')

    await expect(wechat.phoneNumber(fake.phoneCodeFor('alice'))).rejects.toMatchObject({
      code: 'invalid_code',
      reason: 'lost',
    })
  })

  test('does not decide whether WeChat is back: the next call does', async () => {
    const parts = await setUpIdle(1)
    const { wechat, fake, clock } = parts
    const login = () => wechat.code2Session(fake.codeFor('alice'))
    fake.fail(-1, { times: 5 })
    for (let n = 0; n < 5; n++) await login().catch(() => undefined)
    clock.advance(10)
    fake.fail('drop-after')

    await expect(login()).rejects.toMatchObject({ reason: 'lost' })
    await expect(login()).resolves.toBeDefined()

    expect(statesIn(parts)).toEqual(['open', 'half_open', 'closed'])
  })
})

test('a new connection that breaks is a lost code and a failure of WeChat’s', async () => {
  const parts = await setUpWeChat({ door: 'http' })
  const { wechat, fake } = parts
  fake.fail('drop-after', { times: 5 })

  for (let n = 0; n < 5; n++) {
    await expect(wechat.code2Session(fake.codeFor('alice'))).rejects.toMatchObject({
      code: 'invalid_code',
      reason: 'lost',
    })
  }

  expect(statesIn(parts)).toEqual(['open'])
  expect(wechat.health()).toMatchObject({ ok: false, lastOutcome: 'lost' })
})

test('an answer that breaks off is a lost code, and a failure whatever connection it came by', async () => {
  let answers = 0
  const server = createHttpServer((_request, response) => {
    answers += 1
    const body = '{"openid":"oAlice","session_key":"k"}'
    response.writeHead(200, { 'content-length': body.length })
    if (answers === 1) return void response.end(body)
    response.write(body.slice(0, 9), () => response.destroy())
  })
  const port = await portOf(server)
  const parts = await setUpWeChat({ door: 'http', wechatHosts: [`http://127.0.0.1:${port}`] })
  await parts.wechat.code2Session('code-0')

  for (let n = 1; n <= 5; n++) {
    await expect(parts.wechat.code2Session(`code-${n}`)).rejects.toMatchObject({ reason: 'lost' })
  }

  expect(statesIn(parts)).toEqual(['open'])
})

test.each(['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET', 'ECONNABORTED'])(
  'by a fetch of the app’s own a code is lost with %s',
  async (code) => {
    const fetch: FetchLike = () => Promise.reject(Object.assign(new Error('failed'), { code }))
    const { wechat, fake } = await setUpWeChat({ fetch })

    const error = await wechat.code2Session(fake.codeFor('alice')).catch((thrown) => thrown)

    expect(error).toBeInstanceOf(AuthError)
    expect(error).toMatchObject({ code: 'invalid_code', reason: 'lost', cause: { code } })
  },
)

describe('an idle connection ends after 15 seconds', () => {
  test.each([
    ['where WeChat says nothing about it', {}],
    ['and where WeChat would keep it for minutes', { 'keep-alive': 'timeout=600' }],
  ])('%s', async (_name, headers) => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    let open = 0
    const server = createHttpServer({ keepAliveTimeout: 0 }, (_request, response) =>
      response.writeHead(200, headers).end('{"openid":"oAlice","session_key":"k"}'),
    )
    server.on('connection', (socket) => {
      open += 1
      socket.on('close', () => {
        open -= 1
      })
    })
    const port = await portOf(server)
    const { wechat } = await setUpWeChat({
      door: 'http',
      wechatHosts: [`http://127.0.0.1:${port}`],
    })
    await wechat.code2Session('code-1')

    await vi.advanceTimersByTimeAsync(12_000)
    await new Promise((resolve) => setImmediate(resolve))
    expect(open).toBe(1)
    await vi.advanceTimersByTimeAsync(3_500)

    await vi.waitFor(() => expect(open).toBe(0))
  })
})
