// What the work of this library costs beside what others do for the same job, and beside what the machine cannot do
// faster, in one run.
import { fork } from 'node:child_process'
import { createHmac, createSecretKey, randomBytes, randomUUID, timingSafeEqual } from 'node:crypto'
import { once } from 'node:events'
import { availableParallelism, loadavg } from 'node:os'
import { fileURLToPath } from 'node:url'
import { createAuth } from '@wxlogin/server'
import { createSigner, createVerifier } from 'fast-jwt'
import { jwtVerify, SignJWT } from 'jose'
import jsonwebtoken from 'jsonwebtoken'
import { Agent, request } from 'undici'
import { tool } from '../.ci/tools.mjs'
import { mainThreadCpu } from './cpu.mjs'
import { measure, printTable } from './measure.mjs'

console.log(
  `Node ${process.version}, ${availableParallelism()} cores, load ${loadavg()[0].toFixed(1)} before`,
)

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
// A text as its key makes it try to read a PEM first, every time, so it gets a key object.
const secretKey = createSecretKey(Buffer.from(secret))
const jsonwebtokenVerify = (token) =>
  jsonwebtoken.verify(token, secretKey, { ...checks, algorithms: ['HS256'] })
const fastSign = createSigner({ key: secret, algorithm: 'HS256', expiresIn: 900_000 })
const cachedVerify = createVerifier({ ...fastOptions, cache: 10_000 })
const plainVerify = createVerifier({ ...fastOptions, cache: false })

/** The least that a token takes: one signature over its text, and a payload that is parsed. */
const mac = (text) => createHmac('sha256', secretKey).update(text).digest('base64url')
const segment = (value) => Buffer.from(JSON.stringify(value)).toString('base64url')
const rawHeader = segment({ alg: 'HS256', typ: 'at+jwt', kid: 'aaaaaaaaaaa' })
function rawSign(claims) {
  const input = `${rawHeader}.${segment(claims)}`
  return `${input}.${mac(input)}`
}
function rawVerify(token) {
  const end = token.lastIndexOf('.')
  const given = Buffer.from(token.slice(end + 1))
  if (!timingSafeEqual(given, Buffer.from(mac(token.slice(0, end))))) throw new Error('forged')
  return JSON.parse(Buffer.from(token.slice(token.indexOf('.') + 1, end), 'base64url'))
}
const times = () => {
  const iat = Math.floor(Date.now() / 1000)
  return { iat, exp: iat + 900 }
}

const options = { apps: [app], secret, onEvent: () => undefined }
const auth = createAuth(options)
const forgetful = createAuth({ ...options, maxVerifiedTokens: 0 })
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
const tenAtATime = (visit) => async (texts) => {
  const left = texts.values()
  const lane = async () => {
    for (const text of left) await visit(text)
  }
  await Promise.all(Array.from({ length: 10 }, lane))
}
const repeated = (make) => async (_prepared, count) => {
  for (let n = 0; n < count; n++) await make(n)
}

const own = await ownToken()
const foreign = await joseSign()
// Most of a look-up is the hash of its key, so it is the end of the signature, and then the whole is compared.
const endOf = (token) => token.slice(-43)
const seen = new Map([[endOf(foreign), { token: foreign, sub: 'user-1' }]])
const seenWhole = new Map([[foreign, { sub: 'user-1' }]])

const warm = await measure(
  'Verifying a token that was seen before',
  {
    'limit: a look-up in a Map by the end of the token': {
      prepare: copies(foreign),
      run: eachOfSync((text) => seen.get(endOf(text))?.token === text),
    },
    'a look-up in a Map by the whole token': {
      prepare: copies(foreign),
      run: eachOfSync((text) => seenWhole.get(text)),
    },
    'wxlogin authenticate': {
      prepare: copies(`Bearer ${own}`),
      run: eachOf((text) => auth.authenticate(text)),
    },
    'fast-jwt, cache on': { prepare: copies(foreign), run: eachOfSync(cachedVerify) },
  },
  { count: 10_000 },
)

