// Starts examples/java and examples/python as their READMEs say, and the FastAPI program of the latter, against tokens of
// our server, good and bad, and against webhooks that the library of standardwebhooks.com signs. Ends non-zero when one of
// them answers otherwise than it must.
//   node .ci/languages.mjs java   only this one
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { printTable } from '../bench/measure.mjs'
import * as examples from './languages/examples.mjs'
import { filesOf } from './moving/home.mjs'
import { root, run, start } from './process.mjs'
import { tool } from './tools.mjs'
import { appId, createIssuer, userId } from './verifying/issuer.mjs'

/** Each with the folder of its files, if that is another's, and whether it refuses a body that is too large. */
const languages = {
  java: examples.java,
  python: examples.python,
  // The proxy before it has the limit.
  fastapi: { ...examples.fastapi, from: 'python', hasLimit: false },
}

const wanted = process.argv.slice(2)
const unknown = wanted.filter((name) => !(name in languages))
if (unknown.length > 0) {
  console.error(`There is no ${unknown.join(', ')}; there are ${Object.keys(languages).join(', ')}`)
  process.exit(1)
}
const signers = await tool('standard-webhooks', ['standardwebhooks@1.1.1'], { about: '1 MB' })
const { Webhook } = createRequire(join(signers, 'index.js'))('standardwebhooks')

const place = mkdtempSync(join(tmpdir(), 'wxlogin-languages-'))
const rows = []
const problems = []
const missing = []
try {
  const present = []
  for (const [name, language] of Object.entries(languages)) {
    if (wanted.length > 0 && !wanted.includes(name)) continue
    if (await examples.isThere(language)) present.push([name, language])
    else missing.push(name)
  }
  // Side by side, because each waits for the key set to be old enough.
  await Promise.all(present.map(([name, language]) => play(name, language)))
} finally {
  rmSync(place, { recursive: true, force: true })
}
if (rows.length > 0) {
  const names = Object.keys(languages).filter((name) => rows.some((row) => row[name]))
  const titles = [...new Set(rows.map(({ title }) => title))]
  const cell = (title, name) => rows.find((row) => row.title === title && row[name])?.[name] ?? '–'
  printTable(
    'examples in other languages',
    ['', ...names],
    titles.map((title) => [title, ...names.map((name) => cell(title, name))]),
  )
}
for (const problem of problems) console.error(`\nFAILED ${problem}`)
if (missing.length > 0) {
  console.error(
    `\nNOT RUN, because this machine does not have what they need: ${missing.join(', ')}`,
  )
}
if (problems.length > 0 || (missing.length > 0 && process.env.CI === 'true')) process.exitCode = 1

