import { randomBytes, randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import { type AuthEvent, createAuth } from '@wxlogin/server'
import { createFakeWeChat } from '@wxlogin/server/testing'
import { Webhook } from 'standardwebhooks'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { selfSigned } from '../../../server/test/wechat/certificate.js'
import { createSender } from '../../src/serve/webhook-call.js'
import { readWebhookSecret } from '../../src/serve/webhook-signature.js'
import { wrongInWebhookUrl } from '../../src/serve/webhook-url.js'
import { createWebhooks, type Timer } from '../../src/serve/webhooks.js'
import { listen } from '../set-up.js'

const secretOf = (byte: number) => `whsec_${Buffer.alloc(32, byte).toString('base64')}`
const current = secretOf(1)

/** A webhook as the backend got it, its signature verified by the library of Standard Webhooks. */
interface Received {
  readonly id: string
  readonly timestamp: number
  readonly signature: string
  readonly body: ReturnType<typeof JSON.parse>
}

type Answer =
  | { readonly status: number; readonly body?: unknown; readonly headers?: Record<string, string> }
  /** Ends the connection instead. */
  | 'cut'
  /** Never answers. */
  | 'hang'

interface BackendOptions {
  readonly answer?: (received: Received, index: number) => Answer
  readonly verifyWith?: string
}

async function startBackend({
  answer = () => ({ status: 200, body: {} }),
  verifyWith = current,
}: BackendOptions = {}) {
  const received: Received[] = []
  const url = await listen((request, response) => {
    void (async () => {
      const raw = await textOf(request)
      const headers = Object.fromEntries(
        Object.entries(request.headers).map(([name, value]) => [name, String(value)]),
      )
      new Webhook(verifyWith).verify(raw, headers)
      const one: Received = {
        id: headers['webhook-id'] ?? '',
        timestamp: Number(headers['webhook-timestamp']),
        signature: headers['webhook-signature'] ?? '',
        body: JSON.parse(raw),
      }
      received.push(one)
      send(response, answer(one, received.length - 1))
    })().catch((error) => send(response, { status: 401, body: { error: String(error) } }))
  })
  return { url: `${url}/hooks/wxlogin`, received }
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}

function send(response: ServerResponse, answer: Answer): void {
  if (answer === 'hang') return
  if (answer === 'cut') return void response.destroy()
  const { status, body, headers } = answer
  response
    .writeHead(status, { 'content-type': 'application/json', ...headers })
    .end(typeof body === 'string' ? body : body === undefined ? '' : JSON.stringify(body))
}

interface LoginOptions {
  readonly onLogin?: string
  readonly claims?: string
  readonly onPhoneNumber?: string
  readonly secrets?: readonly string[]
  readonly timer?: Timer
}

/** A login whose hooks are webhooks. */
function setUp({ secrets = [current], timer, ...urls }: LoginOptions) {
  const wechat = createFakeWeChat()
  const { send: sender, close } = createSender()
  onTestFinished(close)
  const events: AuthEvent[] = []
  const keys = secrets.map(readWebhookSecret).filter((key) => key !== undefined)
  const auth = createAuth({
    apps: [wechat.app],
    secret: 'Zb3vK9qR1tXw7LmN5pYc2HdJ8sFgA4eU6oTiVnQkBx0',
    fetch: wechat.fetch,
    onEvent: (event) => events.push(event),
    ...createWebhooks({
      urls,
      secrets: keys,
      send: sender,
      now: Date.now,
      ...(timer && { timer }),
    }),
  })
  const post = async (path: string, body: object, headers: Record<string, string> = {}) => {
    const sent = new Map(
      Object.entries({
        'content-type': 'application/json',
        'idempotency-key': randomUUID(),
        ...headers,
      }),
    )
    const answer = await auth.handle({
      method: 'POST',
      path,
      header: (name) => sent.get(name.toLowerCase()),
      ip: '203.0.113.7',
      body: { parsed: body },
    })
    return { ...answer, json: JSON.parse(answer.body ?? '{}') }
  }
  const login = (more: object = {}) =>
    post('/login', { code: wechat.codeFor('alice'), app_id: wechat.app.appId, ...more })
  return { auth, wechat, post, login, events }
}

/** Timers that a test lets run out: none does by itself. */
function createTimers() {
  const set: { readonly delayMs: number; readonly callBack: () => void }[] = []
  const timer: Timer = (delayMs, callBack) => {
    const one = { delayMs, callBack }
    set.push(one)
    return () => {
      const place = set.indexOf(one)
      if (place >= 0) set.splice(place, 1)
    }
  }
  /** Waits until somebody waits for that long, and lets it be over. */
  async function runOut(delayMs: number): Promise<void> {
    for (;;) {
      const one = set.find((each) => each.delayMs === delayMs)
      if (one) {
        set.splice(set.indexOf(one), 1)
        return one.callBack()
      }
      await new Promise((turn) => setImmediate(turn))
    }
  }
  return { timer, runOut, waiting: () => set.map(({ delayMs }) => delayMs) }
}

const until = async (holds: () => boolean) => {
  while (!holds()) await new Promise((turn) => setImmediate(turn))
}

describe('what is sent', () => {
  test('onLogin: the account, what the client said, and from where', async () => {
    const backend = await startBackend({
      answer: () => ({ status: 200, body: { userId: 'u7', data: { name: '小明' } } }),
    })
    const { login, wechat } = setUp({ onLogin: backend.url })

    const { status, json } = await login({ input: { invitation: 'A7' }, device: 'iPhone' })

    expect(status).toBe(200)
    expect(json).toMatchObject({ user_id: 'u7', data: { name: '小明' } })
    expect(backend.received.map(({ body }) => body)).toEqual([
      {
        type: 'login',
        appId: wechat.app.appId,
        kind: 'mini_program',
        openid: wechat.openidOf('alice'),
        input: { invitation: 'A7' },
        device: 'iPhone',
        ip: '203.0.113.7',
      },
    ])
  })

  test('the session that a login replaces, for merging a guest', async () => {
    const backend = await startBackend()
    const { login, auth, wechat } = setUp({ onLogin: backend.url })
    const guest = (await login()).json
    const { id } = await auth.authenticate(`Bearer ${guest.access_token}`)

    await login({ previous_refresh_token: guest.refresh_token })

    expect(backend.received[1]?.body.previous).toEqual({
      id,
      userId: guest.user_id,
      appId: wechat.app.appId,
    })
  })

  test('claims: the user, at the login and at each refresh; they are in the token', async () => {
    const backend = await startBackend({
      answer: (_, index) => ({ status: 200, body: { role: ['guest', 'member'][index] } }),
    })
    const { login, post, auth, wechat } = setUp({ claims: backend.url })
    const first = (await login()).json

    const next = (await post('/refresh', { refresh_token: first.refresh_token })).json

    expect((await auth.authenticate(`Bearer ${first.access_token}`)).claims).toEqual({
      role: 'guest',
    })
    expect((await auth.authenticate(`Bearer ${next.access_token}`)).claims).toEqual({
      role: 'member',
    })
    const about = {
      type: 'claims',
      appId: wechat.app.appId,
      userId: first.user_id,
      ip: '203.0.113.7',
    }
    expect(backend.received.map(({ body }) => body)).toEqual([about, about])
  })

  test('onPhoneNumber: the number, the session and the account', async () => {
    const backend = await startBackend({ answer: () => ({ status: 200, body: { userId: 'u9' } }) })
    const { login, post, wechat, auth } = setUp({ onPhoneNumber: backend.url })
    const { access_token, user_id } = (await login()).json
    const { id } = await auth.authenticate(`Bearer ${access_token}`)

    const { status, json } = await post(
      '/phone',
      { code: wechat.phoneCodeFor('alice', { phoneNumber: '13800138000' }) },
      { authorization: `Bearer ${access_token}` },
    )

    expect(status).toBe(200)
    expect(json).toMatchObject({ user_id: 'u9', phone_number: '13800138000' })
    expect(backend.received[0]?.body).toEqual({
      type: 'phone',
      appId: wechat.app.appId,
      kind: 'mini_program',
      openid: wechat.openidOf('alice'),
      userId: user_id,
      sessionId: id,
      phoneNumber: '13800138000',
      countryCode: '86',
      ip: '203.0.113.7',
    })
  })

  test.each<[string, Answer, string | undefined]>([
    ['nothing to say', { status: 204 }, undefined],
    [
      'a byte order mark, as some libraries write it',
      { status: 200, body: '\uFEFF{"userId":"u7"}' },
      'u7',
    ],
    [
      'large numbers as texts',
      { status: 200, body: '{"userId":"1234567890123456789"}' },
      '1234567890123456789',
    ],
    [
      'numbers that are exact',
      { status: 200, body: '{"userId":9007199254740991,"data":[1e-30,0.12345678901234567890,-7]}' },
      '9007199254740991',
    ],
  ])('%s is understood', async (_, answer, userId) => {
    const backend = await startBackend({ answer: () => answer })
    const { login } = setUp({ onLogin: backend.url })

    const { status, json } = await login()

    expect(status).toBe(200)
    if (userId !== undefined) expect(json.user_id).toBe(userId)
  })

  test('a hook without an address is not called', async () => {
    const { login } = setUp({})

    expect((await login()).status).toBe(200)
  })
})

describe('who is calling', () => {
  test('while the secret is replaced, who knows the old one and who knows the new one both verify', async () => {
    const [older, newer] = [secretOf(1), secretOf(2)]
    const before = await startBackend({ verifyWith: older })
    const after = await startBackend({ verifyWith: newer })
    const { login } = setUp({ onLogin: before.url, claims: after.url, secrets: [newer, older] })

    expect((await login()).status).toBe(200)
    expect(before.received[0]?.signature.split(' ')).toHaveLength(2)
  })

  test('the time is that of the attempt, so that a recording is of no use later', async () => {
    const backend = await startBackend()
    const { login } = setUp({ onLogin: backend.url })

    await login()

    expect(Math.abs((backend.received[0]?.timestamp ?? 0) - Date.now() / 1000)).toBeLessThan(10)
  })

  test('a backend that has another secret is no reason to sign anybody out', async () => {
    const backend = await startBackend({ verifyWith: secretOf(9) })
    const { login, events } = setUp({ onLogin: backend.url })

    const { status, json } = await login()

    expect([status, json.error]).toEqual([503, 'temporarily_unavailable'])
    expect(failureIn(events)).toContain('The webhook onLogin answered 401')
  })
})

describe('the id', () => {
  test('is another one for every call', async () => {
    const backend = await startBackend()
    const { login, post } = setUp({ onLogin: backend.url, claims: backend.url })

    let { refresh_token } = (await login()).json
    for (let n = 0; n < 3; n++) {
      refresh_token = (await post('/refresh', { refresh_token })).json.refresh_token
    }
    await login()

    const ids = backend.received.map(({ id }) => id)
    expect(ids).toHaveLength(2 + 3 + 2)
    expect(new Set(ids).size).toBe(ids.length)
  })

  test('stays the same when it is sent again, with a signature of its own', async () => {
    const backend = await startBackend({
      answer: (_, index) => (index === 0 ? 'cut' : { status: 200, body: { userId: 'u7' } }),
    })
    const { login } = setUp({ onLogin: backend.url })

    const { json } = await login()

    expect(json.user_id).toBe('u7')
    const [first, again] = backend.received
    expect(again?.id).toBe(first?.id)
    expect(again?.body).toEqual(first?.body)
  })

  test('stays the same when a phone asks again, because the answer was lost', async () => {
    const backend = await startBackend()
    const { login, post } = setUp({ claims: backend.url })
    const { refresh_token } = (await login()).json
    const key = { 'idempotency-key': randomUUID() }

    await post('/refresh', { refresh_token }, key)
    await post('/refresh', { refresh_token }, key)

    const [, refresh, again] = backend.received
    expect(again?.id).toBe(refresh?.id)
  })
})

describe('a refusal', () => {
  test('403 with a reason is access_denied, which signs the phone out', async () => {
    const backend = await startBackend({
      answer: () => ({ status: 403, body: { reason: 'banned' } }),
    })
    const { login } = setUp({ onLogin: backend.url })

    const { status, json } = await login()

    expect([status, json.error, json.reason, json.scope]).toEqual([
      403,
      'access_denied',
      'banned',
      undefined,
    ])
    expect(backend.received).toHaveLength(1)
  })

  test('with the scope attempt it is about this attempt only', async () => {
    const backend = await startBackend({
      answer: () => ({ status: 403, body: { reason: 'wrong_password', scope: 'attempt' } }),
    })
    const { login } = setUp({ onLogin: backend.url })

    expect((await login()).json).toMatchObject({ reason: 'wrong_password', scope: 'attempt' })
  })

  test('of claims it ends the session', async () => {
    let isBanned = false
    const backend = await startBackend({
      answer: () =>
        isBanned ? { status: 403, body: { reason: 'banned' } } : { status: 200, body: {} },
    })
    const { login, post, auth } = setUp({ claims: backend.url })
    const { refresh_token, user_id } = (await login()).json
    isBanned = true

    const refused = await post('/refresh', { refresh_token })

    expect([refused.status, refused.json.reason]).toEqual([403, 'banned'])
    expect(await auth.sessions.list(user_id)).toEqual([])
  })

  test.each([
    ['<html>blocked by a firewall</html>'],
    [{ error: 'forbidden' }],
    [{ reason: 'a sentence, which is for people' }],
    [undefined],
  ])('a 403 that does not say so in these words signs nobody out: %j', async (body) => {
    const backend = await startBackend({ answer: () => ({ status: 403, body }) })
    const { login } = setUp({ onLogin: backend.url })

    const { status, json, headers } = await login()

    expect([status, json.error]).toEqual([503, 'temporarily_unavailable'])
    expect(Number(headers['retry-after'])).toBeGreaterThan(0)
  })
})

describe('a backend that cannot answer is a 503 with Retry-After, and never a 500', () => {
  test.each<[string, Answer, number, string]>([
    ['a failure of its own', { status: 500, body: { error: 'boom' } }, 1, 'answered 500'],
    ['a wrong address', { status: 404 }, 1, 'answered 404'],
    [
      'another secret',
      { status: 401 },
      1,
      'does the backend have the same webhooks.secret? Are both clocks right?',
    ],
    ['too many requests', { status: 429, headers: { 'retry-after': '30' } }, 1, 'answered 429'],
    [
      'a redirect',
      { status: 307, headers: { location: 'https://example.com/' } },
      1,
      'redirects to',
    ],
    ['a proxy before it', { status: 502, body: '<html>Bad Gateway</html>' }, 2, 'answered 502'],
    ['a deployment', { status: 503 }, 2, 'answered 503'],
    ['a slow proxy', { status: 504 }, 2, 'answered 504'],
    ['a broken connection', 'cut', 2, 'could not be reached'],
    ['HTML', { status: 200, body: '<html></html>' }, 1, 'no JSON object'],
    ['a list', { status: 200, body: [] }, 1, 'no JSON object'],
    ['null', { status: 200, body: null }, 1, 'no JSON object'],
    ['a row of a table', { status: 200, body: { id: 7, name: 'x' } }, 1, 'cannot be used'],
    ['no user where one is named', { status: 200, body: { userId: null } }, 1, 'cannot be used'],
    // 19 digits, as many Java backends have: JSON of JavaScript is not exact there.
    [
      'an id that is not exact',
      { status: 200, body: '{"userId":1234567890123456789}' },
      1,
      'cannot be used',
    ],
    // What is rounded in a claim or in data is as much somebody else's.
    [
      'data that is not exact',
      { status: 200, body: '{"data":{"order":[1.5,-1234567890123456789]}}' },
      1,
      'a whole number that is not exact in JSON',
    ],
    ['nothing at all', { status: 200 }, 1, 'answered 200 with nothing'],
    [
      'too much',
      { status: 200, body: { data: 'x'.repeat(70_000) } },
      1,
      'answered 200 with too much',
    ],
  ])('%s', async (_, answer, attempts, says) => {
    const backend = await startBackend({ answer: () => answer })
    const { login, events } = setUp({ onLogin: backend.url })

    const { status, json, headers } = await login()

    expect([status, json.error]).toEqual([503, 'temporarily_unavailable'])
    expect(Number(headers['retry-after'])).toBeGreaterThanOrEqual(1)
    expect(backend.received).toHaveLength(attempts)
    expect(failureIn(events)).toContain(says)
  })

  test.each([{ sub: 'u1' }, { text: 'x'.repeat(2048) }, '{"tenant":1234567890123456789}'])(
    'claims that no token can carry: %j',
    async (body) => {
      const backend = await startBackend({ answer: () => ({ status: 200, body }) })
      const { login } = setUp({ claims: backend.url })

      const { status, json } = await login()

      expect([status, json.error]).toEqual([503, 'temporarily_unavailable'])
    },
  )

  test('an answer that has no end is not waited for', async () => {
    const { timer } = createTimers()
    const url = await listen((request, response) => {
      request.resume()
      response.writeHead(200, { 'content-type': 'application/json' })
      response.write('x'.repeat(70_000))
    })
    const { login, events } = setUp({ onLogin: url, timer })

    expect((await login()).status).toBe(503)
    expect(failureIn(events)).toContain('answered 200 with too much')
  })

  // GBK, as an older backend in China answers: 张三 and 李四 would become one user.
  test.each([
    ['onLogin', '{"userId":"\xd5\xc5\xc8\xfd"}'],
    ['claims', '{"name":"\xc0\xee\xcb\xc4"}'],
  ] as const)('%s in another encoding than UTF-8', async (hook, text) => {
    const url = await listen((request, response) => {
      request.resume()
      response.end(Buffer.from(text, 'latin1'))
    })
    const { login, events } = setUp({ [hook]: url })

    const { status, json } = await login()

    expect([status, json.error]).toEqual([503, 'temporarily_unavailable'])
    expect(failureIn(events)).toContain('answered 200 in another encoding than UTF-8')
  })

  test('a connection that ends behind the headers, which says nothing of an end', async () => {
    const url = await listen(({ socket }) => socket.end('HTTP/1.0 200 OK\r\n\r\n'))
    const { login } = setUp({ onLogin: url })

    expect((await login()).json.error).toBe('temporarily_unavailable')
  })

  test('nobody listens', async () => {
    const server = createServer()
    await new Promise<void>((up) => server.listen(0, '127.0.0.1', up))
    const { port } = server.address() as AddressInfo
    await new Promise((closed) => server.close(closed))
    const { login, events } = setUp({ onLogin: `http://127.0.0.1:${port}/` })

    const { status, json } = await login()

    expect([status, json.error]).toEqual([503, 'temporarily_unavailable'])
    expect(failureIn(events)).toContain('could not be reached')
  })

  test('what it asks to wait is handed on', async () => {
    const backend = await startBackend({
      answer: () => ({ status: 429, headers: { 'retry-after': '30' } }),
    })
    const { login } = setUp({ onLogin: backend.url })

    expect(Number((await login()).headers['retry-after'])).toBeGreaterThanOrEqual(30)
  })

  test('a phone that asks again gets in as soon as it answers, and keeps its session until then', async () => {
    let isDown = false
    const backend = await startBackend({
      answer: () => (isDown ? { status: 500 } : { status: 200, body: {} }),
    })
    const { login, post } = setUp({ claims: backend.url })
    const { refresh_token, user_id } = (await login()).json
    isDown = true
    expect((await post('/refresh', { refresh_token })).status).toBe(503)
    isDown = false

    expect((await post('/refresh', { refresh_token })).json.user_id).toBe(user_id)
  })
})

describe('two seconds in all', () => {
  test('one attempt that hangs uses them up', async () => {
    const { timer, runOut, waiting } = createTimers()
    const backend = await startBackend({ answer: () => 'hang' })
    const { login, events } = setUp({ onLogin: backend.url, timer })

    const answer = login()
    await until(() => backend.received.length === 1)
    await runOut(2_000)

    const { status, json } = await answer
    expect([status, json.error]).toEqual([503, 'temporarily_unavailable'])
    expect(failureIn(events)).toContain('has not answered within 2000 ms')
    expect(waiting()).toEqual([])
  })

  test('a second attempt has what is left of them, and no deadline of its own', async () => {
    const { timer, runOut, waiting } = createTimers()
    const backend = await startBackend({
      answer: (_, index) => (index === 0 ? { status: 503 } : 'hang'),
    })
    const { login } = setUp({ onLogin: backend.url, timer })

    const answer = login()
    await runOut(100)
    await until(() => backend.received.length === 2)
    expect(waiting()).toEqual([2_000])
    await runOut(2_000)

    expect((await answer).status).toBe(503)
  })

  test('the pause before it is part of them', async () => {
    const { timer, runOut, waiting } = createTimers()
    const backend = await startBackend({ answer: () => 'cut' })
    const { login } = setUp({ onLogin: backend.url, timer })

    const answer = login()
    await until(() => waiting().includes(100))
    await runOut(2_000)

    expect((await answer).status).toBe(503)
    expect(backend.received).toHaveLength(1)
  })
})

test.each([undefined, '0'])(
  'a certificate that nobody vouches for is refused, also with NODE_TLS_REJECT_UNAUTHORIZED=%s',
  async (variable) => {
    vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', variable)
    onTestFinished(() => void vi.unstubAllEnvs())
    let requests = 0
    const server = createTlsServer(selfSigned('localhost'), (_, response) => {
      requests += 1
      send(response, { status: 200, body: { userId: 'u7' } })
    })
    await new Promise<void>((up) => server.listen(0, '127.0.0.1', up))
    onTestFinished(() => void server.close())
    const { port } = server.address() as AddressInfo
    const { login } = setUp({ onLogin: `https://localhost:${port}/` })

    const { status, json } = await login()

    expect([status, json.error, requests]).toEqual([503, 'temporarily_unavailable', 0])
  },
)

test('a connection is kept for the next webhook, and made again where the backend has closed it', async () => {
  const sockets = new Set<Socket>()
  const url = await listen((request, response) => {
    sockets.add(request.socket)
    request.resume().on('end', () => send(response, { status: 200, body: {} }))
  })
  const { login } = setUp({ onLogin: url })

  for (let n = 0; n < 3; n++) expect((await login()).status).toBe(200)
  expect(sockets.size).toBe(1)
  for (const socket of sockets) socket.destroy()
  expect((await login()).status).toBe(200)

  expect(sockets.size).toBe(2)
})

test('no event tells an openid, a phone number or a secret', async () => {
  const backend = await startBackend({ answer: () => ({ status: 500, body: { error: 'boom' } }) })
  const { login, events, wechat } = setUp({ onLogin: backend.url })

  await login({ input: 'my-private-input' })

  const told = JSON.stringify(events, (_, value) =>
    value instanceof Error ? `${value.message} ${value.cause}` : value,
  )
  for (const secret of [wechat.openidOf('alice'), current.slice(6), 'my-private-input']) {
    expect(told).not.toContain(secret)
  }
})

describe('secrets', () => {
  test.each([24, 32, 64])('%i bytes make one', (bytes) => {
    expect(readWebhookSecret(`whsec_${randomBytes(bytes).toString('base64')}`)).toHaveLength(bytes)
  })

  test.each([23, 65])('%i bytes do not', (bytes) => {
    expect(readWebhookSecret(`whsec_${randomBytes(bytes).toString('base64')}`)).toBeUndefined()
  })
})

describe('where a webhook may go', () => {
  test.each([
    'https://api.example.com/hooks',
    'https://8.8.8.8/hooks',
    'http://localhost:8090/hooks',
    'http://127.0.0.1:8090/hooks',
    'http://[::1]:8090/hooks',
    'http://10.1.2.3/hooks',
    'http://172.16.5.5/hooks',
    'http://172.31.255.1/hooks',
    'http://192.168.1.2/hooks',
    'http://100.64.0.1/hooks',
    'http://[fd12::1]/hooks',
    'http://backend:8090/hooks',
    'http://host.docker.internal:8090/hooks',
    'http://backend.shop.svc.cluster.local/hooks',
  ])('%s', (url) => {
    expect(wrongInWebhookUrl(url)).toBeUndefined()
  })

  test.each([
    'http://api.example.com/hooks',
    'http://8.8.8.8/hooks',
    'http://172.15.0.1/hooks',
    'http://172.32.0.1/hooks',
    'http://192.169.0.1/hooks',
    'http://100.128.0.1/hooks',
    // What clouds tell their machines, keys included.
    'http://169.254.169.254/hooks',
    'http://[2001:db8::1]/hooks',
    'http://internal.example.com/hooks',
    // Another way to write 8.8.8.8.
    'http://134744072/hooks',
    'ftp://backend/hooks',
    'backend:8090',
    '',
    7,
  ])('and where not: %s', (url) => {
    expect(wrongInWebhookUrl(url)).toBeDefined()
  })
})

function failureIn(events: readonly AuthEvent[]): string {
  return events
    .flatMap((event) =>
      event.type === 'failure' && event.error instanceof Error ? [event.error.message] : [],
    )
    .join()
}
