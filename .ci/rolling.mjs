// A rolling deploy: the last release, or the version from which they are kept, and today's stand side by side on one
// store and with one secret, while traffic goes to the one, to the other and to both. Nobody may be logged out. And
// clients of both ages speak to both of them.
//   node .ci/rolling.mjs v0.3.0   beside another version
import { randomBytes, randomUUID } from 'node:crypto'
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { freePort } from './free-port.mjs'
import { frozenCommit, frozenTarballs } from './frozen.mjs'
import { createDatabases } from './moving/database.mjs'
import { pack } from './pack.mjs'
import { root, start } from './process.mjs'
import { crossings } from './rolling/crossings.mjs'
import { runClient, runScript } from './rolling/load.mjs'
import { install } from './tools.mjs'

const { createFakeWeChat } = await import('../packages/server/dist/testing.js')
const { createFakeWx } = await import('../packages/client/dist/testing.mjs')

// A token lives for 60 seconds, and a client renews it in that time.
const loadSeconds = Number(process.env.WXLOGIN_ROLLING_SECONDS ?? 100)
const turnMs = 4_000
const scripts = 12
const clientsOfAnAge = 4
const prefetchPath = 'an-unguessable-path-1234'

const commit = await frozenCommit(process.argv[2])
const place = mkdtempSync(join(tmpdir(), 'wxlogin-rolling-'))
const databases = await createDatabases()
const failures = []
try {
  const today = { server: await pack('server', place), client: await pack('client', place) }
  const homes = {
    old: await homeOf('old', await frozenTarballs(commit)),
    new: await homeOf('new', today),
  }
  console.log(`old: ${commit.slice(0, 12)}, new: what is here`)
  for (const store of ['redis', 'postgres']) await deployOn(store, homes)
} finally {
  await databases.stop()
  rmSync(place, { recursive: true, force: true })
}
for (const [what, times] of grouped(failures)) {
  console.error(`FAILED ${times.length} × ${what}`)
}
console.log(failures.length === 0 ? '\n0 logouts' : `\n${failures.length} failures`)
process.exit(failures.length === 0 ? 0 : 1)

async function homeOf(age, { server, client }) {
  const folder = join(place, age)
  const { status, output } = await install(folder, [
    ...[server, client, 'redis@6.3.1', 'kysely@0.28.18', 'pg@8.23.1'],
  ])
  if (status !== 0) throw new Error(`The ${age} tarballs could not be installed\n${output}`)
  cpSync(`${root}.ci/rolling/backend.mjs`, join(folder, 'backend.mjs'))
  return folder
}

async function deployOn(store, homes) {
  const wechat = createFakeWeChat()
  const emulated = await wechat.listen()
  const { appId, appSecret } = wechat.app
  const env = {
    ...process.env,
    ...{
      STORE_URL: await databases[store](),
      WECHAT_URL: emulated.url,
      PREFETCH_PATH: prefetchPath,
    },
    ...{ APP_ID: appId, APP_SECRET: appSecret, SECRET: randomBytes(32).toString('base64url') },
  }
  const backends = {
    // The old one first: it is there when the new one comes.
    old: await startBackend('old', homes.old, env),
    new: await startBackend('new', homes.new, env),
  }
  try {
    const codeFor = (person = randomUUID()) => wechat.codeFor(person)
    const phoneCodeFor = (person, phoneNumber) => wechat.phoneCodeFor(person, { phoneNumber })
    const login = async (one, more = {}, person) => {
      const body = { code: codeFor(person), app_id: appId, ...more }
      const answer = await one.post('/wx/login', body)
      if (answer.status === 200) return answer.body
      throw new Error(`login: ${answer.status} ${JSON.stringify(answer.body)}`)
    }
    const shared = { login, codeFor, phoneCodeFor, appId, prefetchPath }
    await cross(store, backends, shared)
    await load(store, { backends, homes, wechat, ...shared })
  } finally {
    await Promise.all(Object.values(backends).map(({ stop }) => stop()))
    await emulated.close()
  }
}