async function play(name, language) {
  const home = join(place, name)
  const example = `examples/${language.from ?? name}`
  cpSync(join(root, example), home, { recursive: true })
  // What its README has for a framework.
  for (const [path, code] of filesOf(`${example}/README.md`)) {
    if (path.startsWith(`${name}/`)) writeFileSync(join(home, path.slice(name.length + 1)), code)
  }
  if (language.build) {
    const [program, ...args] = language.build
    const { status, output } = await run(program, args, { cwd: home })
    if (status !== 0) return void problems.push(`${name} does not compile:\n${output}`)
  }
  const issuer = await createIssuer()
  const webhookSecret = `whsec_${randomBytes(32).toString('base64')}`
  const env = {
    PATH: process.env.PATH,
    JWKS_URL: `${issuer.url}/wx/jwks.json`,
    WX_APP_ID: appId,
    WXLOGIN_WEBHOOKS_SECRET: webhookSecret,
    PORT: '0',
  }
  const [program, ...args] = language.start
  const begin = () => start(program, args, { cwd: home, env })
  let backend = begin()

  async function check(title, work) {
    try {
      rows.push({ title, [name]: (await work()) ?? 'ok' })
    } catch (error) {
      rows.push({ title, [name]: 'FAILED' })
      problems.push(`${name}: ${title}: ${error.message}\n${backend.output()}`)
    }
  }

  try {
    let url = await addressOf(backend)
    const orders = (token) =>
      fetch(`${url}/orders`, { headers: token ? { authorization: `Bearer ${token}` } : {} })
    const refuses = async (token) => {
      const answer = await orders(token)
      assert.equal(answer.status, 401)
      assert.match(answer.headers.get('www-authenticate'), /^Bearer .*error="invalid_token"/)
      assert.equal((await answer.json()).error, 'invalid_token')
    }
    const { good, bad } = await issuer.tokens()

    await check('no keys yet: 503, nobody renews', async () => {
      issuer.fail()
      const answer = await orders(good.good)
      assert.equal(answer.status, 503)
      assert.equal(answer.headers.get('www-authenticate'), null)
      issuer.fail(false)
      await delay(2100)
    })
    for (const [title, token] of Object.entries(good)) {
      await check(title, async () => {
        const answer = await orders(token)
        assert.equal(answer.status, 200)
        assert.deepEqual(
          (await answer.json()).map((order) => order.userId),
          [userId],
        )
        return '200'
      })
    }
    await check('no token', async () => (await refuses(undefined)) ?? '401')
    for (const [title, token] of Object.entries(bad)) {
      await check(title, async () => (await refuses(token)) ?? '401')
    }
    await check('40 made-up kids', async () => {
      const before = issuer.fetches()
      for (let n = 0; n < 40; n++) await refuses(await issuer.madeUp())
      const fetched = issuer.fetches() - before
      assert.ok(fetched <= 1, `the keys were fetched ${fetched} times`)
    })
    await check('the key server is down', async () => {
      issuer.fail()
      assert.equal((await orders(good.good)).status, 200)
      issuer.fail(false)
    })
    const ban = (openid) => language.ban(home, openid)
    const speaks = speaker({ url: () => url, webhookSecret })
    await webhooks({ check, ...speaks, ban, hasLimit: language.hasLimit ?? true })
    await check('a rotated key, after 30 s', async () => {
      const [old, renewed] = [await issuer.beforeRotation(), await issuer.afterRotation()]
      issuer.rotate()
      const deadline = Date.now() + 35_000
      while ((await orders(renewed)).status !== 200 && Date.now() < deadline) await delay(1000)
      assert.equal((await orders(renewed)).status, 200)
      assert.equal((await orders(old)).status, 200)
      return '200'
    })
    assert.equal(backend.hasEnded(), false)
    await check('killed and started again', async () => {
      const { login, userOf } = speaker({ url: () => url, webhookSecret })
      const event = login('survivor')
      const before = await userOf(event)
      await backend.stop()
      backend = begin()
      url = await addressOf(backend)
      assert.equal(await userOf(event), before)
      return 'same user'
    })
  } catch (error) {
    problems.push(`${name}: ${error.message}\n${backend.output()}`)
  } finally {
    await backend.stop()
    await issuer.close()
  }
}

/** The login service, as its webhooks look. */
function speaker({ url, webhookSecret }) {
  let nextId = 0
  function signed(event, { secret = webhookSecret, ageSeconds = 0 } = {}) {
    const body = JSON.stringify(event)
    const id = `msg_${nextId++}`
    const at = new Date(Date.now() - ageSeconds * 1000)
    const headers = {
      'content-type': 'application/json',
      'webhook-id': id,
      'webhook-timestamp': String(Math.floor(at / 1000)),
      'webhook-signature': new Webhook(secret).sign(id, at, body),
    }
    return { method: 'POST', headers, body }
  }
  const send = (request) => fetch(`${url()}/hooks/wxlogin`, request)
  return {
    signed,
    send,
    login: (name, changes) => signed({ ...loginOf(name), ...changes }),
    /** Whose it is, by the answer to a request. */
    async userOf(request) {
      const answer = await send(request)
      assert.equal(answer.status, 200)
      const { userId: id } = await answer.json()
      assert.ok(typeof id === 'string' && id !== '')
      return id
    },
  }
}

function loginOf(name) {
  const input = { from: '"\u2028\\ü' }
  return { type: 'login', appId, openid: `o-${name}`, kind: 'mini_program', input }
}

