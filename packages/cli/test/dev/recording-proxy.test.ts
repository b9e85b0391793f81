import { once } from 'node:events'
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  request as send,
} from 'node:http'
import { connect } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import { expect, onTestFinished, test, vi } from 'vitest'
import { listen } from '../../src/dev/listen.js'
import { createLog, type Exchange } from '../../src/dev/log.js'
import { createRecordingProxy, phoneHeader } from '../../src/dev/recording-proxy.js'
import { createMask } from '../../src/mask.js'

/** A proxy before this backend. */
async function setUp(
  backend: RequestListener | Server,
  options: { withholds?: () => boolean; isDown?: boolean } = {},
) {
  const server = typeof backend === 'function' ? createServer(backend) : backend
  const behind = await listen(server, '127.0.0.1', 0)
  if (options.isDown) await behind.close()
  const log = createLog()
  const proxy = createRecordingProxy({
    log,
    mask: createMask(),
    from: 'phone',
    to: 'backend',
    target: behind.url,
    now: Date.now,
    ...(options.withholds && { withholds: options.withholds }),
  })
  const before = await listen(proxy, '127.0.0.1', 0)
  onTestFinished(async () => {
    await before.close()
    await behind.close()
  })
  const exchanges = () => log.entries().filter((entry) => entry.type === 'exchange')
  return {
    url: before.url,
    exchanges,
    /** The one exchange, once it is over. */
    async ended(): Promise<Exchange> {
      await vi.waitFor(() => expect(exchanges()[0]?.outcome).toBeDefined())
      return exchanges()[0] as Exchange
    },
  }
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}

test('what goes over the wire is passed on as it is, and kept without its secrets', async () => {
  let seen: object = {}
  const { url, ended } = await setUp(async (request, response) => {
    const { method, url, headers } = request
    seen = { method, url, headers, body: await textOf(request) }
    response.writeHead(201, { 'content-type': 'application/json', 'x-own': 'yes' })
    response.end('{"access_token":"secret-answer","expires_in":900}')
  })

  const answer = await fetch(`${url}/wx/login?code=secret-query&a=1`, {
    method: 'POST',
    headers: { 'idempotency-key': 'secret-key', [phoneHeader]: 'ming' },
    body: '{"code":"secret-body"}',
  })

  expect(answer.status).toBe(201)
  expect(answer.headers.get('x-own')).toBe('yes')
  expect(await answer.text()).toBe('{"access_token":"secret-answer","expires_in":900}')
  expect(seen).toMatchObject({
    method: 'POST',
    url: '/wx/login?code=secret-query&a=1',
    headers: { 'idempotency-key': 'secret-key' },
    body: '{"code":"secret-body"}',
  })
  expect(JSON.stringify(seen)).not.toContain(phoneHeader)
  const exchange = await ended()
  expect(exchange).toMatchObject({ phone: 'ming', outcome: 'answered', status: 201 })
  expect(exchange.url).toMatch(/^\/wx\/login\?code=•••#[0-9a-f]{4}&a=1$/)
  expect(exchange.answer?.body).toContain('"expires_in": 900')
  expect(JSON.stringify(exchange)).not.toContain('secret-')
})

test('an answer arrives as it is written, not when it is complete', async () => {
  const { url, exchanges } = await setUp((_, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: 1\n\n')
  })

  const { body } = await fetch(url)
  const first = await body?.getReader().read()

  expect(Buffer.from(first?.value ?? []).toString()).toBe('data: 1\n\n')
  expect(exchanges()[0]).not.toHaveProperty('outcome')
})

test.each([true, false])(
  'a body that is chunked (%s) stays so, as WeChat looks at it',
  async (isChunked) => {
    let encoding: string | undefined
    const { url } = await setUp(async (request, response) => {
      encoding = request.headers['transfer-encoding']
      response.end(await textOf(request))
    })

    const call = send(url, {
      method: 'POST',
      headers: isChunked ? { 'transfer-encoding': 'chunked' } : { 'content-length': '6' },
    })
    call.end('a body')
    const [answer] = await once(call, 'response')

    expect(await textOf(answer)).toBe('a body')
    expect(encoding).toBe(isChunked ? 'chunked' : undefined)
  },
)

test('a large body is passed on whole, and not kept', async () => {
  const { url, ended } = await setUp(async (request, response) => {
    response.end(await textOf(request))
  })
  const body = 'x'.repeat(3_000_000)

  const answer = await fetch(url, { method: 'POST', body })

  expect(await answer.text()).toBe(body)
  const { request, answer: kept } = await ended()
  expect(request).toMatchObject({ bytes: 3_000_000, isCut: true })
  expect(kept).toMatchObject({ bytes: 3_000_000, isCut: true })
  expect(request).not.toHaveProperty('body')
})

test('what a backend compresses all the same is passed on, and not shown', async () => {
  const { url, ended } = await setUp((_, response) => {
    response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync('{"code":"secret"}'))
  })

  const answer = await fetch(url)

  expect(await answer.text()).toBe('{"code":"secret"}')
  expect((await ended()).answer).not.toHaveProperty('body')
})

