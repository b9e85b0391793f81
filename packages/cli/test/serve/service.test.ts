import { randomBytes } from 'node:crypto'
import { createServer } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { createRemoteJWKSet, jwtVerify } from 'jose'
import { describe, expect, onTestFinished, test } from 'vitest'
import { folderWith, listen, wxlogin } from '../set-up.js'
import { post, type Serving, signingKey, startServe } from './set-up.js'

const webhookSecret = `whsec_${randomBytes(32).toString('base64')}`

const loginBody = ({ wechat }: Serving, who = 'alice') => ({
  code: wechat.codeFor(who),
  app_id: wechat.app.appId,
})

/** A backend that answers webhooks as it is told to. */
async function startBackend(
  answer: (body: ReturnType<typeof JSON.parse>) => object | Promise<object>,
) {
  const seen: ReturnType<typeof JSON.parse>[] = []
  const url = await listen((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk) => chunks.push(chunk))
    request.on('end', () => {
      const body = JSON.parse(Buffer.concat(chunks).toString())
      seen.push(body)
      void (async () => response.end(JSON.stringify(await answer(body))))()
    })
  })
  return { url, seen }
}

describe('a phone logs in', () => {
  test('and any program verifies its token by the published keys alone', async () => {
    const backend = await startBackend(({ type }) =>
      type === 'login' ? { userId: 'u7' } : { role: 'vip' },
    )
    const service = await startServe({
      WXLOGIN_WEBHOOKS_ON_LOGIN: backend.url,
      WXLOGIN_WEBHOOKS_CLAIMS: backend.url,
      WXLOGIN_WEBHOOKS_SECRET: webhookSecret,
      WXLOGIN_ISSUER: 'https://login.example.com',
    })

    const { status, json } = await post(`${service.url}/login`, loginBody(service))

    expect(status).toBe(200)
    const keys = createRemoteJWKSet(new URL(`${service.url}/jwks.json`))
    const { payload } = await jwtVerify(json.access_token, keys, {
      algorithms: ['ES256'],
      typ: 'at+jwt',
      issuer: 'https://login.example.com',
      audience: service.wechat.app.appId,
    })
    expect(payload).toMatchObject({ sub: 'u7', role: 'vip' })
    const next = await post(`${service.url}/refresh`, { refresh_token: json.refresh_token })
    expect(next.status).toBe(200)
    expect(
      (await post(`${service.url}/logout`, { refresh_token: next.json.refresh_token })).status,
    ).toBe(204)
  })

  test('below the path that is set, and nowhere else', async () => {
    const service = await startServe({ WXLOGIN_BASE_PATH: '/api/login' })

    expect((await post(`${service.origin}/api/login/login`, loginBody(service))).status).toBe(200)
    expect((await post(`${service.origin}/wx/login`, loginBody(service))).status).toBe(404)
  })
})

describe('the address of a phone, as webhooks get it', () => {
  test.each([
    ['0', '198.51.100.9, 203.0.113.7', '127.0.0.1'],
    ['1', '198.51.100.9, 203.0.113.7', '203.0.113.7'],
    ['2', '198.51.100.9, 203.0.113.7', '198.51.100.9'],
    ['3', '198.51.100.9, 203.0.113.7', '198.51.100.9'],
    ['1', '203.0.113.7:51234', '203.0.113.7'],
    ['1', '[2001:db8::1]:51234', '2001:db8::1'],
    // As a socket for both versions says it: a backend would take it for another caller.
    ['1', '::ffff:203.0.113.7', '203.0.113.7'],
    ['1', '[::FFFF:203.0.113.7]:51234', '203.0.113.7'],
    ['1', '203.0.113.7, unknown', '127.0.0.1'],
    ['1', '', '127.0.0.1'],
  ])('behind %s proxies, with %j', async (trusted, forwarded, ip) => {
    const backend = await startBackend(() => ({}))
    const service = await startServe({
      WXLOGIN_TRUSTED_PROXIES: trusted,
      WXLOGIN_WEBHOOKS_ON_LOGIN: backend.url,
      WXLOGIN_WEBHOOKS_SECRET: webhookSecret,
    })

    await post(`${service.url}/login`, loginBody(service), { 'x-forwarded-for': forwarded })

    expect(backend.seen[0]?.ip).toBe(ip)
  })
})