async function webhooks({ check, signed, send, userOf, ban, hasLimit }) {
  const login = loginOf('alice')
  const { openid } = login
  const isRefused = async (request) => {
    assert.equal((await send(request)).status, 401)
    return '401'
  }

  let known
  await check('webhook: login', async () => {
    known = await userOf(signed(login))
    return '200'
  })
  await check('webhook: replayed', async () => {
    const request = signed(login)
    assert.deepEqual([await userOf(request), await userOf(request)], [known, known])
    return 'same user'
  })
  await check('webhook: 20 at once, a new user', async () => {
    const event = { ...login, openid: `${openid}-new` }
    const users = await Promise.all(Array.from({ length: 20 }, () => userOf(signed(event))))
    assert.equal(new Set(users).size, 1)
    assert.notEqual(users[0], known)
    return 'one user'
  })
  await check('webhook: other AppID', async () => {
    assert.notEqual(await userOf(signed({ ...login, appId: 'wx0000000000000002' })), known)
    return 'another user'
  })
  await check('webhook: claims', async () => {
    const answer = await send(signed({ type: 'claims', userId: known, appId }))
    assert.deepEqual([answer.status, await answer.json()], [200, { role: 'customer' }])
    return '200'
  })
  await check('webhook: two signatures', async () => {
    const request = signed(login)
    const foreign = signed(login, { secret: `whsec_${randomBytes(32).toString('base64')}` })
    const both = `${foreign.headers['webhook-signature']} ${request.headers['webhook-signature']}`
    request.headers['webhook-signature'] = both
    assert.equal(await userOf(request), known)
    return '200'
  })
  const foreign = () => signed(login, { secret: `whsec_${randomBytes(32).toString('base64')}` })
  await check('webhook: other secret', () => isRefused(foreign()))
  await check('webhook: changed body', () => {
    const request = signed(login)
    return isRefused({ ...request, body: request.body.replace(openid, 'o-somebody-else') })
  })
  await check('webhook: changed id', () => {
    const request = signed(login)
    return isRefused({ ...request, headers: { ...request.headers, 'webhook-id': 'msg_other' } })
  })
  await check('webhook: 6 minutes old', () => isRefused(signed(login, { ageSeconds: 360 })))
  await check('webhook: 6 minutes ahead', () => isRefused(signed(login, { ageSeconds: -360 })))
  await check('webhook: old, its time renewed', () => {
    const request = signed(login, { ageSeconds: 360 })
    const timestamp = String(Math.floor(Date.now() / 1000))
    return isRefused({
      ...request,
      headers: { ...request.headers, 'webhook-timestamp': timestamp },
    })
  })
  await check('webhook: not signed', () =>
    isRefused({ method: 'POST', body: JSON.stringify(login) }),
  )
  await check('webhook: signed, and no event', async () => {
    for (const event of [{ type: 'other' }, { type: 'login' }, []]) {
      assert.equal((await send(signed(event))).status, 400)
    }
    return '400'
  })
  if (hasLimit) {
    await check('webhook: too large', async () => {
      // Whoever does not read to the end may be cut off before the answer arrives.
      const answer = await send(signed({ ...login, input: 'x'.repeat(70_000) })).catch(() => {})
      assert.equal(answer?.status ?? 413, 413)
      return '413'
    })
  }
  await check('webhook: banned, at login and renewal', async () => {
    await ban(openid)
    for (const event of [login, { type: 'claims', userId: known, appId }]) {
      const answer = await send(signed(event))
      assert.deepEqual([answer.status, await answer.json()], [403, { reason: 'banned' }])
    }
    return '403'
  })
}

/** Where it listens, which is the first thing it prints. */
async function addressOf(backend) {
  const deadline = Date.now() + 30_000
  while (Date.now() < deadline && !backend.hasEnded()) {
    const [url] = /http:\/\/127\.0\.0\.1:\d+/.exec(backend.output()) ?? []
    if (url) return url
    await delay(50)
  }
  throw new Error('It did not start')
}