const cold = await measure(
  'Verifying a token for the first time',
  {
    'limit: one raw HMAC and JSON.parse': {
      prepare: tokens(async () => rawSign({ ...payload(), ...times() })),
      run: eachOfSync(rawVerify),
    },
    'wxlogin authenticate': {
      prepare: tokens(ownToken, 'Bearer '),
      run: eachOf((text) => forgetful.authenticate(text)),
    },
    'fast-jwt, cache off': { prepare: tokens(joseSign), run: eachOfSync(plainVerify) },
    jsonwebtoken: { prepare: tokens(joseSign), run: eachOfSync(jsonwebtokenVerify) },
    'jose jwtVerify': {
      prepare: tokens(joseSign),
      run: eachOf((text) => jwtVerify(text, joseKey, joseOptions)),
    },
  },
  { count: 2000, rounds: 21 },
)

const kept = new Map()
const issued = await measure(
  'Issuing a pair of tokens (with wxlogin and the limit: and keeping the session in memory)',
  {
    'limit: two raw HMACs and a write to a Map': {
      run: repeated(() => {
        const claims = { ...payload(), sub: randomUUID(), ...times() }
        kept.set(claims.sid, { ...claims })
        return [rawSign(claims), rawSign({ sid: claims.sid, gen: 0, aud: claims.aud })]
      }),
    },
    'wxlogin sessions.create': {
      run: repeated(() =>
        auth.sessions.create({ account: { openid: 'person' }, userId: randomUUID() }),
      ),
    },
    'fast-jwt, two signatures': { run: repeated(() => [fastSign(payload()), fastSign(payload())]) },
    'jsonwebtoken, two signatures': {
      run: repeated(() =>
        [1, 2].map(() => jsonwebtoken.sign(payload(), secretKey, { expiresIn: 900 })),
      ),
    },
    'jose, two signatures': { run: repeated(() => Promise.all([joseSign(), joseSign()])) },
  },
  { count: 1000 },
)

const pairs = []
for (let n = 0; n < 1000; n++) {
  pairs.push(await auth.sessions.create({ account: { openid: randomUUID() } }))
}
const rawTokens = pairs.map((_, n) =>
  rawSign({ sid: `session-${n}`, gen: 0, aud: app.appId, iat: 1 }),
)
const newKey = () => randomBytes(16).toString('base64url')
const refreshed = await measure(
  'A refresh, sessions in memory',
  {
    'limit: three raw HMACs, a hash and a write to a Map': {
      run: repeated((n) => {
        const { sid, aud, gen } = rawVerify(rawTokens[n])
        const hash = mac(newKey())
        kept.set(sid, { ...kept.get(sid), hash, gen })
        return [
          rawSign({ ...payload(), sid, ...times() }),
          rawSign({ sid, gen: gen + 1, aud, iat: 1 }),
        ]
      }),
    },
    'wxlogin refresh': {
      run: repeated(async (n) => {
        pairs[n] = await auth.refresh({
          refreshToken: pairs[n].refresh_token,
          idempotencyKey: newKey(),
        })
      }),
    },
  },
  { count: pairs.length },
)

const emulator = start('emulator.mjs')
const [wechat] = await once(emulator, 'message')
const codes = async (count) => {
  emulator.send({ codes: count })
  const [made] = await once(emulator, 'message')
  return made
}
const backend = createAuth({ ...options, apps: [wechat.app], wechatHosts: [wechat.url] })
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
// Ten at a time, as a backend in use has them: one after the other, most of the CPU time is what it takes to wake the
// process that plays WeChat, and differs with how long that one has slept.
const login = await measure(
  'A login over loopback, WeChat in another process, 10 at a time; the CPU time is that of the main thread',
  {
    'limit: a bare undici request': { prepare: codes, run: tenAtATime(bareExchange) },
    'bare undici request + two signatures by jose': {
      prepare: codes,
      run: tenAtATime(async (code) => {
        await bareExchange(code)
        await Promise.all([joseSign(), joseSign()])
      }),
    },
    'wxlogin login': { prepare: codes, run: tenAtATime((code) => backend.login({ code })) },
  },
  { count: 1000, cpu: mainThreadCpu },
)

