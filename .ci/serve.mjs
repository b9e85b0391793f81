// npm run long -- serve: `wxlogin serve` from the packed tarballs in an empty folder, by the steps of the Dockerfile, with
// Redis, the emulated WeChat, the real client, and the backends in Java and in Python.
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { buildSteps, stepsOf } from './dockerfile.mjs'
import { freePort } from './free-port.mjs'
import { createDatabases } from './moving/database.mjs'
import { pack } from './pack.mjs'
import { root, run } from './process.mjs'
import { startBackends } from './serve/backends.mjs'
import { checkMistakes } from './serve/mistakes.mjs'
import { createPhone, post, runScript } from './serve/phones.mjs'
import { startService } from './serve/service.mjs'

const { createFakeWeChat } = await import('../packages/server/dist/testing.js')

const phones = 20
const place = mkdtempSync(join(tmpdir(), 'wxlogin-serve-'))
const databases = await createDatabases()
const ends = []
let failed = 0

try {
  const image = await buildImage()
  const program = join(image.folder, image.entry[1])
  const wechat = createFakeWeChat()
  const emulated = await wechat.listen()
  ends.push(() => emulated.close())

  const made = await keys(program, image.folder)
  const redis = await databases.redis()
  const [servicePort, adminPort, java, python] = await Promise.all([0, 0, 0, 0].map(freePort))
  const jwks = `http://127.0.0.1:${servicePort}/wx/jwks.json`
  const backends = await startBackends(
    place,
    { java, python },
    {
      PATH: process.env.PATH,
      JWKS_URL: jwks,
      WX_APP_ID: wechat.app.appId,
      WXLOGIN_WEBHOOKS_SECRET: made.WXLOGIN_WEBHOOKS_SECRET,
    },
  )
  for (const backend of backends) ends.push(backend.stop)
  const common = {
    ...image.env,
    ...made,
    WX_APP_ID: wechat.app.appId,
    WX_APP_SECRET: wechat.app.appSecret,
    WXLOGIN_WECHAT_HOSTS: emulated.url,
    REDIS_URL: redis,
    WXLOGIN_LISTEN: `127.0.0.1:${servicePort}`,
    WXLOGIN_ADMIN_LISTEN: `127.0.0.1:${adminPort}`,
  }
  for (const backend of backends) await story({ image, program, wechat, backends, backend, common })
  await signals({ program, image, wechat, common })
  await onDatabases({ program, image, wechat, common })

  console.log('\n── mistakes in the settings, and what is printed ──')
  const wrong = await checkMistakes({ program, place })
  report('each says what is wrong and what to do, shows no secret, and nothing starts', wrong)
} catch (error) {
  report('it can be played to its end', [error instanceof Error ? error.stack : String(error)])
} finally {
  for (const end of ends) await end()
  await databases.stop()
  rmSync(place, { recursive: true, force: true })
}
process.exit(failed === 0 ? 0 : 1)

function report(title, wrong = []) {
  console.log(`${wrong.length === 0 ? 'ok    ' : 'FAILED'} ${title}`)
  for (const line of wrong) console.error(`       ${line}`)
  if (wrong.length > 0) failed += 1
}

/** One thing that has to hold. */
async function check(title, work) {
  try {
    const told = await work()
    report(told === undefined ? title : `${title}: ${told}`)
  } catch (error) {
    report(title, [error instanceof Error ? error.message : String(error)])
  }
}

function must(holds, otherwise) {
  if (!holds) throw new Error(otherwise)
}

async function buildImage() {
  const source = join(place, 'source')
  cpSync(`${root}examples/serve`, source, { recursive: true })
  const file = join(source, 'package.json')
  const packageJson = JSON.parse(readFileSync(file, 'utf8'))
  for (const [name, folder] of [
    ['wxlogin', 'cli'],
    ['@wxlogin/server', 'server'],
    ['@wxlogin/client', 'client'],
  ]) {
    packageJson.dependencies[name] = `file:${await pack(folder, place)}`
  }
  writeFileSync(file, JSON.stringify(packageJson))
  const image = await buildSteps(stepsOf(join(source, 'Dockerfile')), {
    source,
    image: join(place, 'image'),
  })
  const { containerPort } = JSON.parse(readFileSync(join(source, 'container.config.json'), 'utf8'))
  const wrong = [...image.wrong]
  if (image.user === 'root') wrong.push('it runs as root')
  if (image.port !== containerPort) wrong.push('EXPOSE is not the port of container.config.json')
  const { output } = await run('du', ['-sm', join(image.folder, 'node_modules')])
  report(`the steps of the Dockerfile, in an empty folder: ${output.split(/\s/)[0]} MB`, wrong)
  must(wrong.length === 0, 'without them there is nothing to start')
  return image
}

