import { describe, expect, test } from 'vitest'
import type { Auth } from '../src/index.js'
import { newKey, type SetUp, setUp } from './set-up.js'

const pair = { audience: 'https://www.example.com' }

/** What a caller without types may write. */
type Loose = (...given: unknown[]) => Promise<unknown>

interface Call {
  /** What is wrong, in the words of who wrote it. */
  readonly wrong: string
  readonly call: (set: SetUp & Signed) => Promise<unknown> | undefined
  /** What the error names. */
  readonly names: string
}

interface Signed {
  readonly session: { readonly id: string; readonly userId: string }
  readonly refreshToken: string
  readonly code: () => string
}

async function setUpSigned(): Promise<SetUp & Signed> {
  const set = setUp({ deviceGrant: {} })
  const answer = await set.auth.login({ code: set.wechat.codeFor('alice') })
  const session = await set.auth.authenticate(`Bearer ${answer.access_token}`)
  const code = () => set.wechat.codeFor('alice')
  return { ...set, session, refreshToken: answer.refresh_token, code }
}

const of = (auth: Auth) => auth as unknown as Readonly<Record<string, Loose>>
const sessionsOf = (auth: Auth) => auth.sessions as unknown as Readonly<Record<string, Loose>>
const deviceOf = (auth: Auth) => auth.device as unknown as Readonly<Record<string, Loose>>
const ticketsOf = (auth: Auth) => auth.tickets as unknown as Readonly<Record<string, Loose>>

