import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createPool, type Pool, type ResultSetHeader, type RowDataPacket } from 'mysql2/promise'
import { afterAll, beforeEach, describe, expect, inject, test } from 'vitest'
import {
  type Account,
  type AppKind,
  type Auth,
  createAuth,
  createMemoryStore,
  type MovedPhoneAnswer,
  type PhoneContext,
} from '../../src/index.js'
import { createFakeWeChat } from '../../src/testing/index.js'
import { testSecret } from '../set-up.js'
import { isWanted, provided } from './global-setup.js'

// Runs the very code that these guides show.
const guides = ['two-mini-programs', 'phone-number', 'one-user']
  .map((name) => readFileSync(new URL(`../../../../docs/${name}.md`, import.meta.url), 'utf8'))
  .join('\n')
const services = inject('services')

describe.runIf(isWanted(services, 'mysql'))('the recipes for users', async () => {
  const mysql = provided(services, 'mysql')
  const pool = createPool({ uri: mysql, multipleStatements: true })
  const { link, linkAny, bindPhone, remove } = await load()
  const { database, drop } = await createDatabase(pool)
  const users = createPool({ uri: database, multipleStatements: true })

  beforeEach(async () => {
    await users.query('DELETE FROM orders; DELETE FROM wx_identities; DELETE FROM users')
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
  const order = async (userId: string) => {
    const sql = "INSERT INTO orders (user_id, title) VALUES (?, 'tea')"
    const [{ insertId }] = await users.execute<ResultSetHeader>(sql, [userId])
    return insertId
  }
  const buyerOf = async (orderId: number) => {
    const sql = 'SELECT user_id FROM orders WHERE id = ?'
    const [[row]] = await users.execute<RowDataPacket[]>(sql, [orderId])
    return String(row?.user_id)
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

  test('a merged user leaves orders and phone number to the other', async () => {
    const shop = await link(users, inShop('alice'))
    const bought = await order(shop.userId)
    await bindPhone(users, phoneOf(inShop('alice'), '13800138000'))
    const game = await link(users, inGame('alice-there', 'union-alice'))

    await link(users, inShop('alice', 'union-alice'))

    expect(await buyerOf(bought)).toBe(game.userId)
    await expect(order(shop.userId)).rejects.toMatchObject({ code: 'ER_NO_REFERENCED_ROW_2' })
    const other = await link(users, inShop('her other WeChat'))
    expect(
      await bindPhone(users, phoneOf(inShop('her other WeChat'), '13800138000')),
    ).toMatchObject({ userId: game.userId, merged: other.userId })
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

  test('a number that nobody has makes the guest a member, under the same id', async () => {
    const guest = await link(users, inShop('alice'))

    expect(await bindPhone(users, phoneOf(inShop('alice'), '13800138000'))).toEqual(guest)
    expect(await bindPhone(users, phoneOf(inShop('alice'), '13800138000'))).toEqual(guest)
  })

  test("a number that a member has makes the guest that member, with the guest's orders", async () => {
    const member = await link(users, inGame('alice-there'))
    await bindPhone(users, phoneOf(inGame('alice-there'), '13800138000'))
    const guest = await link(users, inShop('alice'))
    const bought = await order(guest.userId)

    const bound = await bindPhone(users, phoneOf(inShop('alice'), '13800138000'))

    expect(bound).toEqual({ userId: member.userId, merged: guest.userId })
    expect(await link(users, inShop('alice'))).toEqual(member)
    expect(await buyerOf(bought)).toBe(member.userId)
    expect(await bindPhone(users, phoneOf(inShop('alice'), '13800138000'))).toEqual(member)
  })

  test('the same digits of another country are another number', async () => {
    await link(users, inShop('alice'))
    await bindPhone(users, phoneOf(inShop('alice'), '13800138000'))
    const bob = await link(users, inShop('bob'))

    expect(await bindPhone(users, phoneOf(inShop('bob'), '13800138000', '1'))).toEqual(bob)
  })

  test('two members are not merged, and a member may change the number', async () => {
    for (const [openid, phone] of [
      ['alice', '13800138000'],
      ['bob', '13800138001'],
    ] as const) {
      await link(users, inShop(openid))
      await bindPhone(users, phoneOf(inShop(openid), phone))
    }

    const taken = bindPhone(users, phoneOf(inShop('alice'), '13800138001'))
    await expect(taken).rejects.toMatchObject({ code: 'access_denied', reason: 'phone_taken' })
    await bindPhone(users, phoneOf(inShop('alice'), '13800138002'))

    expect(await countOf('users')).toBe(2)
  })

  test('twenty guests with one number at once are one member', async () => {
    const guests = Array.from({ length: 20 }, (_, index) => inShop(`phone-${index}`))
    for (const guest of guests) await link(users, guest)

    const bound = await Promise.all(
      guests.map((guest) => bindPhone(users, phoneOf(guest, '13800138000'))),
    )

    expect(new Set(bound.map(({ userId }) => userId)).size).toBe(1)
    expect(await countOf('users')).toBe(1)
  })

  const at = (kind: AppKind, openid: string, unionid?: string): Account => ({
    ...account(`app-${kind}`, openid, unionid),
    kind,
  })
  const joined = ['mini_program', 'website', 'official_account'] as const

  test('the same person from every kind of app is one user, also at once', async () => {
    for (let round = 0; round < 5; round++) {
      const people = ['alice', 'bob', 'carol'].map((name) => `${name} ${round}`)
      const logins = people.flatMap((person) =>
        [0, 1].flatMap(() =>
          joined.map(async (kind) => ({
            person,
            ...(await linkAny(users, at(kind, `${person} at ${kind}`, `union of ${person}`))),
          })),
        ),
      )

      const linked = await Promise.all(logins)

      for (const person of people) {
        const ids = linked.filter((one) => one.person === person).map(({ userId }) => userId)
        expect(new Set(ids).size).toBe(1)
      }
    }
    expect(await countOf('users')).toBe(15)
    expect(await countOf('wx_identities')).toBe(45)
  })

  test('a unionid that appears later, and that somebody else has, makes one of the two, whoever is first', async () => {
    const silent = await linkAny(users, at('official_account', 'page'))
    const shop = await linkAny(users, at('mini_program', 'phone', 'union'))
    const bought = await order(silent.userId)

    const linked = await Promise.all([
      linkAny(users, at('official_account', 'page', 'union')),
      linkAny(users, at('official_account', 'page', 'union')),
      linkAny(users, at('website', 'browser', 'union')),
      linkAny(users, at('mini_program', 'phone', 'union')),
    ])

    expect(new Set(linked.map(({ userId }) => userId))).toEqual(new Set([shop.userId]))
    expect(linked.flatMap(({ merged = [] }) => merged)).toEqual([silent.userId])
    expect(await buyerOf(bought)).toBe(shop.userId)
    expect(await countOf('users')).toBe(1)
  })

  test('an account that comes with another unionid than its user has moves nothing', async () => {
    const alice = await linkAny(users, at('website', 'browser', 'union of alice'))
    const bob = await linkAny(users, at('mini_program', 'phone', 'union of bob'))

    const again = await linkAny(users, at('website', 'browser', 'union of bob'))

    expect(again).toEqual({ userId: alice.userId })
    expect(await linkAny(users, at('mini_program', 'phone', 'union of bob'))).toEqual({
      userId: bob.userId,
    })
    expect(await countOf('users')).toBe(2)
  })

  test.each(['custom', 'wecom'] as const)('a unionid from %s joins nobody', async (kind) => {
    const alice = await linkAny(users, at('mini_program', 'phone', 'union of alice'))

    const mallory = await linkAny(users, at(kind, 'mallory', 'union of alice'))

    expect(mallory.userId).not.toBe(alice.userId)
    expect(await linkAny(users, at(kind, 'mallory'))).toEqual({ userId: mallory.userId })
  })

  test('a member of WeCom whom the directory knows is that user', async () => {
    const { userId } = await linkAny(users, at('mini_program', 'phone', 'union of alice'))
    const sql = 'INSERT INTO wx_identities (app_id, openid, user_id) VALUES (?, ?, ?)'
    await users.execute(sql, ['app-wecom', 'ZhangSan', userId])

    expect(await linkAny(users, at('wecom', 'ZhangSan'))).toEqual({ userId })
  })

  test('wired as shown, a guest becomes the member on one phone, and is signed out on the other', async () => {
    const wechat = createFakeWeChat()
    const auth: Auth = createAuth({
      apps: [wechat.app],
      secret: testSecret,
      fetch: wechat.fetch,
      store: createMemoryStore(),
      async onLogin(account) {
        const { userId, merged } = await link(users, account)
        if (merged !== undefined) await auth.sessions.revoke({ userId: merged, reason: 'merged' })
        return { userId }
      },
      async onPhoneNumber(context) {
        const { userId, merged } = await bindPhone(users, context)
        if (merged !== undefined) {
          const { id } = context.session
          await auth.sessions.revoke({ userId: merged, except: id, reason: 'merged' })
        }
        return { userId, data: { isMember: true } }
      },
    })
    const signIn = async (person: string) => {
      const tokens = await auth.login({ code: wechat.codeFor(person) })
      return { tokens, session: await auth.authenticate(`Bearer ${tokens.access_token}`) }
    }
    const give = (person: string, session: PhoneContext['session']) =>
      auth.phone({ session, code: wechat.phoneCodeFor(person, { phoneNumber: '13800138000' }) })
    const member = await signIn('alice at work')
    await give('alice at work', member.session)
    const [here, there] = [await signIn('alice'), await signIn('alice')]

    const answer = await give('alice', here.session)

    expect(answer).toMatchObject({ user_id: member.session.userId, data: { isMember: true } })
    const { refresh_token = '' } = answer as MovedPhoneAnswer
    const refreshed = await auth.refresh({ refreshToken: refresh_token })
    expect(refreshed.user_id).toBe(member.session.userId)
    await expect(auth.refresh({ refreshToken: there.tokens.refresh_token })).rejects.toMatchObject({
      code: 'invalid_grant',
      reason: 'revoked',
    })
    expect((await signIn('alice')).session.userId).toBe(member.session.userId)
  })
})

function phoneOf(account: Account, phoneNumber: string, countryCode = '86'): PhoneContext {
  const session = {
    id: 'x',
    userId: 'x',
    appId: account.appId,
    authenticatedAt: 0,
    issuedAt: 0,
    expiresAt: 0,
  }
  const callId = 'a-call-of-this-test-01'
  return { callId, phoneNumber, countryCode, account, session: { ...session, claims: {} } }
}

function account(appId: string, openid: string, unionid?: string): Account {
  return { appId, kind: 'mini_program', openid, ...(unionid !== undefined && { unionid }) }
}

function blockWith(language: string, text: string): string {
  for (const [, found, code = ''] of guides.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)) {
    if (found === language && code.includes(text)) return code
  }
  throw new Error(`The guides have no ${language} block with ${text}`)
}

interface Linked {
  readonly userId: string
  readonly merged?: string
}

interface Recipe {
  link(pool: Pool, account: Account): Promise<Linked>
  linkAny(pool: Pool, account: Account): Promise<Linked>
  bindPhone(pool: Pool, context: PhoneContext): Promise<Linked>
}

async function load(): Promise<Recipe & { remove(): void }> {
  const folder = mkdtempSync(join(tmpdir(), 'wxlogin-recipe-'))
  const blocks = {
    users: blockWith('ts', 'export async function link'),
    phone: blockWith('ts', 'export async function bindPhone'),
    'one-user': blockWith('ts', 'export async function linkAny'),
  }
  for (const [name, code] of Object.entries(blocks)) writeFileSync(join(folder, `${name}.ts`), code)
  const { link } = (await import(join(folder, 'users.ts'))) as Pick<Recipe, 'link'>
  const { bindPhone } = (await import(join(folder, 'phone.ts'))) as Pick<Recipe, 'bindPhone'>
  const { linkAny } = (await import(join(folder, 'one-user.ts'))) as Pick<Recipe, 'linkAny'>
  return { link, linkAny, bindPhone, remove: () => rmSync(folder, { recursive: true }) }
}

async function createDatabase(pool: Pool) {
  const name = `recipe_${process.pid}_${Date.now()}`
  await pool.query(`CREATE DATABASE ${name}`)
  await pool.query(`USE ${name}; ${blockWith('sql', 'CREATE TABLE wx_identities')}`)
  const database = (services.mysql ?? '').replace(/\/[^/]*$/, `/${name}`)
  return { database, drop: () => pool.query(`DROP DATABASE ${name}`) }
}