/** What `wxlogin keygen` prints, as a .env file has it. */
async function keys(program, cwd) {
  const made = {}
  for (const args of [[], ['--jwk', 'ES256'], ['--webhook'], ['--admin']]) {
    const { output } = await run(process.execPath, [program, 'keygen', ...args], { cwd })
    for (const [, name, value] of output.matchAll(/^(WXLOGIN_\w+)='(.*)'$/gm)) made[name] = value
  }
  return made
}

/** One backend answers the webhooks; both get requests. */
async function story({ image, program, wechat, backends, backend, common }) {
  console.log(`\n── webhooks go to the backend in ${backend.name} ──`)
  const hook = `${backend.url}/hooks/wxlogin`
  const env = {
    ...common,
    WXLOGIN_KEY_PREFIX: `${backend.name}:`,
    WXLOGIN_WEBHOOKS_ON_LOGIN: hook,
    WXLOGIN_WEBHOOKS_CLAIMS: hook,
  }
  const begun = []
  const begin = async () => {
    const started = await startService({ program, cwd: image.folder, env })
    begun.push(started)
    return started
  }
  let service = await begin()
  ends.push(() => service.end('SIGKILL'))
  const trustedOrigins = backends.map(({ url }) => url)
  const phone = (user) =>
    createPhone({ wechat, url: service.url, user: `${user}-${backend.name}`, trustedOrigins })
  const tried = (work) =>
    work.then(
      () => undefined,
      (error) => error,
    )

  await check('--check finds nothing wrong with the settings and with Redis', async () => {
    const { status, output } = await run(process.execPath, [program, 'serve', '--check'], {
      cwd: image.folder,
      env,
    })
    must(status === 0, output)
    return output.trim().split('\n').join(' · ')
  })
  await check("the image's HEALTHCHECK", async () => {
    const [command, ...args] = image.health
    const { port } = new URL(service.url)
    const { status } = await run(command, args, { env: { PATH: process.env.PATH, PORT: port } })
    must(status === 0, `exit ${status}`)
  })

  const alice = phone('alice')
  await check(
    'a phone logs in, and both backends know its user by the published keys',
    async () => {
      const { userId } = await alice.login()
      for (const { name, url } of backends) {
        const { data } = await alice.request({ url: `${url}/orders` })
        must(data[0]?.userId === userId, `${name} answers ${JSON.stringify(data)}`)
      }
      return userId
    },
  )
  await check('a forged token is nobody, there and there', async () => {
    for (const { name, url } of backends) {
      const headers = { authorization: `Bearer ${(await alice.token()).slice(0, -8)}AAAAAAAA` }
      const { status } = await fetch(`${url}/orders`, { headers })
      must(status === 401, `${name} answers ${status}`)
    }
  })
  await check('a banned user is refused by the webhook, and signed out', async () => {
    const bob = phone('bob')
    await bob.login()
    await backend.ban(wechat.openidOf(`bob-${backend.name}`))
    const error = await tried(bob.login({ force: true }))
    const told = `${error?.code}, reason ${error?.reason}`
    must(told === 'access_denied, reason banned', `${told}: ${error?.message}`)
    const after = await tried(bob.request({ url: `${backend.url}/orders` }))
    must(after?.code === 'signed_out', `${after?.code}`)
    return `${error.code}, reason ${error.reason}; then ${after.code}`
  })
  await check('a ban that comes later ends the session at the next renewal', async () => {
    const user = `mallory-${backend.name}`
    const login = { code: wechat.codeFor(user), app_id: wechat.app.appId }
    const { answer } = await post(`${service.url}/login`, login)
    await backend.ban(wechat.openidOf(user))
    const { refresh_token } = answer
    const refused = await post(`${service.url}/refresh`, { refresh_token })
    const again = await post(`${service.url}/refresh`, { refresh_token })
    const found = [refused, again].map(
      ({ status, answer }) => `${status} ${answer.error}, reason ${answer.reason}`,
    )
    must(found[0] === '403 access_denied, reason banned', found[0])
    must(found[1]?.startsWith('400 invalid_grant'), found[1])
    return found.join('; then ')
  })
  await check('kill −9 under traffic and restart, three times: nobody is lost', async () => {
    const counts = new Map()
    const count = (what) => counts.set(what, (counts.get(what) ?? 0) + 1)
    const lost = []
    let isOver = false
    const running = Array.from({ length: phones }, (_, n) =>
      runScript({
        wechat,
        serviceUrl: () => service.url,
        user: `phone-${n}-${backend.name}`,
        until: () => isOver,
        lost: (why) => lost.push(why),
        count,
      }),
    )
    const outcome = Promise.all(running)
    outcome.catch(() => undefined)
    for (let n = 0; n < 3; n++) {
      await delay(1_000)
      must((await service.end('SIGKILL')) === 'SIGKILL', 'it was not killed')
      await delay(300)
      service = await begin()
    }
    await delay(1_000)
    isOver = true
    await outcome
    must(lost.length === 0, `${lost.length} lost: ${lost[0]}`)
    must(counts.get('not answered') > 0, 'no request met the kill')
    return `${phones} phones, ${[...counts].map(([what, times]) => `${times} × ${what}`).join(', ')}`
  })
  await check('and the phone from before goes on, without a login', async () => {
    const { data } = await alice.request({ url: `${backend.url}/orders` })
    must(data[0]?.userId === alice.session().userId, JSON.stringify(data))
  })
  await check(
    'a backend that is down is a 503 with Retry-After, and gets its users back',
    async () => {
      await backend.stop()
      const carol = phone('carol')
      const error = await tried(carol.login())
      must(error?.statusCode === 503, `${error?.code} ${error?.statusCode}`)
      await backend.startAgain()
      const { userId } = await carol.login()
      must(userId, 'carol is nobody')
      return `${error.code}, Retry-After ${error.retryAfterSeconds} s`
    },
  )
  await check('the admin API ends the sessions of a user', async () => {
    const { userId } = alice.session()
    const ask = async (path, body) => {
      const response = await fetch(service.adminUrl + path, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${common.WXLOGIN_ADMIN_KEY}`,
          'content-type': 'application/json',
        },
        body: JSON.stringify(body),
      })
      return response.json()
    }
    const { sessions } = await ask('/sessions/list', { user_id: userId })
    const { revoked } = await ask('/sessions/revoke', { user_id: userId, all: true })
    must(sessions?.length === 1 && revoked === 1, JSON.stringify({ sessions, revoked }))
  })
  await check('metrics and health', async () => {
    const metrics = await (await fetch(`${service.adminUrl}/metrics`)).text()
    must(/^wxlogin_logins_total\{/m.test(metrics), metrics)
    const statuses = []
    for (const path of ['/healthz', '/readyz', '/metrics']) {
      statuses.push(`${path} ${(await fetch(service.origin + path)).status}`)
    }
    must(statuses.join() === '/healthz 200,/readyz 200,/metrics 404', statuses.join())
    return `${metrics.split('\n').length - 1} lines; public: ${statuses.join(', ')}`
  })
  await check('at SIGTERM it ends with 0, and no line of any log holds a secret', async () => {
    const code = await service.end()
    must(code === 0, `it ended with ${code}`)
    const output = begun.map((one) => one.output()).join('\n')
    const { appSecret } = wechat.app
    const secrets = [appSecret, ...Object.values(common).filter((value) => value.startsWith('{'))]
    for (const user of ['alice', 'bob', 'carol'])
      secrets.push(wechat.openidOf(`${user}-${backend.name}`))
    for (const name of ['WXLOGIN_SECRET', 'WXLOGIN_WEBHOOKS_SECRET', 'WXLOGIN_ADMIN_KEY'])
      secrets.push(common[name])
    must(!secrets.some((secret) => output.includes(secret)), 'there is one')
    const kinds = new Map()
    for (const { msg } of begun.flatMap((one) => one.lines()))
      kinds.set(msg, (kinds.get(msg) ?? 0) + 1)
    return [...kinds].map(([msg, times]) => `${times} × ${msg}`).join(', ')
  })
}

/** What a second signal does, while a login waits for a backend that never answers. */
async function signals({ program, image, wechat, common }) {
  console.log('\n── told to end ──')
  const held = new Set()
  const hanging = createServer((socket) => held.add(socket))
  await new Promise((up) => hanging.listen(0, '127.0.0.1', up))
  ends.push(() => {
    for (const socket of held) socket.destroy()
    hanging.close()
  })
  const env = {
    ...common,
    WXLOGIN_WEBHOOKS_ON_LOGIN: `http://127.0.0.1:${hanging.address().port}/`,
  }
  const login = async (service) => {
    const body = { code: wechat.codeFor('dora'), app_id: wechat.app.appId }
    return (await post(`${service.url}/login`, body))?.status ?? 'cut off'
  }

  for (const [title, signalsSent, wanted] of [
    ['one signal: what is in flight is answered', ['SIGTERM'], { code: 0, status: 503 }],
    [
      'a second one, even of another kind: at once',
      ['SIGTERM', 'SIGINT'],
      { code: 130, status: 'cut off' },
    ],
  ]) {
    await check(title, async () => {
      held.clear()
      const service = await startService({ program, cwd: image.folder, env })
      const status = login(service)
      while (held.size === 0) await delay(10)
      const startedMs = performance.now()
      for (const name of signalsSent) {
        service.signal(name)
        await delay(100)
      }
      const code = await service.ended
      const milliseconds = Math.round(performance.now() - startedMs)
      const found = JSON.stringify({ code, status: await status })
      must(found === JSON.stringify(wanted), `${found}, not ${JSON.stringify(wanted)}`)
      return `exit ${code}, the login ${await status}, after ${milliseconds} ms`
    })
  }
}

/** PostgreSQL and MariaDB: what is said without a driver, the table, a login, a restart. */
async function onDatabases({ program, image, wechat, common }) {
  console.log('\n── in a database ──')
  const { REDIS_URL: _, WXLOGIN_WEBHOOKS_SECRET: __, ...env } = common
  const cwd = image.folder
  const serve = (url, ...args) =>
    run(process.execPath, [program, 'serve', ...args], {
      cwd,
      env: { ...env, LANG: 'en_US.UTF-8', DATABASE_URL: url },
    })
  await check('without a driver it says which', async () => {
    const { status, output } = await serve('postgres://127.0.0.1:1/none', '--migrate')
    must(status === 3 && output.includes('npm install kysely@0.28'), `exit ${status}: ${output}`)
    return output.trim()
  })
  const { status, output } = await run(
    'npm',
    ['install', '--no-audit', '--no-fund', '--loglevel=error', 'kysely@0.28', 'pg@8', 'mysql2@3'],
    { cwd },
  )
  must(status === 0, output)
  for (const name of ['postgres', 'mariadb']) {
    const url = await databases[name]()
    await check(`${name}: not ready until --migrate, and a restart loses nobody`, async () => {
      const before = await serve(url, '--check')
      must(before.status === 1 && before.output.includes('sql_not_migrated'), before.output)
      const migrated = await serve(url, '--migrate')
      must(migrated.status === 0, migrated.output)
      const after = await serve(url, '--check')
      must(after.status === 0, after.output)
      let service = await startService({ program, cwd, env: { ...env, DATABASE_URL: url } })
      const client = createPhone({ wechat, url: service.url, user: `erin-${name}` })
      const { userId } = await client.login()
      await service.end('SIGKILL')
      service = await startService({ program, cwd, env: { ...env, DATABASE_URL: url } })
      const { status: answered } = await fetch(`${service.adminUrl}/sessions/list`, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${env.WXLOGIN_ADMIN_KEY}`,
          'content-type': 'application/json',
        },
        body: JSON.stringify({ user_id: userId }),
      }).then(async (response) => ({ status: (await response.json()).sessions.length }))
      must(answered === 1, `${answered} sessions`)
      must((await service.end()) === 0, 'it did not end with 0')
      return migrated.output.trim()
    })
  }
}
