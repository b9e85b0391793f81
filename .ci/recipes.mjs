// Runs what docs/orm.md has for ORMs and for pools that exist, on databases of its own: first logins of one user at
// once are one row with one id, and a store on a pool that exists opens no connection beside it.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createDatabases } from './moving/database.mjs'
import { compile, createHome, filesOf } from './moving/home.mjs'

const atOnce = 40
const connections = 8
const rounds = 5
const secret = 'h7Qm2xV9cKp4Tz8wRb3yLn6sDf1gJa5u'

const files = filesOf('docs/orm.md')
const place = mkdtempSync(join(tmpdir(), 'wxlogin-recipes-'))
const databases = await createDatabases()
const failures = []
try {
  const home = await createHome(join(place, 'home'), files)
  await compile(home, 'recipes')
  const need = createRequire(join(home.folder, 'index.js'))
  const recipe = (name) => need(join(home.folder, 'out/recipes', `${name}.js`))
  need('reflect-metadata')
  const mariadb = await databases.mariadb()
  const postgres = await databases.postgres()
  const places = { need, recipe, mariadb, postgres }
  for (const [name, open] of Object.entries(orms(places)))
    await check(name, () => firstLogins(places, name, open))
  for (const [name, open] of Object.entries(pools(places)))
    await check(name, () => onePool(places, open))
} finally {
  await databases.stop()
  rmSync(place, { recursive: true, force: true })
}
if (failures.length > 0) console.error(`\n${failures.length} failed: ${failures.join(', ')}`)
process.exit(failures.length === 0 ? 0 : 1)

async function check(name, work) {
  try {
    console.log(`ok     ${name.padEnd(24)} ${await work()}`)
  } catch (error) {
    failures.push(name)
    console.log(`FAILED ${name}\n${error.stack}`)
  }
}

/** Each opens its users; `traps` is what its own upsert does instead. */
function orms({ need, recipe }) {
  function sequelizeOn(url) {
    const { Sequelize } = need('sequelize')
    const options = { logging: false, pool: { max: connections }, dialectModule: need('mysql2') }
    const sequelize = new Sequelize(url, options)
    const users = recipe('sequelize').defineUser(sequelize)
    return { users, close: () => sequelize.close() }
  }

  return {
    async TypeORM(url) {
      const { User, userOf } = recipe('typeorm')
      const { DataSource } = need('typeorm')
      const extra = { connectionLimit: connections }
      const source = await new DataSource({
        type: 'mysql',
        url,
        entities: [User],
        extra,
      }).initialize()
      const users = source.getRepository(User)
      return {
        userOf: (account) => userOf(users, account),
        async traps(account) {
          const key = ['appId', 'openid']
          await assert.rejects(users.upsert(account, key), /invite_code/)
          const ignoring = (values) =>
            users.createQueryBuilder().insert().values(values).orIgnore().execute()
          await ignoring(account)
          const { inviteCode } = await users.findOneByOrFail(account)
          assert.equal(inviteCode, '')
          await users.delete(account)
          for (const insert of [(user) => users.upsert(user, key), ignoring]) {
            const [first] = (await insert(users.create(account))).identifiers
            const { id, inviteCode } = await users.findOneByOrFail(account)
            assert.equal(first.id, id)
            assert.match(inviteCode, /^[0-9a-f]{12}$/)
            await users.delete(account)
          }
        },
        close: () => source.destroy(),
      }
    },
    async Sequelize(url) {
      const { users, close } = sequelizeOn(url)
      return {
        userOf: (account) => recipe('sequelize').userOf(users, account),
        async traps(account) {
          await assert.rejects(users.upsert(account), /invite_code/)
        },
        close,
      }
    },
    async 'Sequelize, findOrCreate'(url) {
      const { users, close } = sequelizeOn(url)
      const userOf = async ({ appId, openid }) => {
        const [{ id }] = await users.findOrCreate({ where: { appId, openid } })
        return id
      }
      return { userOf, close }
    },
    async Drizzle(url) {
      const { userOf } = recipe('drizzle')
      const pool = need('mysql2/promise').createPool({ uri: url, connectionLimit: connections })
      const db = need('drizzle-orm/mysql2').drizzle(pool)
      return { userOf: (account) => userOf(db, account), close: () => pool.end() }
    },
    async 'plain SQL'(url) {
      const { userOf } = recipe('plain-sql')
      const pool = need('mysql2/promise').createPool({ uri: url, connectionLimit: connections })
      return { userOf: (account) => userOf(pool, account), close: () => pool.end() }
    },
  }
}

