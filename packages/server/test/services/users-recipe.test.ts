import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { transform } from 'esbuild'
import { createPool, type Pool, type RowDataPacket } from 'mysql2/promise'
import { afterAll, beforeEach, describe, expect, inject, test } from 'vitest'
import type { Account } from '../../src/index.js'

// Runs the very code that docs/recipes.md shows.
const recipe = readFileSync(new URL('../../../../docs/recipes.md', import.meta.url), 'utf8')
const { mysql } = inject('services')

describe.runIf(mysql)('the recipe for two mini programs', async () => {
  const pool = createPool({ uri: mysql ?? '', multipleStatements: true })
  const { link, remove } = await load(blockWith('ts', 'export async function link'))
  const { database, drop } = await createDatabase(pool)
  const users = createPool({ uri: database, multipleStatements: true })

  beforeEach(async () => {
    await users.query('DELETE FROM wx_identities; DELETE FROM users')
  })
  afterAll(async () => {
    await users.end()
    await drop()
    await pool.end()
    remove()
  })

  const inShop = (openid: string, unionid?: string) => account('wx-shop', openid, unionid)
  const inGame = (openid: string, unionid?: string) => account('wx-game', openid, unionid)
  const countOf = async (table: string) => {
    const [[row]] = await users.query<RowDataPacket[]>(`SELECT COUNT(*) AS count FROM ${table}`)
    return Number(row?.count)
  }

  test('an account is the same user at every login', async () => {
    const first = await link(users, inShop('alice'))

    expect(await link(users, inShop('alice'))).toEqual(first)
    expect((await link(users, inShop('bob'))).userId).not.toBe(first.userId)
  })

  test('one unionid is one user in both mini programs', async () => {
    const { userId } = await link(users, inShop('alice', 'union-alice'))

    expect(await link(users, inGame('alice-there', 'union-alice'))).toEqual({ userId })
  })

  test('a unionid that appears later is remembered', async () => {
    const { userId } = await link(users, inShop('alice'))
    await link(users, inShop('alice', 'union-alice'))

    expect(await link(users, inGame('alice-there', 'union-alice'))).toEqual({ userId })
  })

  test('a unionid that appears later merges the two users that it shows to be one', async () => {
    const shop = await link(users, inShop('alice'))
    const game = await link(users, inGame('alice-there', 'union-alice'))

    const merged = await link(users, inShop('alice', 'union-alice'))

    expect(merged).toEqual({ userId: game.userId, merged: shop.userId })
    expect(await link(users, inShop('alice'))).toEqual({ userId: game.userId })
    expect(await countOf('users')).toBe(1)
  })

  test('an identity whose user has another unionid already stays where it is', async () => {
    const { userId } = await link(users, inShop('alice', 'union-alice'))
    await link(users, inGame('bob', 'union-bob'))

    expect(await link(users, inShop('alice', 'union-bob'))).toEqual({ userId })
  })

  test('forty logins at once, from both mini programs, make one user', async () => {
    const logins = Array.from({ length: 40 }, (_, index) =>
      link(users, index % 2 ? inShop('alice', 'union-alice') : inGame('there', 'union-alice')),
    )

    const userIds = new Set((await Promise.all(logins)).map(({ userId }) => userId))

    expect(userIds.size).toBe(1)
    expect([await countOf('users'), await countOf('wx_identities')]).toEqual([1, 2])
  })
})

function account(appId: string, openid: string, unionid?: string): Account {
  return { appId, openid, ...(unionid !== undefined && { unionid }) }
}

function blockWith(language: string, text: string): string {
  for (const [, found, code = ''] of recipe.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)) {
    if (found === language && code.includes(text)) return code
  }
  throw new Error(`docs/recipes.md has no ${language} block with ${text}`)
}

interface Recipe {
  link(pool: Pool, account: Account): Promise<{ userId: string; merged?: string }>
}

async function load(source: string): Promise<Recipe & { remove(): void }> {
  const folder = mkdtempSync(join(tmpdir(), 'wxlogin-recipe-'))
  const file = join(folder, 'users.mjs')
  const { code } = await transform(source, { loader: 'ts' })
  writeFileSync(file, code)
  const { link } = (await import(/* @vite-ignore */ pathToFileURL(file).href)) as Recipe
  return { link, remove: () => rmSync(folder, { recursive: true }) }
}

async function createDatabase(pool: Pool) {
  const name = `recipe_${process.pid}_${Date.now()}`
  await pool.query(`CREATE DATABASE ${name}`)
  await pool.query(`USE ${name}; ${blockWith('sql', 'CREATE TABLE wx_identities')}`)
  const database = (mysql ?? '').replace(/\/[^/]*$/, `/${name}`)
  return { database, drop: () => pool.query(`DROP DATABASE ${name}`) }
}
