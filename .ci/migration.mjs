// Plays docs/replace-a-login.md: its backends, old and new, are deployed on MariaDB while phones with its mini programs,
// old and new, send requests all the time; then all of it is rolled back. Ends non-zero when somebody is logged out, when
// a request fails, or when the table of users is not what it was.
//   node .ci/migration.mjs nest   only this backend
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { build } from 'esbuild'
import { createCounter } from './moving/counter.mjs'
import { createDatabases } from './moving/database.mjs'
import { createDeployment } from './moving/deployment.mjs'
import { checkFirstTries } from './moving/first-tries.mjs'
import { compile, createHome, filesOf } from './moving/home.mjs'
import { bundleVersions, createPhone } from './moving/phones.mjs'
import { checkFirstLogins, checkRefusals } from './moving/refusals.mjs'

const { createFakeWeChat } = await import('../packages/server/dist/testing.js')
const { createFakeWx } = await import('../packages/client/dist/testing.mjs')

const backends = {
  express: {
    title: 'Express 5 and a hand-written JWT',
    userIn: (id) => ({ id }),
    refusal: {},
    async programs({ folder }) {
      const outfile = (age) => join(folder, `express/${age}.mjs`)
      for (const age of ['before', 'after']) {
        await build({
          entryPoints: [join(folder, `express/${age}/server.ts`)],
          outfile: outfile(age),
          bundle: true,
          platform: 'node',
          format: 'esm',
          packages: 'external',
        })
      }
      return { before: outfile('before'), after: outfile('after') }
    },
  },
  nest: {
    title: 'Nest 10, TypeORM and passport-jwt',
    userIn: (sub) => ({ sub }),
    // Old versions read this.
    refusal: { code: 401, msg: 'Please log in' },
    firstTries: checkFirstTries,
    async programs(home) {
      await compile(home, 'nest')
      const program = (age) => join(home.folder, `out/nest/${age}/main.js`)
      return { before: program('before'), after: program('after') }
    },
  },
}

// Followers take each version at their next launch; the others keep the first until the end.
const followers = 10
const stragglers = 3
const launchEveryMs = 400
const pauseMs = 20
const phaseMs = 60_000
const secret = 'the secret of the hand-written login'

const wanted = process.argv.slice(2)
const unknown = wanted.filter((name) => !(name in backends))
if (unknown.length > 0) {
  console.error(`There is no ${unknown.join(', ')}; there are ${Object.keys(backends).join(', ')}`)
  process.exit(1)
}

const files = filesOf('docs/replace-a-login.md')
const place = mkdtempSync(join(tmpdir(), 'wxlogin-migration-'))
const databases = await createDatabases()
const broken = []
try {
  const home = await createHome(join(place, 'home'), files, { names: ['server', 'client'] })
  const mariadb = await databases.mariadb()
  const versions = await bundleVersions(home.folder)
  for (const [name, backend] of Object.entries(backends)) {
    if (wanted.length > 0 && !wanted.includes(name)) continue
    console.log(`\n── ${backend.title} ──`)
    const problems = await play({ name, ...backend, home, mariadb, versions })
    for (const problem of problems) broken.push(`${name}: ${problem}`)
  }
} finally {
  await databases.stop()
  rmSync(place, { recursive: true, force: true })
}
for (const problem of broken) console.error(`BROKEN ${problem}`)
if (broken.length === 0) console.log('\nNobody was logged out, and by the guide no request failed')
process.exit(broken.length === 0 ? 0 : 1)