test('an address that a proxy adds and nobody reads is warned of, once', async () => {
  const backend = await startBackend(() => ({}))
  const webhook = {
    WXLOGIN_WEBHOOKS_ON_LOGIN: backend.url,
    WXLOGIN_WEBHOOKS_SECRET: webhookSecret,
  }
  const unread = await startServe(webhook)
  const read = await startServe({ ...webhook, WXLOGIN_TRUSTED_PROXIES: '1' })

  for (const service of [unread, read]) {
    for (const who of ['alice', 'bob']) {
      const headers = { 'x-forwarded-for': '203.0.113.7' }
      await post(`${service.url}/login`, loginBody(service, who), headers)
    }
  }

  const warnings = ({ lines }: Serving) => lines().filter(({ msg }) => /trustedProxies/.test(msg))
  expect(warnings(unread)).toHaveLength(1)
  expect(warnings(unread)[0].level).toBe('warn')
  expect(warnings(read)).toEqual([])
})

describe('health', () => {
  test.each(['origin', 'adminUrl'] as const)('at %s', async (where) => {
    const service = await startServe()

    for (const path of ['/healthz', '/readyz?probe=1']) {
      expect((await fetch(service[where] + path)).status).toBe(200)
      expect((await fetch(service[where] + path, { method: 'HEAD' })).status).toBe(200)
    }
  })

  test('also to a proxy that sends the whole address (RFC 9112 §3.2.2)', async () => {
    const service = await startServe()

    for (const [url, path] of [
      [service.origin, '/healthz'],
      [service.adminUrl, '/readyz'],
      [service.adminUrl, '/metrics'],
    ] as const) {
      const { port, hostname } = new URL(url)
      const socket = connect(Number(port), hostname)
      onTestFinished(() => void socket.destroy())
      socket.write(
        `GET http://login.example.com${path} HTTP/1.1\r\nhost: login.example.com\r\n\r\n`,
      )
      const answer = await new Promise((answered) => socket.once('data', answered))
      expect(String(answer)).toMatch(/^HTTP\/1\.1 200 /)
    }
  })

  test('without its store it lives, and is not ready', async () => {
    const port = await freePort()
    const service = await startServe({ REDIS_URL: `redis://127.0.0.1:${port}` }, [])

    expect((await fetch(`${service.origin}/healthz`)).status).toBe(200)
    expect((await fetch(`${service.origin}/readyz`)).status).toBe(503)
    expect((await post(`${service.url}/login`, loginBody(service))).json.error).toBe(
      'store_unavailable',
    )
    const said = service.lines().find(({ msg }) => msg === 'store connection')
    expect(said).toMatchObject({ level: 'warn', error: 'ECONNREFUSED' })
  })
})

describe('what is for operators', () => {
  const key = randomBytes(48).toString('base64url')

  test('is on a port of its own: the public one has neither metrics nor the admin API', async () => {
    const service = await startServe({ WXLOGIN_ADMIN_KEY: key })
    const headers = { authorization: `Bearer ${key}` }

    for (const path of ['/metrics', '/sessions/list', '/wx/sessions/list']) {
      const response = await fetch(service.origin + path, { headers })
      expect(response.status).toBe(404)
    }
  })

  test('the admin API ends sessions, for whoever has the key', async () => {
    const service = await startServe({ WXLOGIN_ADMIN_KEY: key, WXLOGIN_REVOCATION: 'immediate' })
    const { json } = await post(`${service.url}/login`, loginBody(service))
    const ask = (path: string, body: object, given = key) =>
      post(service.adminUrl + path, body, { authorization: `Bearer ${given}` })

    const stranger = await ask('/sessions/list', { user_id: json.user_id }, `${key}x`)
    const listed = await ask('/sessions/list', { user_id: json.user_id })
    const revoked = await ask('/sessions/revoke', { user_id: json.user_id, all: true })

    expect(stranger.status).toBe(401)
    expect(listed.json.sessions).toHaveLength(1)
    expect(revoked.json).toEqual({ revoked: 1 })
    const refused = await post(`${service.url}/refresh`, { refresh_token: json.refresh_token })
    expect(refused.json).toMatchObject({ error: 'invalid_grant', reason: 'revoked' })
  })

  test('without a key there is no admin API', async () => {
    const service = await startServe()

    const answer = await post(`${service.adminUrl}/sessions/list`, { user_id: 'u7' })

    expect(answer.status).toBe(404)
  })

  test('a body that is too large is refused, and the service goes on', async () => {
    const service = await startServe({ WXLOGIN_ADMIN_KEY: key })
    const body = { user_id: 'x'.repeat(200_000) }

    const answer = await post(`${service.adminUrl}/sessions/list`, body, {
      authorization: `Bearer ${key}`,
    })

    expect(answer.status).toBe(413)
    expect((await fetch(`${service.adminUrl}/healthz`)).status).toBe(200)
    const startedMs = performance.now()
    expect(await service.end()).toBe(0)
    expect(performance.now() - startedMs).toBeLessThan(5_000)
  })

  test('the metrics count logins', async () => {
    const service = await startServe()
    await post(`${service.url}/login`, loginBody(service))

    const response = await fetch(`${service.adminUrl}/metrics`)

    expect(response.headers.get('content-type')).toContain('text/plain; version=0.0.4')
    expect(await response.text()).toMatch(/^wxlogin_logins_total\{[^}]*\} 1$/m)
  })
})