test('a connection that breaks is broken on the other side, too', async () => {
  const { url, ended } = await setUp((request) => request.socket.destroy())

  await expect(fetch(url)).rejects.toThrow('fetch failed')

  expect(await ended()).toMatchObject({ outcome: 'lost' })
})

test('an answer that breaks off is broken on the other side, too', async () => {
  const { url, ended } = await setUp((request, response) => {
    response.writeHead(200, { 'content-length': '100' }).write('some')
    setTimeout(() => request.socket.destroy(), 50)
  })

  const answer = await fetch(url)

  await expect(answer.text()).rejects.toThrow('terminated')
  expect(await ended()).toMatchObject({ outcome: 'lost' })
})

test('who does not wait is given up at the backend, too', async () => {
  let isGone = false
  const { url, ended } = await setUp((request) => {
    request.on('close', () => {
      isGone = true
    })
  })

  await fetch(url, { signal: AbortSignal.timeout(100) }).catch(() => undefined)

  expect(await ended()).toMatchObject({ outcome: 'abandoned' })
  await vi.waitFor(() => expect(isGone).toBe(true))
})

test('an answer that is withheld has taken effect, and is shown', async () => {
  let calls = 0
  const { url, ended } = await setUp(
    (_, response) => {
      calls += 1
      response.end('{"a":1}')
    },
    { withholds: () => true },
  )

  await expect(fetch(url)).rejects.toThrow('fetch failed')

  expect(calls).toBe(1)
  expect(await ended()).toMatchObject({ outcome: 'withheld', status: 200 })
})

test('a backend that is down is a 502 that says where nobody listens', async () => {
  const { url, ended } = await setUp(() => undefined, { isDown: true })

  const answer = await fetch(url)

  expect(answer.status).toBe(502)
  expect(await answer.text()).toMatch(/nothing listens at http:\/\/127\.0\.0\.1:\d+\. Start it/)
  expect(await ended()).toMatchObject({ outcome: 'unreachable' })
})

test('a socket is upgraded, and both sides speak', async () => {
  const server = createServer()
  server.on('upgrade', (request, socket) => {
    socket.write(`HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: echo\r\n\r\n`)
    socket.write(`hello ${request.headers.authorization}`)
    socket.pipe(socket)
  })
  const { url, ended } = await setUp(server)
  const { port } = new URL(url)

  const socket = connect(Number(port), '127.0.0.1')
  onTestFinished(() => {
    socket.destroy()
  })
  let heard = ''
  socket.on('data', (part) => {
    heard += part
  })
  socket.write(
    `GET /ws HTTP/1.1\r\nhost: ${port}\r\nconnection: Upgrade\r\nupgrade: echo\r\nauthorization: Bearer secret-token\r\n\r\n`,
  )
  await vi.waitFor(() => expect(heard).toContain('hello Bearer secret-token'))
  socket.write('ping')

  await vi.waitFor(() => expect(heard.endsWith('ping')).toBe(true))
  const exchange = await ended()
  expect(exchange).toMatchObject({ status: 101, url: '/ws' })
  expect(JSON.stringify(exchange)).not.toContain('secret-token')
})

test('an upgrade that is refused is refused with the answer of the backend', async () => {
  const server = createServer()
  server.on('upgrade', (_, socket) => {
    socket.end('HTTP/1.1 401 Unauthorized\r\ncontent-length: 2\r\n\r\nno')
  })
  const { url, ended } = await setUp(server)

  const call = send(`${url}/ws`, { headers: { connection: 'Upgrade', upgrade: 'echo' } })
  call.end()
  const [answer] = await once(call, 'response')

  expect(answer.statusCode).toBe(401)
  expect(await textOf(answer)).toBe('no')
  expect(await ended()).toMatchObject({ status: 401 })
})

test('the log forgets the oldest, and says so to nobody', async () => {
  const log = createLog({ limit: 2 })
  const note = { type: 'trouble', atMs: 0, trouble: 'code-used', isOn: true } as const

  const [first = 0] = [log.add(note), log.add(note), log.add(note)]
  log.change(first, { outcome: 'lost' })
  await pause(0)

  expect(log.entries().map(({ id }) => id)).toEqual([2, 3])
})