async function cross(store, backends, shared) {
  for (const [here, there] of [
    ['old', 'new'],
    ['new', 'old'],
    ['new', 'new'],
  ]) {
    for (const [name, run] of Object.entries(crossings)) {
      const title = `${store}: ${name}, ${here} → ${there}`
      try {
        await run({ here: backends[here], there: backends[there], ...shared })
        console.log(`ok     ${title}`)
      } catch (error) {
        console.log(`FAILED ${title}\n${error.stack}`)
        failures.push(title)
      }
    }
  }
}

async function load(store, { backends, homes, wechat, ...shared }) {
  const counts = {}
  const count = (what) => {
    counts[what] = (counts[what] ?? 0) + 1
  }
  const loggedOut = (what) => failures.push(`${store}: ${what}`)
  const endsAt = Date.now() + loadSeconds * 1000
  const until = () => endsAt
  let turns = [backends.old]
  const pick = () => turns[Math.floor(Math.random() * turns.length)]
  const guarded = (run) => run.catch((error) => loggedOut(error.message))

  const phones = Array.from({ length: scripts }, () =>
    guarded(runScript({ pick, until, count, loggedOut, ...shared })),
  )
  for (const [age, home] of Object.entries(homes)) {
    const { createClient } = createRequire(join(home, 'index.js'))('@wxlogin/client/full')
    for (let n = 0; n < clientsOfAnAge; n++) {
      const user = `${store} ${age} ${n}`
      const about = { createClient, createFakeWx, wechat, pick, until, count, loggedOut, user }
      phones.push(guarded(runClient({ ...about, ...shared })))
    }
  }
  const { old, new: today } = backends
  // Forward, half and half, back, and forward again.
  for (let turn = 0; Date.now() < endsAt; turn++) {
    turns = [[old, today], [today], [old, today], [old]][turn % 4]
    await delay(Math.min(turnMs, Math.max(0, endsAt - Date.now())))
  }
  await Promise.all(phones)
  console.log(`       ${store}: ${JSON.stringify(counts)}`)
  for (const wanted of ['refresh', 'client /wx/refresh', 'client /wx/phone', 'client /wx/logout']) {
    if (!counts[wanted]) failures.push(`${store}: there was no ${wanted} under load`)
  }
}

async function startBackend(age, home, env) {
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const child = start(process.execPath, ['backend.mjs'], {
    cwd: home,
    env: { ...env, PORT: String(port) },
  })
  const ask = async (method, path, { body, headers = {} } = {}) => {
    const response = await fetch(url + path, {
      method,
      headers: { 'content-type': 'application/json', 'idempotency-key': randomUUID(), ...headers },
      ...(body && { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    return { status: response.status, body: text === '' ? {} : JSON.parse(text) }
  }
  const backend = {
    url,
    post: (path, body, headers) => ask('POST', path, { body, headers }),
    get: (path, token) =>
      ask('GET', path, token ? { headers: { authorization: `Bearer ${token}` } } : {}),
    refresh: (refresh_token, key = randomUUID()) =>
      ask('POST', '/wx/refresh', { body: { refresh_token }, headers: { 'idempotency-key': key } }),
    async stop() {
      const { status, body } = await backend.get('/failures').catch(() => ({}))
      for (const failure of status === 404 ? body.failures : ['it has ended by itself']) {
        failures.push(`the ${age} backend: ${failure}`)
      }
      await child.stop()
    },
  }
  const deadline = Date.now() + 30_000
  while (!(await backend.get('/').then(Boolean, () => false))) {
    if (child.hasEnded() || Date.now() > deadline) {
      throw new Error(`The ${age} backend does not start\n${child.output()}`)
    }
    await delay(50)
  }
  return backend
}

function grouped(texts) {
  const groups = new Map()
  for (const text of texts) groups.set(text, [...(groups.get(text) ?? []), text])
  return groups
}
