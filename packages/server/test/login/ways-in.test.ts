import { describe, expect, test } from 'vitest'
import { authRoutes } from '../../src/adapters/cloud-function.js'
import type { LoginMethod, MovedPhoneAnswer, TokenAnswer } from '../../src/index.js'
import { bodyOf, send } from '../http/set-up.js'
import { newKey, prefetchPath, type SetUp, setUp } from '../set-up.js'

/** What the platform says of the call that is being made. */
let calledBy: object = {}

type WayIn = (parts: SetUp) => Promise<TokenAnswer>

const waysIn: Readonly<Record<LoginMethod, WayIn>> = {
  code: ({ auth, wechat }) => auth.login({ code: wechat.codeFor('alice') }),

  async prefetch({ auth, wechat }) {
    const query = new URLSearchParams({
      appid: wechat.app.appId,
      code: wechat.codeFor('alice'),
    })
    const answer = await send(auth, `/${prefetchPath}/prefetch?${query}`, { method: 'GET' })
    return bodyOf(answer) as unknown as TokenAnswer
  },

  async cloud_hosting({ auth, wechat }) {
    const headers = {
      'Idempotency-Key': newKey(),
      'x-wx-openid': 'alice',
      'x-wx-appid': wechat.app.appId,
      'x-wx-source': 'wx_client',
    }
    return bodyOf(await send(auth, '/login', { headers, body: {} })) as unknown as TokenAnswer
  },

  async cloud_function({ auth, wechat }) {
    calledBy = { OPENID: 'alice', APPID: wechat.app.appId, SOURCE: 'wx_client' }
    const { data } = await authRoutes(auth)({
      path: '/login',
      method: 'POST',
      header: { 'Idempotency-Key': newKey() },
      data: {},
    })
    return data as TokenAnswer
  },

  async phone({ auth, wechat }) {
    const { access_token } = await auth.sessions.create({
      account: { openid: wechat.openidOf('alice') },
      userId: 'guest',
    })
    const session = await auth.authenticate(`Bearer ${access_token}`)
    return (await auth.phone({ session, code: wechat.phoneCodeFor('alice') })) as MovedPhoneAnswer
  },

  async device({ auth, wechat, events, clock }) {
    // A user who is found by another account: whom the phone is signed in as counts, and not what `onLogin` would say.
    const phone = await auth.sessions.create({
      account: { openid: wechat.openidOf('bob') },
      userId: 7,
    })
    events.length = 0
    const session = await auth.authenticate(`Bearer ${phone.access_token}`)
    const { device_code: deviceCode, scene } = await auth.device.start({ clientName: 'a PC' })
    await auth.device.decide({ session, scene, approve: true })
    clock.advance(2)
    const answer = await auth.device.poll({ deviceCode, idempotencyKey: newKey() })
    await auth.logout({ refreshToken: phone.refresh_token })
    return answer
  },

  app: ({ auth }) => auth.sessions.create({ account: { openid: 'alice' }, userId: 7 }),
}

function setUpAll() {
  const asked: string[] = []
  const parts = setUp({
    onLogin: ({ openid }) => {
      asked.push(openid)
      return { userId: 7 }
    },
    onPhoneNumber: () => ({ userId: 7 }),
    onPrefetch: () => null,
    cloudHosting: { public: false },
    deviceGrant: {},
    cloudFunction: { getWXContext: () => calledBy },
  })
  return { ...parts, asked }
}

describe.each(Object.keys(waysIn) as LoginMethod[])('a login by %s', (method) => {
  test('is one session, one event, and one row in the list of devices once a phone holds it', async () => {
    const parts = setUpAll()

    const { refresh_token } = await waysIn[method](parts)
    const logins = parts.events.filter((event) => event.type === 'login' && event.userId === '7')
    await parts.auth.refresh({ refreshToken: refresh_token })

    expect(logins).toMatchObject([{ by: method, outcome: 'created', userId: '7' }])
    expect(await parts.auth.sessions.list(7)).toMatchObject([{ method }])
  })

  test('asks onLogin whose account it is, unless the app has said so', async () => {
    const parts = setUpAll()

    await waysIn[method](parts)

    expect(parts.asked).toHaveLength(
      method === 'app' || method === 'phone' || method === 'device' ? 0 : 1,
    )
  })

  test('counts for the cap', async () => {
    const { auth, wechat, clock, events } = setUp({
      onLogin: () => ({ userId: 7 }),
      onPhoneNumber: () => ({ userId: 7 }),
      onPrefetch: () => null,
      cloudHosting: { public: false },
      deviceGrant: {},
      cloudFunction: { getWXContext: () => calledBy },
      maxSessionsPerUser: 1,
    })
    await auth.login({ code: wechat.codeFor('alice') })
    clock.advance(100)

    const { refresh_token } = await waysIn[method]({ auth, wechat, clock, events })
    await auth.refresh({ refreshToken: refresh_token })

    expect(await auth.sessions.list(7)).toMatchObject([{ method }])
  })
})

test('an app that is looked up is asked for once per login', async () => {
  const lookUps: string[] = []
  const app = { appId: 'wx0000000000000001', appSecret: 'a'.repeat(32) }
  const { appId } = app
  const apps = async (asked: string) => {
    lookUps.push(asked)
    return asked === appId ? app : undefined
  }
  const { auth, wechat } = setUp({ apps }, { apps: [app] })
  const { refresh_token } = await auth.login({ code: wechat.codeFor('alice'), appId })
  lookUps.length = 0

  await auth.login({ code: wechat.codeFor('alice'), appId, previousRefreshToken: refresh_token })

  expect(lookUps).toEqual([appId])
})
