// node peers.mjs: runs in a project that has the newest of the optional peers beside the tarballs, on a Node that runs
// them. Kysely's store holds the public cases on node:sqlite, and a login gets through msw.
import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { createAuth } from '@wxlogin/server'
import { createSqlStore } from '@wxlogin/server/sql'
import { createFakeWeChat, storeCases } from '@wxlogin/server/testing'
import { Kysely, SqliteDialect } from 'kysely'
import { http } from 'msw'
import { setupServer } from 'msw/node'

// What Kysely expects of better-sqlite3, which is compiled for minutes where its binary cannot be downloaded.
const sqlite = new DatabaseSync(':memory:')
const database = { close: () => sqlite.close(), prepare }

function prepare(sql) {
  const statement = withCode(() => sqlite.prepare(sql))
  return {
    reader: /^\s*(select|pragma)\b/i.test(sql),
    all: (parameters) => withCode(() => statement.all(...parameters)),
    run: (parameters) => withCode(() => statement.run(...parameters)),
  }
}

/** Errors with the codes of better-sqlite3; node:sqlite has numbers. */
function withCode(act) {
  try {
    return act()
  } catch (error) {
    throw Object.assign(error, error.errcode === 1 && { code: 'SQLITE_ERROR' })
  }
}

const kysely = new Kysely({ dialect: new SqliteDialect({ database }) })
const store = createSqlStore(kysely, { dialect: 'sqlite' })
await store.migrate()
assert.deepEqual(await store.check(), [])
const cases = storeCases()
for (const { name, run } of cases) {
  await run(store).catch((cause) => {
    throw new Error(`on Kysely: ${name}`, { cause })
  })
}

const wechat = createFakeWeChat()
const emulated = setupServer(...wechat.handlers(http))
emulated.listen({ onUnhandledRequest: 'error' })
const auth = createAuth({
  apps: [wechat.app],
  secret: 'h7Qm2xV9cKp4Tz8wRb3yLn6sDf1gJa5u',
  store,
  fetch: globalThis.fetch,
})
const { user_id, refresh_token } = await auth.login({ code: wechat.codeFor('alice') })
assert.equal((await auth.refresh({ refreshToken: refresh_token })).user_id, user_id)
assert.equal((await auth.sessions.list(user_id)).length, 1)
assert.equal(wechat.calls.length, 1)

await auth.close()
emulated.close()
await kysely.destroy()
console.log(`${cases.length} cases of stores on Kysely, and a login through msw`)