const peers = await tool('route-peers', ['express-jwt@8.5.1', 'fastify@5', '@fastify/jwt@10'], {
  about: 'for the comparison only',
})
const backends = start('backends.mjs', JSON.stringify({ peers, secret, app }))
const [{ urls, own: ownBearer, foreign: foreignBearer }] = await once(backends, 'message')
const cpu = async () => {
  backends.send('cpu')
  const [{ cpu }] = await once(backends, 'message')
  return cpu
}
const visit = (url, token) => ({
  run: async (_prepared, count) => {
    let left = count
    const headers = { authorization: `Bearer ${token}` }
    const client = async () => {
      while (left-- > 0) {
        const { statusCode, body } = await request(url, { dispatcher: agent, headers })
        await body.dump()
        if (statusCode !== 200) throw new Error(`${url} answered ${statusCode}`)
      }
    }
    await Promise.all(Array.from({ length: 10 }, client))
  },
})
const onExpress = await measure(
  'A route of Express, 10 requests at a time; the CPU time is that of the main thread of the backend',
  {
    'limit: without a guard': visit(urls.express.open, ownBearer),
    'behind a handler that only goes on': visit(urls.express.passed, ownBearer),
    'behind requireAuth': visit(urls.express.wxlogin, ownBearer),
    'behind express-jwt': visit(urls.express.expressJwt, foreignBearer),
  },
  { count: 2000, cpu },
)
await measure(
  'A route of Fastify, likewise',
  {
    'limit: without a guard': visit(urls.fastify.open, ownBearer),
    'behind requireAuth': visit(urls.fastify.wxlogin, ownBearer),
    'behind @fastify/jwt, cache on': visit(urls.fastify.fastifyJwt, foreignBearer),
  },
  { count: 2000, cpu },
)

const goals = [
  [
    'cold: beside fast-jwt without a cache',
    cold.ratio('wxlogin authenticate', 'fast-jwt, cache off'),
    '≤',
    1.5,
  ],
  [
    'warm: fast-jwt with its cache beside it',
    warm.ratio('fast-jwt, cache on', 'wxlogin authenticate'),
    '≥',
    4,
  ],
  [
    'a pair: beside the limit',
    issued.ratio('wxlogin sessions.create', 'limit: two raw HMACs and a write to a Map'),
    '≤',
    2.5,
  ],
  [
    'a refresh: beside the limit',
    refreshed.ratio('wxlogin refresh', 'limit: three raw HMACs, a hash and a write to a Map'),
    '≤',
    2.5,
  ],
  [
    'a login: beside the bare exchange',
    login.ratio('wxlogin login', 'limit: a bare undici request'),
    '≤',
    2.5,
  ],
  [
    'requireAuth on Express: what it adds to the route',
    onExpress.added('behind requireAuth', 'limit: without a guard'),
    '≤',
    0.1,
  ],
]
printTable(
  'Goals',
  ['', 'here', 'goal', ''],
  goals.map(([what, value, relation, goal]) => [
    what,
    value.toFixed(2),
    `${relation} ${goal}`,
    (relation === '≥' ? value >= goal : value <= goal) ? 'met' : 'MISSED',
  ]),
)
console.log(`\nload ${loadavg()[0].toFixed(1)} after`)

emulator.disconnect()
backends.disconnect()
emulator.kill()
backends.kill()
await Promise.all([auth.close(), forgetful.close(), backend.close(), agent.close()])

function start(file, ...args) {
  return fork(fileURLToPath(new URL(file, import.meta.url)), args)
}