test('the log has a line an event and a line a request, and no secret', async () => {
  const service = await startServe()
  const body = loginBody(service)

  const { json } = await post(`${service.url}/login`, body)
  await until(() => service.lines().some(({ msg }) => msg === 'request'))

  const lines = service.lines()
  expect(lines.map(({ msg }) => msg)).toEqual(
    expect.arrayContaining(['listening', 'wxlogin warning', 'wxlogin login', 'request']),
  )
  for (const line of lines) {
    expect(line).toMatchObject({ time: expect.stringMatching(/Z$/), level: expect.any(String) })
  }
  const text = JSON.stringify(lines)
  const { wechat } = service
  const secrets = [body.code, json.access_token, json.refresh_token, json.user_id]
  for (const secret of [...secrets, wechat.openidOf('alice'), wechat.app.appSecret, signingKey]) {
    expect(text).not.toContain(secret)
  }
})

describe('when it is told to end', () => {
  test('it answers what is in flight, is ready no more, and ends with 0', async () => {
    let release = () => {}
    const held = new Promise<void>((over) => {
      release = over
    })
    const backend = await startBackend(async () => {
      await held
      return { userId: 'u7' }
    })
    const service = await startServe({
      WXLOGIN_WEBHOOKS_ON_LOGIN: backend.url,
      WXLOGIN_WEBHOOKS_SECRET: webhookSecret,
    })
    const login = post(`${service.url}/login`, loginBody(service))
    await until(() => backend.seen.length === 1)

    const ended = service.end()
    await until(() => service.lines().some(({ msg }) => msg === 'stopping'))
    await expect(fetch(`${service.origin}/healthz`)).rejects.toThrow()
    expect((await fetch(`${service.adminUrl}/readyz`)).status).toBe(503)
    release()

    expect((await login).json.user_id).toBe('u7')
    expect(await ended).toBe(0)
    expect(service.lines().at(-1)).toMatchObject({ msg: 'stopped', cutOff: false })
  })

  test('whoever goes on sending on a connection is told to make another one', async () => {
    let release = () => {}
    const held = new Promise<void>((over) => {
      release = over
    })
    const backend = await startBackend(async () => {
      await held
      return {}
    })
    const service = await startServe({
      WXLOGIN_WEBHOOKS_ON_LOGIN: backend.url,
      WXLOGIN_WEBHOOKS_SECRET: webhookSecret,
    })
    const { port, hostname } = new URL(service.origin)
    const socket = connect(Number(port), hostname)
    let heard = ''
    socket.on('data', (part) => {
      heard += part
    })
    const over = new Promise((end) => socket.once('close', end))
    const body = JSON.stringify(loginBody(service))
    const head = `POST /wx/login HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\nidempotency-key: ${'k'.repeat(22)}\r\n`
    socket.write(`${head}content-length: ${body.length}\r\n\r\n${body}`)
    await until(() => backend.seen.length === 1)

    const ended = service.end()
    await until(() => service.lines().some(({ msg }) => msg === 'stopping'))
    socket.write('GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n')
    release()
    await over

    const [, login = '', health = ''] = heard.split('HTTP/1.1 ')
    expect([login.slice(0, 3), health.slice(0, 3)]).toEqual(['200', '200'])
    expect(health).toMatch(/^connection: close\r$/im)
    expect(await ended).toBe(0)
  })

  test('a connection that a phone keeps open does not hold it up', async () => {
    const service = await startServe()
    const { port, hostname } = new URL(service.origin)
    const socket = connect(Number(port), hostname)
    onTestFinished(() => void socket.destroy())
    socket.write('GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n')
    await new Promise((answered) => socket.once('data', answered))

    const startedMs = performance.now()
    expect(await service.end()).toBe(0)

    expect(performance.now() - startedMs).toBeLessThan(5_000)
  })
})

