import { createAuth, createMemoryStore } from '@wxlogin/server'
import { createFakeWeChat } from '@wxlogin/server/testing'
import { loginMs, requestMs } from './backend.mjs'
import { appId } from './phone.mjs'

/** The real server with a route of the app's, where the outcome is the server's as much as the client's. */
export function createServer({ clock }) {
  const { now } = clock
  const wechat = createFakeWeChat({ now, apps: [{ appId, appSecret: 'a'.repeat(32) }] })
  const store = createMemoryStore({ now })
  const ids = new Set()
  const arrived = new Set()
  let used = new Set()
  const auth = createAuth({
    apps: [wechat.app],
    secret: 'a secret for benches, 32 bytes and more',
    fetch: wechat.fetch,
    now,
    revocation: 'immediate',
    maxSessionsPerUser: 1000,
    onEvent() {},
    store: {
      ...store,
      create(record) {
        ids.add(record.id)
        return store.create(record)
      },
    },
  })

  async function serveAuth(path, { method, header, data }) {
    const { status, headers, body } = await auth.handle({
      method,
      path,
      header: (name) => header[name.toLowerCase()],
      body: { parsed: JSON.parse(JSON.stringify(data)) },
    })
    const answer = body ? JSON.parse(body) : ''
    return {
      statusCode: status,
      header: headers,
      data: answer,
      delayMs: loginMs,
      ...(status === 200 && { onArrival: () => arrived.add(sessionOf(answer.access_token)) }),
    }
  }

  async function serveOrder(path, { header }) {
    const { response, session } = await auth.guard(header.authorization)
    return response
      ? {
          statusCode: response.status,
          header: response.headers,
          data: JSON.parse(response.body || '{}'),
          delayMs: requestMs,
        }
      : {
          statusCode: 200,
          data: { order: path },
          delayMs: requestMs,
          onArrival: () => used.add(session.id),
        }
  }

  return {
    codeFor: () => wechat.codeFor('alice'),
    serve(request) {
      const path = request.url.replace(/^https:\/\/[^/]+/, '').replace(/\?.*/, '')
      return path.startsWith('/wx/')
        ? serveAuth(path.slice('/wx'.length), request)
        : serveOrder(path, request)
    },
    /** Those that live, and of which a phone has heard. */
    async sessions() {
      const records = await Promise.all([...ids].map((id) => store.get(id)))
      return records
        .filter((record) => record && record.revokedAt === undefined && arrived.has(record.id))
        .map(({ id }) => id)
    },
    /** With which requests have been served since this was asked before. */
    used() {
      const before = used
      used = new Set()
      return before
    },
    /** Its tokens grow old by themselves. */
    forgetSessions() {},
    close: () => auth.close(),
  }
}

function sessionOf(accessToken) {
  const [, payload] = accessToken.split('.')
  return JSON.parse(Buffer.from(payload, 'base64url').toString()).sid
}
