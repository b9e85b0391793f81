import { createHash, generateKeyPairSync, randomUUID, sign, verify } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { Fault } from './faults.js'
import { createSessionsOfServer, type SessionOfServer } from './faulty-sessions.js'
import { createWeChatCalls, type WeChatCallsOptions } from './faulty-wechat.js'
import { WireError } from './wire-error.js'

export interface FaultyServer {
  /** With the path of the login routes. */
  readonly url: string
  close(): Promise<void>
}

interface Answered {
  readonly status: number
  readonly body?: object
  readonly headers?: Readonly<Record<string, string>>
}

type Body = Readonly<Record<string, unknown>>

interface Asked {
  readonly body: Body
  readonly key: string
  readonly receivedMs: number
}

const keyForm = /^[A-Za-z0-9_-]{22,64}$/
const accessSeconds = 900
const maxBytes = 8 * 1024
const kinds: readonly unknown[] = ['mini_program', 'website', 'official_account', 'wecom', 'custom']

/**
 * A server that speaks the wire, written from its description and with nothing of `@wxlogin/server`, in which one thing
 * may be wrong. It also has `GET /me` for signed-in users, and `POST /revoke` for a test that plays the app.
 */
export async function startFaultyServer(options: WeChatCallsOptions): Promise<FaultyServer> {
  const { appId, fault } = options
  const is = (name: Fault) => fault === name
  const wechat = createWeChatCalls(options)
  const sessions = createSessionsOfServer(fault)
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const logins = new Map<string, { readonly key: string; readonly answer: Promise<object> }>()
  const opened = new Map<string, SessionOfServer>()

  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const header = part({ alg: 'ES256', typ: 'at+jwt', kid: 'one' })

  function accessToken({ userId, id, createdMs }: SessionOfServer): string {
    const now = Math.floor(Date.now() / 1000)
    const claims = {
      ...{ iss: 'faulty', aud: appId, client_id: appId, sub: userId, sid: id, jti: randomUUID() },
      ...{ iat: now, exp: now + accessSeconds, auth_time: Math.floor(createdMs / 1000) },
    }
    const text = `${header}.${part(claims)}`
    const key = { key: privateKey, dsaEncoding: 'ieee-p1363' } as const
    return `${text}.${sign('sha256', Buffer.from(text), key).toString('base64url')}`
  }

  /** Who asks. */
  function userOf(req: IncomingMessage): SessionOfServer {
    const [, token = ''] = /^Bearer +(\S+)$/i.exec(req.headers.authorization ?? '') ?? []
    if (is('refresh-token-opens')) {
      const session = sessions.byRefreshToken(token)
      if (session) return session
    }
    const [head, body = '', signature = ''] = token.split('.')
    const key = { key: publicKey, dsaEncoding: 'ieee-p1363' } as const
    const signed = Buffer.from(`${head}.${body}`)
    if (head === header && verify('sha256', signed, key, Buffer.from(signature, 'base64url'))) {
      const { sub, sid, exp } = JSON.parse(Buffer.from(body, 'base64url').toString())
      const isOver = exp + 30 < Date.now() / 1000
      const session = [...opened.values()].find(({ id }) => id === sid)
      if (session?.userId === sub && session && (!isOver || is('expired-token-opens'))) {
        return session
      }
    }
    const challenge = { 'www-authenticate': 'Bearer error="invalid_token"' }
    const headers = is('challenge-missing') ? {} : challenge
    throw new WireError(401, 'invalid_token', 'Not an access token of this server', { headers })
  }

  const tokens = (session: SessionOfServer) => ({
    access_token: accessToken(session),
    token_type: is('token-type-jwt') ? 'JWT' : 'Bearer',
    expires_in: is('expires-in-text') ? String(accessSeconds) : accessSeconds,
    refresh_token: session.tokens.at(-1),
    refresh_expires_in: 30 * 24 * 3600,
    user_id: session.userId,
  })

  async function login({ body, key }: Asked): Promise<object> {
    const code = textIn(body, 'code')
    const app_id = textIn(body, 'app_id')
    const kind = optionalIn(body, 'kind', 'string') ?? 'mini_program'
    optionalIn(body, 'device', 'string')
    optionalIn(body, 'previous_signed_out', 'boolean')
    const previous = optionalIn(body, 'previous_refresh_token', 'string')
    const previousKey = optionalIn(body, 'previous_idempotency_key', 'string')
    if (code === 'the code is a mock one') {
      const reason = 'mock_code'
      throw new WireError(400, 'invalid_code', 'DevTools has no AppID', { reason })
    }
    if (!kinds.includes(kind)) throw new WireError(400, 'invalid_request', 'There is no such kind')
    if ((app_id !== appId || kind !== 'mini_program') && !is('app-id-unread')) {
      throw new WireError(400, 'unknown_app', 'This AppID is not served here')
    }
    if (!/^[\w-]{1,128}$/.test(code)) throw new WireError(400, 'invalid_code', 'This is no code')
    const before = logins.get(code)
    if (before) return loginAgain(code, before, key)
    const endPrevious = () => previous && sessions.endBy(previous, previousKey || undefined)
    if (is('previous-ended-early')) endPrevious()

    const answer = (async () => {
      const { openid, sessionKey } = await wechat.exchange(code)
      const session = sessions.open(userIdOf(openid), openid)
      opened.set(code, session)
      if (!is('previous-lives-on')) endPrevious()
      return {
        ...tokens(session),
        ...(is('openid-answered') && { openid }),
        ...(is('session-key-answered') && { data: { session_key: sessionKey } }),
      }
    })()
    logins.set(code, { key, answer })
    // What has failed may be tried again.
    answer.catch(() => logins.delete(code))
    return answer
  }

  async function loginAgain(
    code: string,
    before: { readonly key: string; readonly answer: Promise<object> },
    key: string,
  ): Promise<object> {
    const used = new WireError(400, 'invalid_code', 'The code was used before')
    if (before.key === key) {
      const wasRunning = !opened.has(code)
      if (is('double-tap-refused') && wasRunning) throw used
      const answer = await before.answer
      const session = opened.get(code)
      if (session && (session.ended || session.tokens.length > 1)) throw used
      if (is('login-retry-refused') && !wasRunning) throw used
      return answer
    }
    await before.answer.catch(() => undefined)
    const session = opened.get(code)
    if (!session) throw used
    if (is('code-again-new-session')) return tokens(sessions.open(session.userId, session.openid))
    if (!is('stolen-code-keeps-session')) sessions.end(session, 'reused')
    throw used
  }

  function userIdOf(openid: string): string {
    if (is('user-id-changes')) return randomUUID()
    return createHash('sha256').update(openid).digest('hex').slice(0, 12)
  }

  const routes: Readonly<
    Record<string, (asked: Asked, req: IncomingMessage) => Promise<Answered>>
  > = {
    'POST /wx/login': async (asked) => {
      checkKey(asked.key, 'login-without-key')
      return { status: 200, body: await login(asked) }
    },

    'POST /wx/refresh': async ({ body, key }) => {
      checkKey(key)
      const session = await sessions.refresh(textIn(body, 'refresh_token'), key)
      return { status: 200, body: tokens(session) }
    },

    'POST /wx/logout': async ({ body, key, receivedMs }) => {
      if (key !== '') checkKey(key)
      const everywhere = optionalIn(body, 'everywhere', 'boolean') ?? false
      const token = textIn(body, 'refresh_token')
      sessions.logout({ token, key: key || undefined, everywhere, receivedMs })
      return { status: 204 }
    },

    'POST /wx/phone': async ({ body, key }, req) => {
      const { openid } = userOf(req)
      if (key !== '') checkKey(key)
      return { status: 200, body: await wechat.phoneNumber(textIn(body, 'code'), openid) }
    },

    'GET /wx/jwks.json': async () => {
      const { kty, crv, x, y } = publicKey.export({ format: 'jwk' })
      const key = { kty, crv, x, y, kid: 'one', alg: 'ES256', use: 'sig' }
      const headers = { 'cache-control': 'public, max-age=300' }
      return { status: 200, body: { keys: [key] }, headers }
    },

    'GET /me': async (_asked, req) => ({ status: 200, body: { user_id: userOf(req).userId } }),

    'POST /revoke': async ({ body }) => {
      sessions.revokeAll(textIn(body, 'user_id'))
      return { status: 204 }
    },
  }

  function checkKey(key: string, without?: Fault): void {
    if (keyForm.test(key) || is('keys-of-any-form')) return
    if (key === '' && without !== undefined && is(without)) return
    throw new WireError(400, 'invalid_request', 'The Idempotency-Key is missing or malformed')
  }

  async function bodyOf(req: IncomingMessage): Promise<Record<string, unknown>> {
    const type = req.headers['content-type'] ?? ''
    if (!/^application\/json\b/i.test(type) && !is('any-content-type')) {
      throw new WireError(415, 'invalid_request', 'The body must be JSON')
    }
    const chunks: Buffer[] = []
    let bytes = 0
    for await (const chunk of req) {
      bytes += chunk.length
      if (bytes <= maxBytes || is('any-size')) chunks.push(chunk)
    }
    if (bytes > maxBytes && !is('any-size')) {
      throw new WireError(413, 'invalid_request', 'The body is too large')
    }
    const body = parsed(Buffer.concat(chunks).toString())
    const known = /^(code|app_id|kind|device|input|refresh_token|everywhere|user_id|previous_\w+)$/
    const strange = Object.keys(body).find((name) => !known.test(name))
    if (strange !== undefined && is('new-members-refused')) {
      throw new WireError(400, 'invalid_request', `There is no ${strange}`)
    }
    return body
  }

  async function answer(req: IncomingMessage): Promise<Answered> {
    const [path = ''] = (req.url ?? '').split('?')
    const method = is('any-method') && path.startsWith('/wx/') ? 'POST' : req.method
    const route = routes[`${method} ${path}`] ?? routes[`GET ${path}`]
    if (!route) {
      const isOther = `POST ${path}` in routes
      const headers: Record<string, string> = isOther ? { allow: 'POST' } : {}
      throw new WireError(isOther ? 405 : 404, 'invalid_request', 'Not here', { headers })
    }
    const isRead = req.method === 'POST'
    const receivedMs = Date.now()
    // Of what is refused for its user nothing is read.
    if (path === '/wx/phone' && userOf(req).ended) {
      const headers = { 'www-authenticate': 'Bearer error="invalid_token"' }
      throw new WireError(401, 'invalid_token', 'The session has ended', { headers })
    }
    const body = isRead ? await bodyOf(req) : {}
    const key = String(req.headers['idempotency-key'] ?? '').replace(/^"(.*)"$/, '$1')
    return route({ body, key, receivedMs }, req)
  }

  function send(res: ServerResponse, { status, body, headers = {} }: Answered): void {
    const isSecret = !is('no-store-missing') || status !== 200
    res.writeHead(status, {
      ...(isSecret && { 'cache-control': 'no-store' }),
      'x-content-type-options': 'nosniff',
      ...(body && { 'content-type': 'application/json; charset=utf-8' }),
      ...headers,
    })
    res.end(body && JSON.stringify(body))
  }

  const server = createServer((req, res) => {
    answer(req).then(
      (answered) => send(res, answered),
      (error: unknown) => {
        const {
          status,
          error: code,
          message,
          more,
        } = error instanceof WireError ? error : new WireError(500, 'server_error', 'A bug')
        const { reason, headers = {} } = more
        const request_id = status < 500 ? undefined : (req.headers['x-request-id'] ?? randomUUID())
        const body = { error: code, error_description: message, reason, request_id }
        send(res, { status, headers, body })
      },
    )
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  const address = server.address()
  return {
    url: `http://127.0.0.1:${Object(address).port}/wx`,
    close: () =>
      new Promise((closed) => {
        server.close(() => closed())
        server.closeAllConnections()
      }),
  }
}

function parsed(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value }
  } catch {}
  throw new WireError(400, 'invalid_request', 'The body must be a JSON object')
}

function textIn(body: Body, name: string): string {
  const value = body[name]
  if (typeof value === 'string' && value !== '') return value
  throw new WireError(400, 'invalid_request', `"${name}" must be a string that is not empty`)
}

function optionalIn(body: Body, name: string, type: 'string'): string | undefined
function optionalIn(body: Body, name: string, type: 'boolean'): boolean | undefined
function optionalIn(body: Body, name: string, type: string): unknown {
  const value = body[name]
  if (value === undefined || typeof value === type) return value
  throw new WireError(400, 'invalid_request', `"${name}" must be a ${type}`)
}