describe('what keeps it from starting', () => {
  test('a port that is taken', async () => {
    const server = createServer()
    await new Promise<void>((up) => server.listen(0, '127.0.0.1', up))
    onTestFinished(() => void server.close())
    const { port } = server.address() as AddressInfo

    await expect(startServe({ WXLOGIN_LISTEN: `127.0.0.1:${port}` })).rejects.toThrow(
      `has ended with 3: wxlogin: 127.0.0.1:${port} cannot be listened to (EADDRINUSE): choose another address with listen`,
    )
  })

  test('an address that is none of this machine, and which setting it is', async () => {
    await expect(startServe({ WXLOGIN_ADMIN_LISTEN: '192.0.2.1:1' })).rejects.toThrow(
      'choose another address with admin.listen',
    )
  })

  test('--migrate where there is no table', async () => {
    const settings = {
      apps: [{ appId: 'wx1', appSecret: 'd1f3a5c7e9b80246d1f3a5c7e9b80246' }],
      secret: 'Zb3vK9qR1tXw7LmN5pYc2HdJ8sFgA4eU6oTiVnQkBx0',
      signingKeys: [JSON.parse(signingKey)],
    }
    const cwd = folderWith({ 'wxlogin.json': JSON.stringify(settings) })

    expect(await wxlogin(['serve', '--migrate', '--store', 'memory'], { cwd })).toMatchObject({
      exit: 2,
      err: 'wxlogin: --migrate is for DATABASE_URL; nothing else has a table',
    })
  })
})

test('--check says that the store does not answer, and names no password', async () => {
  const port = await freePort()
  const env = {
    LANG: 'en_US.UTF-8',
    WX_APP_ID: 'wx1234567890abcdef',
    WX_APP_SECRET: 'd1f3a5c7e9b80246d1f3a5c7e9b80246',
    WXLOGIN_SECRET: 'Zb3vK9qR1tXw7LmN5pYc2HdJ8sFgA4eU6oTiVnQkBx0',
    WXLOGIN_KEY: signingKey,
    REDIS_URL: `redis://login:hunter2@127.0.0.1:${port}`,
  }

  const { exit, out } = await wxlogin(['serve', '--check'], { env, cwd: folderWith({}) })

  expect(exit).toBe(1)
  expect(out).toContain(`The store at 127.0.0.1:${port} does not answer, or refuses (ECONNREFUSED)`)
  expect(out).not.toContain('hunter2')
})

test('an address that its driver does not take is said so, and not shown', async () => {
  const env = {
    LANG: 'en_US.UTF-8',
    WX_APP_ID: 'wx1234567890abcdef',
    WX_APP_SECRET: 'd1f3a5c7e9b80246d1f3a5c7e9b80246',
    WXLOGIN_SECRET: 'Zb3vK9qR1tXw7LmN5pYc2HdJ8sFgA4eU6oTiVnQkBx0',
    WXLOGIN_KEY: signingKey,
    DATABASE_URL: 'mysql://login:hunter2@127.0.0.1/login?ssl=hunter3',
  }

  const { exit, out, err } = await wxlogin(['serve'], { env, cwd: folderWith({}) })

  expect(exit).toBe(3)
  expect(err).toBe(
    'wxlogin: The driver does not take DATABASE_URL as it is (TypeError): is what stands behind the ? right?',
  )
  expect(out + err).not.toContain('hunter')
})

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((up) => server.listen(0, '127.0.0.1', up))
  const { port } = server.address() as AddressInfo
  await new Promise((closed) => server.close(closed))
  return port
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await delay(5)
}