async function play({ name, programs, userIn, refusal, firstTries, home, mariadb, versions }) {
  const need = createRequire(join(home.folder, 'index.js'))
  const mysql = need('mysql2/promise')
  const jwt = need('jsonwebtoken')
  const { before, after } = await programs(home)
  const url = mariadb.replace(/\/[^/]*$/, `/${name}`)
  const root = await mysql.createConnection(mariadb)
  await root.query(`CREATE DATABASE ${name}`)
  await root.end()
  const database = await mysql.createConnection({ uri: url, multipleStatements: true })
  await database.query(files.get(`${name}/users.sql`))

  const wechat = createFakeWeChat()
  const listening = await wechat.listen()
  const env = {
    PATH: process.env.PATH,
    NO_COLOR: '1',
    JWT_SECRET: secret,
    MYSQL_URL: url,
    OLD_LOGIN_UNTIL: new Date(Date.now() + 86_400_000).toISOString().replace(/\.\d+/, ''),
    WECHAT_URL: listening.url,
    WXLOGIN_SECRET: 'h7Qm2xV9cKp4Tz8wRb3yLn6sDf1gJa5u',
    WX_APP_ID: wechat.app.appId,
    WX_APP_SECRET: wechat.app.appSecret,
  }
  const deployment = await createDeployment({ cwd: home.folder, env })
  const counter = createCounter()
  const problems = []
  const phones = []
  let released = 'old'
  const switchOn = (count, version) => {
    for (let n = 0; n < count; n++) {
      phones.push(
        createPhone({
          user: `${name}-${phones.length}`,
          versions,
          released: version,
          wechat,
          url: deployment.url,
          createFakeWx: (options) => createFakeWx({ appId: wechat.app.appId, ...options }),
          counter,
          launchEveryMs,
          pauseMs,
        }),
      )
    }
  }
  /** A part of the story: what is done, and traffic until enough has been seen. */
  const phase = async (title, { work, until = () => true, requests = 300, ...options } = {}) => {
    const row = counter.begin(title, options)
    await work?.()
    const deadline = Date.now() + phaseMs
    while (row.requests < requests || !until(row)) {
      if (Date.now() > deadline) {
        problems.push(`${title}: after a minute, what is waited for has not come`)
        break
      }
      await delay(10)
    }
    return row
  }
  const allRun = (version) => () =>
    phones.slice(0, followers).every((phone) => phone.version() === version)
  const hold = async (what, check) => {
    try {
      await check()
    } catch ({ message }) {
      problems.push(`${what}: ${message.split('\n')[0]}`)
    }
  }
  const schema = async () => (await database.query('SHOW CREATE TABLE users'))[0][0]['Create Table']
  const shape = async () => (await schema()).replace(/ AUTO_INCREMENT=\d+/, '')

  try {
    await deployment.roll(before)
    const shapeBefore = await shape()
    switchOn(followers, () => released)
    switchOn(stragglers, () => 'old')
    await phase('the old backend, as it was', {
      until: ({ oldLogins }) => oldLogins === followers + stragglers,
    })
    const [usersBefore] = await database.query('SELECT * FROM users ORDER BY id')

    await phase('the new backend is deployed', { work: () => deployment.roll(after) })
    const served = await phase('new backend, old mini program', {
      work: async () => switchOn(2, () => 'old'),
      until: ({ oldLogins }) => oldLogins === 2,
    })
    await hold('old versions are served by their tokens', () => {
      assert.deepEqual([served.newTokens, served.oldLogins], [0, 2])
    })
    const [{ id }] = usersBefore
    const asked = { url: deployment.url, jwt, secret, userIn, id, body: refusal, wechat }
    await hold('tokens of nobody are refused', () => checkRefusals(asked))
    await hold('both routes know one user', () => checkFirstLogins(asked))

    const release = await phase('the mini program is released', {
      work: async () => {
        released = 'new'
      },
      until: ({ silentLogins }) => silentLogins === followers && allRun('new')(),
    })
    await hold('each follower logs in silently', () =>
      assert.equal(release.silentLogins, followers),
    )
    const settled = await phase('… and has arrived', {
      work: async () => switchOn(2, () => released),
      until: ({ silentLogins }) => silentLogins === 2,
    })
    await hold('nobody else logs in', () => {
      assert.deepEqual([settled.silentLogins, settled.oldLogins], [2, 0])
    })
    await hold('both kinds of tokens are in use', () => {
      assert.ok(settled.newTokens > 50 && settled.oldTokens > 25)
    })

    const back = await phase('the mini program is rolled back', {
      work: async () => {
        released = 'old'
      },
      until: ({ oldLogins }) => oldLogins === 2 && allRun('old')(),
    })
    await hold('only who never had an old token logs in', () => assert.equal(back.oldLogins, 2))
    const backAgain = await phase('the old backend is back', {
      work: () => deployment.roll(before),
    })
    await hold('no new version is left', () => assert.equal(backAgain.newTokens, 0))

    await phase('once more: the new backend', { work: () => deployment.roll(after) })
    const again = await phase('once more: the mini program', {
      work: async () => {
        released = 'new'
      },
      until: allRun('new'),
    })
    await hold('the sessions were kept', () => {
      assert.deepEqual([again.silentLogins, again.oldLogins], [0, 0])
    })

    // What the guide warns of. The phones keep their tokens, so that it ends with the mistake.
    const wrong = await phase('mistake: the old backend first', {
      work: () => deployment.roll(before),
      until: ({ failed }) => failed > 0,
      isMistake: true,
    })
    await hold('new versions are refused by the old backend', () => assert.ok(wrong.failed > 0))
    counter.begin('mistake: the new one again', { isMistake: true })
    await deployment.roll(after)
    const mended = await phase('… and everybody goes on')
    await hold('the sessions were kept', () => {
      assert.deepEqual([mended.silentLogins, mended.oldLogins], [0, 0])
    })

    await Promise.all(phones.map((phone) => phone.switchOff()))
    for (const { title, failed, why, logouts, isMistake } of counter.rows()) {
      await hold(`${title}: logouts`, () => assert.equal(logouts, 0))
      if (!isMistake) {
        await hold(`${title}: failures`, () => assert.equal(failed, 0, JSON.stringify(why)))
      }
    }
    const [users] = await database.query('SELECT * FROM users ORDER BY id')
    await hold('each phone is one user', () => {
      assert.equal(users.length, phones.length + 1)
      assert.equal(new Set(phones.map((phone) => phone.userId())).size, phones.length)
    })
    await hold('rows that were there are as they were', () =>
      assert.deepEqual(users.slice(0, usersBefore.length), usersBefore),
    )
    const shapeAfter = await shape()
    await hold('the table is as it was', () => assert.equal(shapeAfter, shapeBefore))
    counter.print()
    await hold('mistakes look as the guide says', async () => {
      const seen = await firstTries?.({ folder: home.folder, env })
      for (const title of seen ?? []) console.log(`as the guide says: ${title}`)
    })
    if (problems.length > 0) console.error(deployment.output())
  } finally {
    await Promise.all(phones.map((phone) => phone.switchOff()))
    await deployment.stop()
    await listening.close()
    await database.end()
  }
  return problems
}
