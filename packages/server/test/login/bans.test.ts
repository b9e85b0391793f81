import { describe, expect, test } from 'vitest'
import {
  type Auth,
  AuthError,
  type AuthOptions,
  createMemoryStore,
  type SessionStore,
} from '../../src/index.js'
import { createClock, newKey, setUp } from '../set-up.js'

// Where `claims` reads the mark, nobody is in afterwards, whichever step of a login, a refresh or a phone number the ban
// falls between: the mark first, then the revocation.

type Step = string

/** An `auth` that stops at every step of its own and of its store, and the user who may be banned there. */
function setUpBan(stopAt: number, options: Partial<AuthOptions> = {}) {
  const clock = createClock()
  const memory = createMemoryStore({ now: clock.now })
  const banned = new Set<string>()
  const steps: Step[] = []
  let isWatched = false
  let ban = async () => {}

  async function step(name: Step): Promise<void> {
    if (!isWatched) return
    steps.push(name)
    if (steps.length !== stopAt) return
    isWatched = false
    await ban()
    isWatched = true
  }
  const around = <Args extends unknown[], Result>(
    name: string,
    call: (...args: Args) => Promise<Result>,
  ) => {
    return async (...args: Args) => {
      await step(`before ${name}`)
      const result = await call(...args)
      await step(`after ${name}`)
      return result
    }
  }
  const store: SessionStore = {
    create: around('create', memory.create),
    get: around('get', memory.get),
    replace: around('replace', memory.replace),
    delete: around('delete', memory.delete),
    list: around('list', memory.list),
  }
  const { auth, wechat } = setUp({
    now: clock.now,
    store,
    onLogin: around('onLogin', async () => ({ userId: 'member' })),
    onPhoneNumber: around('onPhoneNumber', async () => ({ userId: 'member' })),
    claims: around('claims', async ({ userId }: { userId: string }) => {
      if (banned.has(userId)) throw new AuthError('access_denied', 'This user is banned')
      return {}
    }),
    ...options,
  })
  ban = async () => {
    banned.add('member')
    await auth.sessions.revoke({ userId: 'member', reason: 'banned' })
  }
  const watch = async (run: () => Promise<unknown>) => {
    isWatched = true
    await run().catch(() => undefined)
    isWatched = false
    return steps.length
  }
  return { auth, wechat, clock, memory, watch }
}

type Parts = ReturnType<typeof setUpBan>

async function guest({ auth, wechat }: Parts) {
  const { access_token } = await auth.sessions.create({
    account: { openid: wechat.openidOf('alice') },
    userId: 'guest',
  })
  return auth.authenticate(`Bearer ${access_token}`)
}

const stories: Readonly<Record<string, (parts: Parts) => Promise<() => Promise<unknown>>>> = {
  'a login by code': async ({ auth, wechat }) => {
    const code = wechat.codeFor('alice')
    return () => auth.login({ code })
  },
  'a login whose answer was lost': async ({ auth, wechat, clock }) => {
    const again = { code: wechat.codeFor('alice'), idempotencyKey: newKey() }
    await auth.login(again)
    clock.advance(5)
    return () => auth.login(again)
  },
  'a refresh': async ({ auth, wechat }) => {
    const { refresh_token: refreshToken } = await auth.login({ code: wechat.codeFor('alice') })
    return () => auth.refresh({ refreshToken })
  },
  'a refresh whose answer was lost': async ({ auth, wechat }) => {
    const { refresh_token: refreshToken } = await auth.login({ code: wechat.codeFor('alice') })
    const again = { refreshToken, idempotencyKey: newKey() }
    await auth.refresh(again)
    return () => auth.refresh(again)
  },
  "a phone number that is the member's": async (parts) => {
    const session = await guest(parts)
    const code = parts.wechat.phoneCodeFor('alice')
    return () => parts.auth.phone({ session, code })
  },
}

const liveOf = async ({ memory }: Parts) =>
  (await memory.list('member')).filter(({ revokedAt }) => revokedAt === undefined)

describe.each(Object.entries(stories))('a ban between any two steps of %s', (_name, prepare) => {
  test('lets nobody in', async () => {
    const unbanned = setUpBan(0)
    const steps = await unbanned.watch(await prepare(unbanned))
    expect(steps).toBeGreaterThan(3)
    expect(await liveOf(unbanned)).toHaveLength(1)

    for (let stopAt = 1; stopAt <= steps; stopAt++) {
      const parts = setUpBan(stopAt)
      await parts.watch(await prepare(parts))

      expect(await liveOf(parts), `banned at step ${stopAt}`).toEqual([])
    }
  })
})

test('through the gateway of cloud hosting nobody gets in either', async () => {
  const headersOf = (appId: string) => ({
    header: (name: string) =>
      ({ 'x-wx-openid': 'alice', 'x-wx-appid': appId, 'x-wx-source': 'wx_client' })[name],
  })
  const visit = ({ auth, wechat }: { auth: Auth; wechat: Parts['wechat'] }) =>
    auth.authenticate(headersOf(wechat.app.appId))
  const options = { cloudHosting: { public: false } } as const
  const unbanned = setUpBan(0, options)
  const steps = await unbanned.watch(() => visit(unbanned))

  for (let stopAt = 1; stopAt <= steps; stopAt++) {
    const parts = setUpBan(stopAt, options)
    await parts.watch(() => visit(parts))

    expect(await liveOf(parts), `banned at step ${stopAt}`).toEqual([])
  }
})