async function firstLogins({ need, mariadb }, name, open) {
  const database = `orm_${name.replace(/\W/g, '_').toLowerCase()}`
  const admin = await need('mysql2/promise').createConnection({
    uri: mariadb,
    multipleStatements: true,
  })
  await admin.query(
    `CREATE DATABASE ${database}; USE ${database}; ${files.get('recipes/users.sql')}`,
  )
  const { userOf, traps, close } = await open(mariadb.replace(/\/[^/]*$/, `/${database}`))
  const wechat = need('@wxlogin/server/testing').createFakeWeChat()
  const auth = need('@wxlogin/server').createAuth({
    apps: [wechat.app],
    secret,
    fetch: wechat.fetch,
    onEvent: () => undefined,
    onLogin: async (account) => ({ userId: await userOf(account) }),
  })
  try {
    for (let round = 0; round < rounds; round++) {
      const codes = Array.from({ length: atOnce }, () => wechat.codeFor(`person-${round}`))
      const answers = await Promise.all(codes.map((code) => auth.login({ code })))
      const ids = new Set(answers.map(({ user_id }) => user_id))
      assert.equal(ids.size, 1, `${ids.size} ids for one person`)
      const { user_id } = await auth.login({ code: wechat.codeFor(`person-${round}`) })
      assert.ok(ids.has(user_id), 'a later login is another user')
    }
    const { appId } = wechat.app
    const ids = await Promise.all([
      userOf({ appId, openid: 'openid-a' }),
      userOf({ appId, openid: 'openid-A' }),
      userOf({ appId: 'wx-another', openid: 'openid-a' }),
    ])
    assert.equal(new Set(ids.map(String)).size, 3, 'accounts that differ are one user')
    const [rows] = await admin.query('SELECT * FROM users')
    assert.equal(rows.length, rounds + 3)
    assert.ok(
      rows.every(({ invite_code }) => /^[0-9a-f]{12}$/.test(invite_code)),
      'the hook of the ORM did not run',
    )
    // What the document warns of. When it has gone, so may the warning.
    await traps?.({ appId, openid: 'openid-of-nobody' })
    // An insert that meets a duplicate uses up an id: without one, nothing has been shown.
    const [[{ last }]] = await admin.query('SELECT MAX(id) AS last FROM users')
    const duplicates = last - rows.length
    assert.ok(duplicates > 0, 'no two logins met')
    return `${rounds} × ${atOnce} first logins at once, ${duplicates} met a duplicate: ${rounds} rows, one id each${traps ? '; the traps are there' : ''}`
  } finally {
    await auth.close()
    await close()
    await admin.end()
  }
}

/** Each gives a store on the pool that an app has, which is closed by the app. */
function pools({ need, recipe }) {
  const stores = recipe('pools')
  const { DataSource } = need('typeorm')
  const size = 4
  return {
    async 'a pool of mysql2'({ mariadb }) {
      const pool = need('mysql2/promise').createPool({ uri: mariadb, connectionLimit: size })
      return { store: stores.onMysql2(pool), size, close: () => pool.end() }
    },
    async 'a pool of pg'({ postgres }) {
      const { Pool } = need('pg')
      const pool = new Pool({ connectionString: postgres, max: size })
      return { store: stores.onPg(pool), size, isPostgres: true, close: () => pool.end() }
    },
    async 'TypeORM on MariaDB'({ mariadb }) {
      const extra = { connectionLimit: size }
      const source = await new DataSource({ type: 'mysql', url: mariadb, extra }).initialize()
      return { store: stores.onTypeOrmMysql(source), size, close: () => source.destroy() }
    },
    async 'TypeORM on PostgreSQL'({ postgres }) {
      const extra = { max: size }
      const source = await new DataSource({ type: 'postgres', url: postgres, extra }).initialize()
      const store = stores.onTypeOrmPostgres(source)
      return { store, size, isPostgres: true, close: () => source.destroy() }
    },
  }
}

async function onePool(places, open) {
  const { need } = places
  const connected = await counterOf(places)
  const { store, size, isPostgres = false, close } = await open(places)
  const count = isPostgres ? connected.postgres : connected.mariadb
  const wechat = need('@wxlogin/server/testing').createFakeWeChat()
  const auth = need('@wxlogin/server').createAuth({
    apps: [wechat.app],
    secret,
    store,
    storeTimeoutMs: 10_000,
    fetch: wechat.fetch,
    onEvent: () => undefined,
  })
  try {
    await store.migrate()
    const people = Array.from({ length: 40 }, (_, n) => `person-${n}`)
    const logins = await Promise.all(
      people.map((person) => auth.login({ code: wechat.codeFor(person) })),
    )
    const renewed = await Promise.all(
      logins.map(({ refresh_token }) => auth.refresh({ refreshToken: refresh_token })),
    )
    const most = await count()
    assert.ok(most <= size, `${most} connections, where the pool has ${size}`)
    const [{ access_token, user_id }] = renewed
    const fresh = () => auth.authenticate(`Bearer ${access_token}`, { fresh: true })
    await fresh()
    assert.equal(await auth.sessions.revoke({ userId: user_id }), 1)
    await assert.rejects(fresh, { code: 'invalid_token' })
    return `40 logins and renewals at once, by ${most} connections of the ${size} that the pool has`
  } finally {
    await auth.close()
    await close()
    await connected.close()
  }
}

/** How many connections a server has beside the one that asks. */
async function counterOf({ need, mariadb, postgres }) {
  const mysql = await need('mysql2/promise').createConnection(mariadb)
  const pg = new (need('pg').Client)({ connectionString: postgres })
  await pg.connect()
  return {
    async mariadb() {
      const [rows] = await mysql.query('SHOW PROCESSLIST')
      return rows.filter(({ User }) => User === 'wxlogin').length - 1
    },
    async postgres() {
      const query = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'"
      const { rows } = await pg.query(query)
      return Number(rows[0].count) - 1
    },
    async close() {
      await mysql.end()
      await pg.end()
    },
  }
}
