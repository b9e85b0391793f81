import { randomBytes } from 'node:crypto'
import { type Auth, type AuthOptions, createAuth, createMemoryStore } from '../src/index.js'
import { createFakeWeChat, type FakeWeChat } from '../src/testing/index.js'

// A script that awaits one thing and ends: nothing else keeps its process alive.

interface Scene {
  readonly auth: Auth
  readonly wechat: FakeWeChat
  open(options?: Partial<AuthOptions>): Auth
  /** Another instance of the same backend, which has used the code. */
  readonly sibling: Auth
}

const key = () => randomBytes(16).toString('base64url')
const never = () => new Promise<never>(() => undefined)
const refused = (work: Promise<unknown>) =>
  work.then(
    () => Promise.reject(new Error('It was not refused')),
    () => undefined,
  )

async function signedIn({ auth, wechat }: Scene) {
  const answer = await auth.login({ code: wechat.codeFor('alice') })
  const session = await auth.authenticate(`Bearer ${answer.access_token}`)
  return {
    session,
    refreshToken: answer.refresh_token,
    authorization: `Bearer ${answer.access_token}`,
  }
}

const hangingStore = {
  create: never,
  get: never,
  replace: never,
  delete: never,
  list: never,
  put: never,
  peek: never,
  take: never,
  withConnection: never,
}

export const scripts: Readonly<Record<string, (scene: Scene) => Promise<unknown>>> = {
  login: ({ auth, wechat }) => auth.login({ code: wechat.codeFor('alice') }),
  'login with a used code': ({ auth, wechat }) => {
    const code = wechat.codeFor('alice')
    wechat.fail(40163)
    return refused(auth.login({ code }))
  },
  'login with a code that a sibling has used': async ({ auth, sibling, wechat }) => {
    const [code, idempotencyKey] = [wechat.codeFor('alice'), key()]
    await sibling.login({ code, idempotencyKey })
    await auth.login({ code, idempotencyKey })
  },
  'two logins with one code': ({ auth, wechat }) => {
    const given = { code: wechat.codeFor('alice'), idempotencyKey: key() }
    return Promise.all([auth.login(given), auth.login(given)])
  },
  refresh: async (scene) =>
    scene.auth.refresh({
      refreshToken: (await signedIn(scene)).refreshToken,
      idempotencyKey: key(),
    }),
  'many refreshes at once': async (scene) => {
    const given = { refreshToken: (await signedIn(scene)).refreshToken, idempotencyKey: key() }
    await Promise.all(Array.from({ length: 20 }, () => scene.auth.refresh(given)))
  },
  logout: async (scene) =>
    scene.auth.logout({ refreshToken: (await signedIn(scene)).refreshToken, everywhere: true }),
  phone: async (scene) => {
    const { session } = await signedIn(scene)
    await scene.auth.phone({ session, code: scene.wechat.phoneCodeFor('alice') })
  },
  authenticate: async (scene) => {
    const { authorization } = await signedIn(scene)
    await scene.auth.authenticate(authorization, { fresh: true })
    await scene.auth.guard(undefined)
  },
  handle: ({ auth }) =>
    auth.handle({
      method: 'POST',
      path: '/login',
      header: (name) => (name.toLowerCase() === 'content-type' ? 'application/json' : undefined),
      body: undefined,
    }),
  sign: async (scene) =>
    scene.auth.sign((await signedIn(scene)).session, 'text', { checkKey: true }),
  virtualPayment: async (scene) => {
    const { session } = await signedIn(scene)
    const code = scene.wechat.codeFor('alice')
    await scene.auth.virtualPayment({
      ...{ session, code, appKey: 'key', mode: 'short_series_coin' },
      data: { offerId: '1', buyQuantity: 1, outTradeNo: 'order-0001' },
    } as const)
  },
  openData: async (scene) =>
    refused(scene.auth.openData((await signedIn(scene)).session, { encryptedData: 'a', iv: 'a' })),
  verifySignature: async (scene) =>
    scene.auth.verifySignature((await signedIn(scene)).session, { rawData: 'a', signature: 'a' }),
  device: async (scene) => {
    const { session } = await signedIn(scene)
    const { scene: shown, device_code: deviceCode } = await scene.auth.device.start({})
    await scene.auth.device.look({ session, scene: shown })
    await scene.auth.device.decide({ session, scene: shown, approve: true })
    await scene.auth.device.poll({ deviceCode, idempotencyKey: key() })
  },
  sessions: async (scene) => {
    const { session } = await signedIn(scene)
    const { sessions } = scene.auth
    await sessions.create({ account: { openid: 'bob' }, userId: 'bob' })
    await sessions.list('bob')
    await sessions.account(session)
    await sessions.revoke({ userId: 'bob' })
    await sessions.forget('bob')
  },
  tickets: async (scene) => {
    const audience = { audience: 'https://www.example.com' }
    const ticket = await scene.auth.tickets.issue((await signedIn(scene)).session, audience)
    await scene.auth.tickets.redeem(ticket, audience)
  },
  'wechat().call while WeChat is busy': async ({ auth, wechat }) => {
    wechat.fail(-1)
    await auth.wechat().accessToken()
    await refused(auth.wechat().call('GET', '/wxa/nothing'))
  },
  check: ({ auth }) => auth.check(),
  close: async ({ auth }) => {
    await auth.close()
    await auth.close()
  },
  'a WeChat that hangs': ({ open, wechat }) => {
    const auth = open({ fetch: never, wechatTimeoutMs: 50 })
    return refused(auth.login({ code: wechat.codeFor('alice') }))
  },
  'more logins than there are places': ({ open, wechat }) => {
    const auth = open({ fetch: never, wechatTimeoutMs: 900, maxLoginsInFlight: 1 })
    return Promise.all([1, 2, 3].map(() => refused(auth.login({ code: wechat.codeFor('alice') }))))
  },
  'a store that hangs': ({ open, wechat }) => {
    const auth = open({ store: hangingStore, storeTimeoutMs: 50 })
    return refused(auth.login({ code: wechat.codeFor('alice') }))
  },
  'a body that hangs': ({ auth }) =>
    auth.handle({
      method: 'POST',
      path: '/login',
      header: (name) => (name.toLowerCase() === 'content-type' ? 'application/json' : undefined),
      body: { [Symbol.asyncIterator]: () => ({ next: never }) },
    }),
  'a hook that hangs': async ({ open, wechat }) => {
    await refused(open({ onLogin: never }).login({ code: wechat.codeFor('alice') }))
    await refused(open({ claims: never }).login({ code: wechat.codeFor('alice') }))
    await refused(open({ apps: never }).login({ code: wechat.codeFor('alice'), appId: 'wx1' }))
  },
}

const name = process.argv[2]
if (name !== undefined) {
  // Deadlines come sooner, and what refers to them is as it was.
  const wait = globalThis.setTimeout
  globalThis.setTimeout = Object.assign(
    (work: () => void, ms = 0) => wait(work, ms > 10_000 ? ms / 50 : ms),
    { __promisify__: wait.__promisify__ },
  ) as typeof setTimeout

  const wechat = createFakeWeChat()
  const store = createMemoryStore()
  const secret = randomBytes(32).toString('base64')
  const open = (options: Partial<AuthOptions> = {}) =>
    createAuth({
      apps: [wechat.app],
      secret,
      store,
      fetch: wechat.fetch,
      deviceGrant: {},
      onEvent: () => undefined,
      ...options,
    })
  await scripts[name]?.({ auth: open(), wechat, open, sibling: open() })
  console.log('done')
}