const calls: readonly Call[] = [
  { wrong: 'login(code)', names: 'auth.login', call: ({ auth, code }) => of(auth).login?.(code()) },
  {
    wrong: 'login({ code: undefined })',
    names: 'code',
    call: ({ auth }) => of(auth).login?.({ code: undefined }),
  },
  {
    wrong: 'login({ idempotencyKey: 7 })',
    names: 'idempotencyKey',
    call: ({ auth, code }) => of(auth).login?.({ code: code(), idempotencyKey: 7 }),
  },
  {
    wrong: 'login with a short idempotency key',
    names: 'idempotencyKey',
    call: ({ auth, code }) => of(auth).login?.({ code: code(), idempotencyKey: 'a' }),
  },
  {
    wrong: 'login({ device: 7 })',
    names: 'device',
    call: ({ auth, code }) => of(auth).login?.({ code: code(), device: 7 }),
  },
  {
    wrong: 'login({ appId: 7 })',
    names: 'appId',
    call: ({ auth, code }) => of(auth).login?.({ code: code(), appId: 7 }),
  },
  {
    wrong: 'login({ app_id })',
    names: 'did you mean appId?',
    call: ({ auth, code, wechat }) => of(auth).login?.({ code: code(), app_id: wechat.app.appId }),
  },
  {
    wrong: "login({ previousSignedOut: 'no' })",
    names: 'previousSignedOut',
    call: ({ auth, code }) => of(auth).login?.({ code: code(), previousSignedOut: 'no' }),
  },
  {
    wrong: 'login({ previousRefreshToken: {} })',
    names: 'previousRefreshToken',
    call: ({ auth, code }) => of(auth).login?.({ code: code(), previousRefreshToken: {} }),
  },
  {
    wrong: 'refresh(token)',
    names: 'auth.refresh',
    call: ({ auth, refreshToken }) => of(auth).refresh?.(refreshToken),
  },
  {
    wrong: 'refresh({ refreshToken: undefined })',
    names: 'refreshToken',
    call: ({ auth }) => of(auth).refresh?.({ refreshToken: undefined }),
  },
  {
    wrong: "refresh({ idempotencyKey: 'a' })",
    names: 'idempotencyKey',
    call: ({ auth, refreshToken }) => of(auth).refresh?.({ refreshToken, idempotencyKey: 'a' }),
  },
  {
    wrong: 'refresh({ idempotencyKey: null })',
    names: 'idempotencyKey',
    call: ({ auth, refreshToken }) => of(auth).refresh?.({ refreshToken, idempotencyKey: null }),
  },
  {
    wrong: "logout({ everywhere: 'no' })",
    names: 'everywhere',
    call: ({ auth, refreshToken }) => of(auth).logout?.({ refreshToken, everywhere: 'no' }),
  },
  { wrong: 'logout({})', names: 'refreshToken', call: ({ auth }) => of(auth).logout?.({}) },
  {
    wrong: 'logout with an empty idempotency key',
    names: 'idempotencyKey',
    call: ({ auth, refreshToken }) => of(auth).logout?.({ refreshToken, idempotencyKey: '' }),
  },
  {
    wrong: 'phone without its session',
    names: 'session',
    call: ({ auth, wechat }) => of(auth).phone?.({ code: wechat.phoneCodeFor('alice') }),
  },
  {
    wrong: 'phone({ code: 7 })',
    names: 'code',
    call: ({ auth, session }) => of(auth).phone?.({ session, code: 7 }),
  },
  {
    wrong: 'phone with a short idempotency key',
    names: 'idempotencyKey',
    call: ({ auth, session, wechat }) =>
      of(auth).phone?.({ session, code: wechat.phoneCodeFor('alice'), idempotencyKey: 'a' }),
  },
  {
    wrong: 'sign(session.id, text)',
    names: 'session',
    call: ({ auth, session }) => of(auth).sign?.(session.id, 'text'),
  },
  {
    wrong: 'sign(undefined, text)',
    names: 'session',
    call: ({ auth }) => of(auth).sign?.(undefined, 'text'),
  },
  {
    wrong: 'sign with an option there is not',
    names: 'did you mean checkKey?',
    call: ({ auth, session }) => of(auth).sign?.(session, 'text', { checkkey: true }),
  },
  {
    wrong: "openData({ checkKey: 'no' })",
    names: 'checkKey',
    call: ({ auth, session }) =>
      of(auth).openData?.(session, { encryptedData: 'a', iv: 'a', checkKey: 'no' }),
  },
  {
    wrong: 'openData({ encryptedData: undefined })',
    names: 'encryptedData',
    call: ({ auth, session }) => of(auth).openData?.(session, { iv: 'a' }),
  },
  {
    wrong: 'verifySignature({ rawData: {} })',
    names: 'rawData',
    call: ({ auth, session }) =>
      of(auth).verifySignature?.(session, { rawData: {}, signature: 'a' }),
  },
  {
    wrong: 'virtualPayment with a name there is not',
    names: 'did you mean appKey?',
    call: ({ auth, session }) => of(auth).virtualPayment?.({ session, appkey: 'a', data: '{}' }),
  },
  {
    wrong: 'virtualPayment({ code: 7 })',
    names: 'code',
    call: ({ auth, session }) =>
      of(auth).virtualPayment?.({
        ...{ session, code: 7, appKey: 'key', mode: 'short_series_goods', data: '{}' },
      }),
  },
  {
    wrong: 'authenticate(7)',
    names: 'authenticate',
    call: ({ auth }) => of(auth).authenticate?.(7),
  },
  {
    wrong: 'authenticate(request.headers)',
    names: 'header(name)',
    call: ({ auth }) => of(auth).authenticate?.({ authorization: 'Bearer x' }),
  },
  {
    wrong: 'authenticate(new Headers())',
    names: 'header(name)',
    call: ({ auth }) => of(auth).authenticate?.(new Headers({ authorization: 'Bearer x' })),
  },
  {
    wrong: 'revoke(userId)',
    names: 'auth.sessions.revoke',
    call: ({ auth, session }) => sessionsOf(auth).revoke?.(session.userId),
  },
  {
    wrong: 'revoke({ reason: 7 })',
    names: 'reason',
    call: ({ auth, session }) => sessionsOf(auth).revoke?.({ userId: session.userId, reason: 7 }),
  },
  {
    wrong: 'revoke of one session, whose name is mistyped',
    names: 'did you mean sessionId?',
    call: ({ auth, session: { id, userId } }) =>
      sessionsOf(auth).revoke?.({ userId, sessionID: id }),
  },
  {
    wrong: 'revoke({ sessionId: null })',
    names: 'sessionId',
    call: ({ auth, session: { userId } }) => sessionsOf(auth).revoke?.({ userId, sessionId: null }),
  },
  {
    wrong: 'revoke({ except: session })',
    names: 'except',
    call: ({ auth, session }) =>
      sessionsOf(auth).revoke?.({ userId: session.userId, except: session }),
  },
  { wrong: 'list()', names: 'userId', call: ({ auth }) => sessionsOf(auth).list?.() },
  {
    wrong: 'list({ current: session })',
    names: 'current',
    call: ({ auth, session }) => sessionsOf(auth).list?.(session.userId, { current: session }),
  },
  {
    wrong: 'forget({ userId })',
    names: 'userId',
    call: ({ auth, session: { userId } }) => sessionsOf(auth).forget?.({ userId }),
  },
  {
    wrong: 'account(session.id)',
    names: 'session',
    call: ({ auth, session }) => sessionsOf(auth).account?.(session.id),
  },
  {
    wrong: 'account({ id })',
    names: 'session',
    call: ({ auth, session: { id } }) => sessionsOf(auth).account?.({ id }),
  },
  {
    wrong: 'create without an account',
    names: 'account',
    call: ({ auth }) => sessionsOf(auth).create?.({ userId: 7 }),
  },
  {
    wrong: 'create({ account: { openId } })',
    names: 'did you mean openid?',
    call: ({ auth }) => sessionsOf(auth).create?.({ account: { openId: 'alice' } }),
  },
  {
    wrong: 'create({ user_id })',
    names: 'did you mean userId?',
    call: ({ auth }) => sessionsOf(auth).create?.({ account: { openid: 'alice' }, user_id: 7 }),
  },
  {
    wrong: 'create({ account: { unionid: 7 } })',
    names: 'unionid',
    call: ({ auth }) => sessionsOf(auth).create?.({ account: { openid: 'alice', unionid: 7 } }),
  },
  {
    wrong: 'create({ device: {} })',
    names: 'device',
    call: ({ auth }) => sessionsOf(auth).create?.({ account: { openid: 'alice' }, device: {} }),
  },
  {
    wrong: 'device.start({ client_name })',
    names: 'did you mean clientName?',
    call: ({ auth }) => deviceOf(auth).start?.({ client_name: 'PC' }),
  },
  {
    wrong: 'device.start({ page: 7 })',
    names: 'page',
    call: ({ auth }) => deviceOf(auth).start?.({ page: 7 }),
  },
  {
    wrong: 'device.look(scene)',
    names: 'auth.device.look',
    call: ({ auth }) => deviceOf(auth).look?.('scene'),
  },
  {
    wrong: 'device.look({ scene: undefined })',
    names: 'scene',
    call: ({ auth, session }) => deviceOf(auth).look?.({ session }),
  },
  {
    wrong: "device.decide({ approve: 'no' })",
    names: 'approve',
    call: ({ auth, session }) =>
      deviceOf(auth).decide?.({ session, scene: 'x'.repeat(22), approve: 'no' }),
  },
  {
    wrong: 'device.poll({ deviceCode: undefined })',
    names: 'deviceCode',
    call: ({ auth }) => deviceOf(auth).poll?.({ idempotencyKey: newKey() }),
  },
  {
    wrong: 'device.poll without an idempotency key',
    names: 'idempotencyKey',
    call: ({ auth }) => deviceOf(auth).poll?.({ deviceCode: 'a' }),
  },
  {
    wrong: 'device.poll with a short idempotency key',
    names: 'idempotencyKey',
    call: ({ auth }) => deviceOf(auth).poll?.({ deviceCode: 'a', idempotencyKey: 'a' }),
  },
  {
    wrong: 'tickets.issue(session)',
    names: 'auth.tickets.issue',
    call: ({ auth, session }) => ticketsOf(auth).issue?.(session),
  },
  {
    wrong: 'tickets.issue({ ttl })',
    names: 'did you mean ttlSeconds?',
    call: ({ auth, session }) => ticketsOf(auth).issue?.(session, { ...pair, ttlSecond: 5 }),
  },
  {
    wrong: 'tickets.issue(session.id, …)',
    names: 'session',
    call: ({ auth, session }) => ticketsOf(auth).issue?.(session.id, pair),
  },
  {
    wrong: 'tickets.redeem(ticket)',
    names: 'auth.tickets.redeem',
    call: ({ auth }) => ticketsOf(auth).redeem?.('wxt.a'),
  },
]

