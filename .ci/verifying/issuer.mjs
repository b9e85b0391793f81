// Access tokens of our server, good and bad, and the address where it publishes its keys.
import { createHmac, createPublicKey, generateKeyPairSync, randomBytes, sign } from 'node:crypto'
import { createServer } from 'node:http'
import { createServer as createTlsServer } from 'node:https'

const { createAuth } = await import('../../packages/server/dist/index.js')
const { authRoutes } = await import('../../packages/server/dist/node.js')
const { createFakeWeChat } = await import('../../packages/server/dist/testing.js')

export const userId = 'u-1024'
export const appId = 'wx0000000000000001'
const otherAppId = 'wx0000000000000002'
const secret = randomBytes(32).toString('base64url')

/** Listens on loopback; with `tls`, a key and a certificate, as https. */
export async function createIssuer({ kind = 'ES256', tls } = {}) {
  const apps = [appId, otherAppId].map((id) => ({
    appId: id,
    appSecret: randomBytes(16).toString('hex'),
  }))
  const wechat = createFakeWeChat({ apps })
  const [first, second] = [makeKey(kind, 'first'), makeKey(kind, 'second')]

  const authWith = (options = {}) =>
    createAuth({
      apps,
      secret,
      signingKeys: [first],
      fetch: wechat.fetch,
      onLogin: () => ({ userId }),
      onEvent() {},
      ...options,
    })
  const answerOf = (options, app = appId) =>
    authWith(options).login({ code: wechat.codeFor('alice', { appId: app }), appId: app })
  const tokenOf = async (options, app) => (await answerOf(options, app)).access_token

  let serving = authWith()
  let published = authRoutes(serving, { basePath: '/wx' })
  /** What a phone gets; for a client of another kind, which has no code of WeChat's. */
  async function login(response) {
    const answer = await serving.login({ code: wechat.codeFor('alice', { appId }), appId })
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer))
  }
  let fetches = 0
  let isDown = false
  const listener = (request, response) => {
    if (request.url.endsWith('/jwks.json')) fetches += 1
    if (isDown) return void response.writeHead(503).end()
    if (request.url === '/login-as-alice') return void login(response)
    return published(request, response)
  }
  const server = tls ? createTlsServer(tls, listener) : createServer(listener)
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address()

  return {
    url: tls ? `https://localhost:${port}` : `http://127.0.0.1:${port}`,
    /** How often the keys were asked for. */
    fetches: () => fetches,
    /** The keys cannot be had any more, or again. */
    fail(does = true) {
      isDown = does
    },
    /** The second deploy of a rotation: both keys are published, and the new one signs. */
    rotate() {
      serving = authWith({ signingKeys: [second, first] })
      published = authRoutes(serving, { basePath: '/wx' })
    },
    tokenOf,

    /** By name: what a verifier must accept, and what it must refuse. */
    async tokens() {
      const good = await tokenOf()
      const at = (seconds) => tokenOf({ now: () => Date.now() + seconds * 1000 })
      const publicPart = createPublicKey({ key: first, format: 'jwk' })
      const [header, payload, signature] = good.split('.')
      const headerWith = (changes) => encoded({ ...decoded(header), ...changes })
      const hmac = (key) => {
        const input = `${headerWith({ alg: 'HS256' })}.${payload}`
        return `${input}.${createHmac('sha256', key).update(input).digest('base64url')}`
      }
      const changed = encoded({ ...decoded(payload), sub: 'somebody-else' })
      return {
        good: { good, 'clock 20 s ahead': await at(20), 'over for 15 s': await at(-915) },
        bad: {
          expired: await at(-3600),
          'over for 60 s': await at(-960),
          'foreign key': await tokenOf({ signingKeys: [makeKey(kind, 'first')] }),
          'unknown kid': await tokenOf({ signingKeys: [makeKey(kind, 'unknown')] }),
          'alg none': `${headerWith({ alg: 'none' })}.${payload}.`,
          'alg NONE': `${headerWith({ alg: 'NONE' })}.${payload}.`,
          'HS256, PEM': hmac(publicPart.export({ format: 'pem', type: 'spki' })),
          'HS256, JWK': hmac(JSON.stringify(publicPart.export({ format: 'jwk' }))),
          'other AppID': await tokenOf({}, otherAppId),
          'other issuer': await tokenOf({ issuer: 'https://login.example.com' }),
          'refresh token': (await answerOf()).refresh_token,
          'by the secret': await tokenOf({ signingKeys: [] }),
          'typ JWT': signed(headerWith({ typ: 'JWT' }), payload, first),
          changed: `${header}.${changed}.${signature}`,
          'no signature': `${header}.${payload}.`,
          'zeros signed': `${header}.${payload}.${Buffer.alloc(64).toString('base64url')}`,
          garbage: 'a.b.c',
        },
      }
    },

    /** As if somebody made it up, each with another `kid`. */
    madeUp: () => tokenOf({ signingKeys: [makeKey('ES256', `k${Math.random()}`)] }),
    afterRotation: () => tokenOf({ signingKeys: [second, first] }),
    beforeRotation: () => tokenOf(),
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections()
        server.close(resolve)
      }),
  }
}

const kinds = {
  ES256: ['ec', { namedCurve: 'P-256' }],
  RS256: ['rsa', { modulusLength: 2048 }],
  EdDSA: ['ed25519', {}],
}

function makeKey(kind, kid) {
  const { privateKey } = generateKeyPairSync(...kinds[kind])
  return { ...privateKey.export({ format: 'jwk' }), kid }
}

/** As the server would, with a header that it never writes. */
function signed(header, payload, jwk) {
  const key = { key: jwk, format: 'jwk', dsaEncoding: 'ieee-p1363' }
  const hash = jwk.kty === 'OKP' ? null : 'sha256'
  return `${header}.${payload}.${sign(hash, Buffer.from(`${header}.${payload}`), key).toString('base64url')}`
}

const encoded = (value) => Buffer.from(JSON.stringify(value)).toString('base64url')
const decoded = (part) => JSON.parse(Buffer.from(part, 'base64url').toString())
