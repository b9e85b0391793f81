// Compiled in a project that has the newest of the optional peers beside the tarballs.
import { createAuth } from '@wxlogin/server'
import { createSqlStore, type SqlStore } from '@wxlogin/server/sql'
import { createFakeWeChat } from '@wxlogin/server/testing'
import { type Dialect, Kysely } from 'kysely'
import { http } from 'msw'
import { setupServer } from 'msw/node'

interface Tables {
  readonly users: { readonly id: string }
}

const wechat = createFakeWeChat()
export const emulated = setupServer(...wechat.handlers(http))

export function storeOf(dialect: Dialect): SqlStore {
  return createSqlStore(new Kysely<Tables>({ dialect }), { dialect: 'sqlite' })
}

export function authOf(dialect: Dialect) {
  return createAuth({
    apps: [wechat.app],
    secret: 'h7Qm2xV9cKp4Tz8wRb3yLn6sDf1gJa5u',
    store: storeOf(dialect),
    fetch: globalThis.fetch,
  })
}