describe('a wrong argument is a TypeError that names it, and does nothing', () => {
  test.each(calls)('$wrong', async ({ call, names }) => {
    const set = await setUpSigned()
    const { auth, wechat, session, events } = set
    const [before, sent] = [events.length, wechat.calls.length]

    const error = await Promise.resolve(call(set)).then(
      () => undefined,
      (reason: unknown) => reason,
    )

    expect(error).toBeInstanceOf(TypeError)
    expect(String(error)).toContain(names)
    expect(events.slice(before)).toEqual([])
    expect(wechat.calls.length).toBe(sent)
    await expect(auth.sessions.list(session.userId)).resolves.toHaveLength(1)
  })

  test.each(calls)('$wrong: is not quoted', async ({ call }) => {
    const set = await setUpSigned()

    const error = await Promise.resolve(call(set)).catch((reason: unknown) => reason)

    expect(String(error)).not.toContain(set.refreshToken)
    expect(String(error)).not.toContain(set.session.id)
  })
})

test('an optional argument that is undefined counts as left out', async () => {
  const { auth, session, refreshToken, code } = await setUpSigned()
  const given = { appId: undefined, device: undefined, idempotencyKey: undefined }

  await expect(of(auth).login?.({ code: code(), ...given })).resolves.toBeDefined()
  await expect(
    of(auth).refresh?.({ refreshToken, idempotencyKey: undefined }),
  ).resolves.toBeDefined()
  await expect(
    sessionsOf(auth).revoke?.({ userId: session.userId, reason: undefined, except: undefined }),
  ).resolves.toBe(2)
})

test('a request that an adapter made wrongly is an answer all the same', async () => {
  const { auth } = setUp()
  const handle = auth.handle as unknown as (request: unknown) => Promise<{ status: number }>

  for (const request of [
    undefined,
    {},
    { path: '/login' },
    { path: '/login', method: 'POST' },
    { path: 7, method: 'GET' },
  ]) {
    await expect(handle(request)).resolves.toMatchObject({ status: 500 })
  }
})
