// What the work of this library costs beside what others do for the same job, in one run on one machine.
import { createSecretKey, randomBytes, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { Worker } from 'node:worker_threads'
import { createAuth } from '@wxlogin/server'
import { requireAuth, sessionOf } from '@wxlogin/server/express'
import express from 'express'
import { createSigner, createVerifier } from 'fast-jwt'
import { jwtVerify, SignJWT } from 'jose'
import jsonwebtoken from 'jsonwebtoken'
import { Agent, request } from 'undici'
import { measure } from './measure.mjs'

const secret = randomBytes(48).toString('base64')
const app = { appId: 'wx0000000000000001', appSecret: randomBytes(16).toString('hex') }
const checks = { issuer: 'wxlogin', audience: app.appId }

const payload = () => ({
  iss: checks.issuer,
  aud: app.appId,
  client_id: app.appId,
  sub: 'user-1',
  jti: randomUUID(),
  sid: randomBytes(16).toString('base64url'),
})

const joseKey = await crypto.subtle.importKey(
  'raw',
  new TextEncoder().encode(secret),
  { name: 'HMAC', hash: 'SHA-256' },
  false,
  ['sign', 'verify'],
)
const joseSign = () =>
  new SignJWT(payload())
    .setProtectedHeader({ alg: 'HS256', typ: 'at+jwt', kid: 'aaaaaaaaaaa' })
    .setIssuedAt()
    .setExpirationTime('15m')
    .sign(joseKey)
const joseOptions = { ...checks, algorithms: ['HS256'], typ: 'at+jwt' }
const fastOptions = {
  key: secret,
  algorithms: ['HS256'],
  allowedIss: checks.issuer,
  allowedAud: app.appId,
}

const auth = createAuth({ apps: [app], secret, onEvent: () => undefined })
const forgetful = createAuth({ apps: [app], secret, maxVerifiedTokens: 0 })
const ownToken = async () =>
  (await auth.sessions.create({ account: { openid: randomUUID() } })).access_token

// A request brings its token as a string that was never seen before, so each is used once.
const copies = (text) => (count) => {
  const bytes = Buffer.from(text)
  return Array.from({ length: count }, () => bytes.toString('latin1'))
}
const eachOf = (visit) => async (texts) => {
  for (const text of texts) await visit(text)
}
const eachOfSync = (visit) => (texts) => {
  for (const text of texts) visit(text)
}
const tokens =
  (make, prefix = '') =>
  async (count) => {
    const made = []
    // Copied, because a string that was put together is slower to read than one that came from a socket.
    for (let n = 0; n < count; n++)
      made.push(Buffer.from(prefix + (await make())).toString('latin1'))
    return made
  }

const own = await ownToken()
const foreign = await joseSign()
const cachedVerify = createVerifier({ ...fastOptions, cache: 10_000 })
const plainVerify = createVerifier(fastOptions)
// A text as its key makes it try to read a PEM first, every time, so it gets a key object.
const secretKey = createSecretKey(Buffer.from(secret))
const jsonwebtokenVerify = (token) =>
  jsonwebtoken.verify(token, secretKey, { ...checks, algorithms: ['HS256'] })

const warm = await measure(
  'Verifying a token that was seen before',
  {
    'wxlogin authenticate': {
      prepare: copies(`Bearer ${own}`),
      run: eachOf((text) => auth.authenticate(text)),
    },
    'fast-jwt, cache on': { prepare: copies(foreign), run: eachOfSync(cachedVerify) },
    'fast-jwt, cache off': { prepare: copies(foreign), run: eachOfSync(plainVerify) },
    'jsonwebtoken (no cache)': { prepare: copies(foreign), run: eachOfSync(jsonwebtokenVerify) },
    'jose jwtVerify (no cache)': {
      prepare: copies(foreign),
      run: eachOf((text) => jwtVerify(text, joseKey, joseOptions)),
    },
  },
  { count: 5000 },
)

const cold = await measure(
  'Verifying a token for the first time',
  {
    'wxlogin authenticate': {
      prepare: tokens(ownToken, 'Bearer '),
      run: eachOf((text) => forgetful.authenticate(text)),
    },
    'jose jwtVerify': {
      prepare: tokens(joseSign),
      run: eachOf((text) => jwtVerify(text, joseKey, joseOptions)),
    },
    'fast-jwt, cache off': { prepare: tokens(joseSign), run: eachOfSync(plainVerify) },
    jsonwebtoken: { prepare: tokens(joseSign), run: eachOfSync(jsonwebtokenVerify) },
  },
  { count: 200, rounds: 41 },
)

const fastSign = createSigner({ key: secret, algorithm: 'HS256', expiresIn: 900_000 })
const times = (make) => async (_prepared, count) => {
  for (let n = 0; n < count; n++) await make()
}
await measure(
  'Issuing a pair of tokens (with wxlogin: and keeping the session in memory)',
  {
    'wxlogin sessions.create': {
      run: times(() =>
        auth.sessions.create({ account: { openid: 'person' }, userId: randomUUID() }),
      ),
    },
    'jose, two signatures': { run: times(() => Promise.all([joseSign(), joseSign()])) },
    'fast-jwt, two signatures': { run: times(() => [fastSign(payload()), fastSign(payload())]) },
    'jsonwebtoken, two signatures': {
      run: times(() =>
        [1, 2].map(() => jsonwebtoken.sign(payload(), secretKey, { expiresIn: 900 })),
      ),
    },
  },
  { count: 1000 },
)

const emulator = new Worker(new URL('./emulator.mjs', import.meta.url))
const [wechat] = await once(emulator, 'message')
const codes = async (count) => {
  emulator.postMessage({ codes: count })
  const [made] = await once(emulator, 'message')
  return made
}
const backend = createAuth({ apps: [wechat.app], secret, wechatHosts: [wechat.url] })
const agent = new Agent()
async function bareExchange(code) {
  const query = new URLSearchParams({
    appid: wechat.app.appId,
    secret: wechat.app.appSecret,
    js_code: code,
    grant_type: 'authorization_code',
  })
  const { body } = await request(`${wechat.url}/sns/jscode2session?${query}`, { dispatcher: agent })
  return body.json()
}
const login = await measure(
  'A login over loopback',
  {
    'wxlogin login': { prepare: codes, run: eachOf((code) => backend.login({ code })) },
    'bare undici request + two signatures': {
      prepare: codes,
      run: eachOf(async (code) => {
        await bareExchange(code)
        await Promise.all([joseSign(), joseSign()])
      }),
    },
    'bare undici request': { prepare: codes, run: eachOf(bareExchange) },
  },
  { count: 300 },
)

const server = express()
const orders = Array.from({ length: 10 }, (_, id) => ({ id, title: `Order ${id}` }))
server.get('/open', (_req, res) => res.json({ orders }))
server.get('/guarded', requireAuth(auth), (req, res) =>
  res.json({ user: sessionOf(req, auth).userId, orders }),
)
const listening = createServer(server).listen(0, '127.0.0.1')
await once(listening, 'listening')
const origin = `http://127.0.0.1:${listening.address().port}`
const headers = { authorization: `Bearer ${own}` }
const visit = (path) => async (_prepared, count) => {
  let left = count
  const client = async () => {
    while (left-- > 0) {
      const { body } = await request(origin + path, { dispatcher: agent, headers })
      await body.dump()
    }
  }
  await Promise.all(Array.from({ length: 10 }, client))
}
await measure(
  'A route of Express over loopback, 10 requests at a time',
  { 'behind requireAuth': { run: visit('/guarded') }, 'without it': { run: visit('/open') } },
  { count: 2000 },
)

const bare = 'bare undici request + two signatures'
const goals = [
  [
    'warm: times as fast as fast-jwt with its cache',
    warm['fast-jwt, cache on'] / warm['wxlogin authenticate'],
    '>=',
    3,
  ],
  ['cold: cost beside jose', cold['wxlogin authenticate'] / cold['jose jwtVerify'], '<=', 1.2],
  [
    'login: cost beside the bare exchange and two signatures',
    login['wxlogin login'] / login[bare],
    '<=',
    2,
  ],
]
console.log('\nGoals')
for (const [what, value, relation, goal] of goals) {
  const isMet = relation === '>=' ? value >= goal : value <= goal
  console.log(
    `  ${isMet ? 'met   ' : 'MISSED'}  ${what}: ${value.toFixed(2)} (${relation} ${goal})`,
  )
}

await emulator.terminate()
await Promise.all([auth.close(), forgetful.close(), backend.close(), agent.close()])
listening.close()
