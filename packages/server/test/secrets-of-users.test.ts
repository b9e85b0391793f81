import { expect, test } from 'vitest'
import type { AuthOptions } from '../src/index.js'
import { send } from './http/set-up.js'
import { expectNone } from './no-secrets.js'
import { prefetchPath, setUp } from './set-up.js'

const phoneNumber = '13987654321'

/** Alice with a phone number, and everything about her that nobody may print. */
async function setUpAlice(options: Partial<AuthOptions> = {}) {
  const set = setUp({ cloudHosting: { public: false }, onPrefetch: () => undefined, ...options })
  const { auth, wechat } = set
  const { access_token } = await auth.login({ code: wechat.codeFor('alice') })
  const authorization = `Bearer ${access_token}`
  const session = await auth.authenticate(authorization)
  const code = wechat.phoneCodeFor('alice', { phoneNumber })
  const secrets = {
    phoneNumber,
    phoneCode: code,
    openid: wechat.openidOf('alice'),
    sessionKey: wechat.sessionKeyOf('alice'),
    accessToken: access_token,
    appSecret: wechat.app.appSecret,
  }
  const phone = () => send(auth, '/phone', { headers: { authorization }, body: { code } })
  return { ...set, session, secrets, phone }
}

type Alice = Awaited<ReturnType<typeof setUpAlice>>

test('a phone number is told to its own phone and to nobody else', async () => {
  const { auth, wechat, events, secrets, phone } = await setUpAlice()

  const answer = await phone()

  expect(answer.body).toContain(phoneNumber)
  expectNone(secrets, 'an event', events)
  expectNone(secrets, 'the state of health', [await auth.check()])
  expectNone(secrets, 'the log of the emulated WeChat', [wechat.calls])
})

test.each<[string, (alice: Alice) => Promise<unknown>]>([
  ['a code of the button that is used', ({ phone }) => phone().then(phone)],
  [
    'a WeChat that is down',
    ({ wechat, phone }) => {
      wechat.fail('drop-after', { endpoint: 'POST /wxa/business/getuserphonenumber' })
      return phone()
    },
  ],
  [
    'an access token of WeChat that is refused twice',
    ({ wechat, phone }) => {
      wechat.fail(40001, { endpoint: 'POST /wxa/business/getuserphonenumber', times: 3 })
      return phone()
    },
  ],
  [
    'open data under an old key',
    async ({ auth, wechat, session }) => {
      wechat.rotateSessionKeyOf('alice')
      const data = wechat.openDataFor('alice', { phoneNumber })
      return auth.openData(session, { ...data, checkKey: true })
    },
  ],
  [
    'open data of another mini program',
    ({ auth, wechat, session }) => {
      const watermark = { appid: 'wx00000000000000ff', timestamp: 1_800_000_000 }
      return auth.openData(session, wechat.openDataFor('alice', { phoneNumber, watermark }))
    },
  ],
  [
    'open data that was broken on its way',
    ({ auth, session, secrets }) =>
      auth.openData(session, { encryptedData: secrets.sessionKey, iv: secrets.sessionKey }),
  ],
  [
    'a user of cloud hosting of another mini program',
    ({ auth, secrets }) =>
      send(auth, '/login', {
        headers: {
          'x-wx-openid': secrets.openid,
          'x-wx-appid': 'wx00000000000000ff',
          'x-wx-source': 'wx_client',
        },
        body: {},
      }),
  ],
  [
    'a pre-fetch with a code that is used',
    async ({ auth, wechat }) => {
      const code = wechat.codeFor('alice')
      const get = () =>
        send(auth, `/${prefetchPath}/prefetch?appid=${wechat.app.appId}&code=${code}`, {
          method: 'GET',
        })
      await get()
      return get()
    },
  ],
])('nothing leaks through %s', async (_, run) => {
  const alice = await setUpAlice()
  const { events, secrets } = alice

  const outcome: unknown = await run(alice).catch((error: unknown) => error)

  expect(outcome).toBeDefined()
  expectNone(secrets, 'an event', events)
  // Of the good answer before a bad one nothing is looked at: it is the user's own.
  expectNone(secrets, 'an error or a refusal', [outcome])
})

test('what onPhoneNumber throws is its own, and is all that its event says', async () => {
  const { events, secrets, phone } = await setUpAlice({
    onPhoneNumber: () => {
      throw new Error('the database is down')
    },
  })

  const answer = await phone()

  expect(answer.status).toBe(500)
  expectNone(secrets, 'an event', events)
  expectNone(secrets, 'a refusal', [answer])
})
