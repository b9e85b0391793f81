import { randomBytes, randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { describe, expect, onTestFinished, test } from 'vitest'
import { type AuthEvent, type AuthOptions, createAuth, createMemoryStore } from '../src/index.js'
import { createRedisStore } from '../src/stores/redis.js'
import { createSqlStore } from '../src/stores/sql.js'
import { adapterCases, createFakeWeChat, storeCases } from '../src/testing/index.js'
import { createWeChat } from '../src/wechat/index.js'
import { setUp, testSecret } from './set-up.js'

const app = { appId: 'wx0000000000000001', appSecret: 'd1f3a9c47be28056e1d4f7a2b9c83065' }
const wecom = {
  kind: 'wecom',
  appId: 'acme',
  corpId: 'ww00000000000000d4',
  agentSecret: 'canaryAgentSecret-0123456789abcdef0123456789',
}

/** What a caller without types may hand in. */
const create = (options: Readonly<Record<string, unknown>>) =>
  createAuth({ apps: [app], secret: testSecret, ...options } as unknown as AuthOptions)

/** The error that these options are refused with. */
function refusalOf(options: Readonly<Record<string, unknown>>): unknown {
  try {
    create(options)
  } catch (error) {
    return error
  }
  return undefined
}

function expectRefusal(option: string, value: unknown): void {
  const error = refusalOf({ [option]: value })

  expect(error).toBeInstanceOf(TypeError)
  expect((error as TypeError).message).toMatch(new RegExp(`^${option}\\b`))
}

test('apps, secret and nothing else are enough', () => {
  expect(() => createAuth({ apps: [app], secret: testSecret })).not.toThrow()
})

describe('the secret', () => {
  const pem = `-----BEGIN PRIVATE KEY-----\n${testSecret}\n-----END PRIVATE KEY-----`
  const rows: Record<string, unknown> = {
    missing: undefined,
    null: null,
    empty: '',
    'a number': 42,
    'bytes in place of text': Buffer.from(testSecret),
    'an empty list': [],
    'a list with nothing in it': [undefined],
    'a list with an empty text': [testSecret, ''],
    'a list in a list': [[testSecret]],
    '31 bytes': testSecret.slice(0, 31),
    'a short second member': [testSecret, 'short'],
    '32 zero bytes': '\u0000'.repeat(32),
    '32 times the same letter': 'a'.repeat(32),
    'a word again and again': 'secret'.repeat(8),
    'a PEM key': pem,
    'a PEM key in a list': [testSecret, pem],
    'a PEM certificate after a line break': `\n-----BEGIN CERTIFICATE-----\n${testSecret}`,
    'a JWK': JSON.stringify({ kty: 'oct', k: testSecret }),
    'a JWK set after a space': ` ${JSON.stringify({ keys: [{ kty: 'oct', k: testSecret }] })}`,
    'the same member twice': [testSecret, testSecret],
    'what an example had': 'change-me-change-me-change-me-change-me',
    'what a template had': 'your-secret-at-least-32-characters-long',
    'what a manual had': '<generate one with openssl rand -base64 48>',
    'a JSON list in one text': JSON.stringify([testSecret, `${testSecret}2`]),
    'a JSON list after a line break': `\n[ "${testSecret}" ]`,
    'the AppSecret': app.appSecret,
    'the AppSecret, after another': [testSecret, app.appSecret],
  }

  test.each(Object.entries(rows))('is refused when it is %s', (_name, secret) => {
    expectRefusal('secret', secret)
  })

  test.each(['wrong-Secret-0123', `-----BEGIN KEY-----${testSecret}`])(
    'is not quoted when it is refused',
    (secret) => {
      expect(String(refusalOf({ secret }))).not.toContain(secret)
    },
  )

  test.each([undefined, ''])('that is %j leads to the environment variable', (secret) => {
    expect(String(refusalOf({ secret }))).toContain('is the environment variable set?')
    expect(String(refusalOf({ secret }))).toContain('--env-file=.env')
  })

  test.each([JSON.stringify([testSecret]), `${JSON.stringify({ kty: 'oct', k: testSecret })}`])(
    'that is JSON in one text leads to what makes it a list',
    (secret) => {
      expect(String(refusalOf({ secret }))).toMatch(/JSON\.parse|keygen/)
    },
  )

  test.each([
    ['words', 'my-super-secret-jwt-key-for-production-2024'],
    ['words in a list', [testSecret, 'this is the very long secret of our wechat app']],
    ['what a page of these docs has', 'only-for-tests-0123456789-abcdefghijkl'],
    ['a keyboard', 'qwertyuiop1234567890asdfghjkl1234'],
    ['a text again and again', 'aB3dE6gH'.repeat(5)],
  ])('that somebody could guess, %s, is a warning that says how to make one', (_name, secret) => {
    const events: AuthEvent[] = []
    create({ secret, onEvent: (event: AuthEvent) => events.push(event) })

    expect(events).toContainEqual({
      type: 'warning',
      warning: 'weak_secret',
      hint: expect.stringContaining('npx wxlogin keygen'),
    })
    expect(JSON.stringify(events)).not.toContain(String(secret))
  })

  test.each([
    testSecret,
    randomBytes(32).toString('base64'),
    randomBytes(32).toString('base64url'),
    randomBytes(32).toString('hex'),
    randomUUID() + randomUUID(),
  ])('that is random is none', (secret) => {
    const events: AuthEvent[] = []
    create({
      secret,
      store: createMemoryStore(),
      onEvent: (event: AuthEvent) => events.push(event),
    })

    expect(events).toEqual([])
  })

  test.each(['', 'short', 'a'.repeat(32)])(
    'that is %j leads to what makes one, on every system',
    (secret) => {
      expect(String(refusalOf({ secret }))).toContain('`npx wxlogin keygen`')
    },
  )

  test('counts bytes, not letters', () => {
    expect(() => create({ secret: '微信小程序登录密钥甲乙' })).not.toThrow()
  })

  test('may be a list', () => {
    expect(() => create({ secret: [testSecret, `${testSecret}2`] })).not.toThrow()
  })
})

describe('apps', () => {
  const rows: Record<string, unknown> = {
    missing: undefined,
    null: null,
    'an empty list': [],
    'one app without its list': app,
    'an AppID': app.appId,
    'a list with nothing in it': [undefined],
    'a list of AppIDs': [app.appId],
    'without an AppID': [{ appSecret: app.appSecret }],
    'with an empty AppID': [{ ...app, appId: '' }],
    'with a number for an AppID': [{ ...app, appId: 1 }],
    'without an AppSecret': [{ appId: app.appId }],
    'with an empty AppSecret': [{ ...app, appSecret: '' }],
    'the same AppID twice': [app, { ...app, appSecret: 'another' }],
    'with a line break after the AppSecret': [{ ...app, appSecret: `${app.appSecret}\n` }],
    'with quotation marks around the AppSecret': [{ ...app, appSecret: `"${app.appSecret}"` }],
    'with quotation marks around the AppID': [{ ...app, appId: `'${app.appId}'` }],
    'with the two swapped': [{ appId: app.appSecret, appSecret: app.appId }],
    'with an original id': [{ ...app, appId: 'gh_0123456789ab' }],
    'with any text for an AppID': [{ ...app, appId: 'foo' }],
    'with the AppID of a template': [{ ...app, appId: 'wxYOURAPPID' }],
    'with the AppID of DevTools for tourists': [{ ...app, appId: 'touristappid' }],
    'with an AppID in capitals': [{ ...app, appId: app.appId.toUpperCase() }],
    'a website with any text for an AppID': [{ ...app, kind: 'website', appId: 'my-site' }],
    'an official account with any text for an AppID': [
      { ...app, kind: 'official_account', appId: 'foo' },
    ],
    'without a secret, with any text for an AppID': [{ appId: 'foo', appSecret: false }],
    'WeCom with any text for its mini program': [{ ...wecom, miniProgramAppId: 'foo' }],
    'with the AppID for an AppSecret': [{ appId: 'wx1', appSecret: 'wx1' }],
    'with the AppSecret of a template': [{ ...app, appSecret: 'your-app-secret' }],
    'with the AppSecret of another template': [{ ...app, appSecret: 'changeme-0123456789abcdef' }],
    'with the AppSecret of a manual': [{ ...app, appSecret: '<AppSecret>' }],
    'with the AppSecret of a form': [{ ...app, appSecret: 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx' }],
    'with the AppSecret as it is shown': [
      { ...app, appSecret: '********************************' },
    ],
    'with the AppSecret of these docs': [{ ...app, appSecret: '0123456789abcdef0123456789abcdef' }],
    'WeCom with the secret of a template': [{ ...wecom, agentSecret: 'YOUR_AGENT_SECRET' }],
    'of a kind that there is not': [{ ...app, kind: 'mini-program' }],
    'of an inherited kind': [{ ...app, kind: 'constructor' }],
    'a website without its secret': [{ kind: 'website', appId: app.appId }],
    'a website with an original id': [{ ...app, kind: 'website', appId: 'gh_0123456789ab' }],
    'an official account with a scope of websites': [
      { ...app, kind: 'official_account', scope: 'snsapi_login' },
    ],
    'WeCom without an agent secret': [{ ...wecom, agentSecret: undefined }],
    'WeCom without a corporation': [{ ...wecom, corpId: '' }],
    'WeCom with the two swapped': [
      { ...wecom, corpId: wecom.agentSecret, agentSecret: wecom.corpId },
    ],
    'WeCom with a line break after its secret': [
      { ...wecom, agentSecret: `${wecom.agentSecret}\n` },
    ],
    'WeCom with an empty AppID of its mini program': [{ ...wecom, miniProgramAppId: '' }],
    'WeCom over plain http': [{ ...wecom, hosts: ['http://qyapi.weixin.qq.com'] }],
    'WeCom nowhere': [{ ...wecom, hosts: [] }],
    'a custom one that exchanges nothing': [{ kind: 'custom', appId: 'tt1' }],
    'a custom one with a text for a function': [{ kind: 'custom', appId: 'tt1', exchange: 'x' }],
    'one AppID for two kinds': [app, { ...wecom, appId: app.appId }],
    'one AppID twice in WeCom': [wecom, { ...wecom, corpId: 'ww00000000000000e5' }],
    'two of WeCom for one mini program': [
      { ...wecom, miniProgramAppId: app.appId },
      { ...wecom, appId: 'other', miniProgramAppId: app.appId },
    ],
  }

  test.each(Object.entries(rows))('are refused when they are %s', (_name, apps) => {
    expectRefusal('apps', apps)
  })

  test('without an AppSecret are named', () => {
    expect(String(refusalOf({ apps: [{ appId: app.appId }] }))).toContain(app.appId)
  })

  test('without an AppSecret lead to the .env file that nobody loads', () => {
    expect(String(refusalOf({ apps: [{ appId: app.appId }] }))).toContain('--env-file=.env')
  })

  test.each([
    ['listed twice', [app, app]],
    ['with something around it', [{ ...app, appSecret: ` ${app.appSecret}` }]],
    ['in quotation marks', [{ ...app, appSecret: `“${app.appSecret}”` }]],
    ['in the place of the AppID', [{ appId: app.appSecret, appSecret: app.appId }]],
    [
      'in the place of the AppID, with a line break',
      [{ appId: app.appSecret, appSecret: `${app.appId}\n` }],
    ],
  ])('are refused without quoting an AppSecret: %s', (_name, apps) => {
    expect(refusalOf({ apps })).toBeInstanceOf(TypeError)
    expect(String(refusalOf({ apps }))).not.toContain(app.appSecret)
  })

  const sayings: readonly (readonly [string, readonly object[], string])[] = [
    ['a kind', [{ ...app, kind: 'wechat' }], 'mini_program, website, official_account'],
    ['an original id', [{ ...app, appId: 'gh_0123456789ab' }], '原始 ID'],
    ['a missing agent secret', [{ ...wecom, agentSecret: undefined }], 'apps[0].agentSecret'],
    ['a wrong name', [{ ...wecom, corpID: 'ww1' }], 'did you mean corpId?'],
    ['an AppSecret for WeCom', [{ ...wecom, appSecret: app.appSecret }], 'agentSecret'],
    [
      'a secret for a custom one',
      [{ ...app, kind: 'custom', exchange: () => ({ openid: 'o' }) }],
      'appSecret is not an option of apps[0]',
    ],
    ['one AppID for two kinds', [app, { ...wecom, appId: app.appId }], 'an appId of its own'],
    ['a missing exchange', [{ kind: 'custom', appId: 'tt1' }], 'apps[0].exchange'],
  ]
  test.each(sayings)('%s that is wrong leads to what to do', (_what, apps, saying) => {
    expect(String(refusalOf({ apps }))).toContain(saying)
  })

  test.each([
    [{ ...wecom, corpId: wecom.agentSecret, agentSecret: wecom.corpId }],
    [{ ...wecom, agentSecret: ` ${wecom.agentSecret}` }],
    [{ ...wecom, agentSecret: `"${wecom.agentSecret}"` }],
  ])('an agent secret is never quoted', (entry) => {
    expect(refusalOf({ apps: [entry] })).toBeInstanceOf(TypeError)
    expect(String(refusalOf({ apps: [entry] }))).not.toContain('canary')
  })

  test('a mini program, and WeCom under the same AppID of the client, stand side by side', () => {
    expect(() => create({ apps: [app, { ...wecom, miniProgramAppId: app.appId }] })).not.toThrow()
  })

  test('may be found by AppID, also later', async () => {
    const wechat = createFakeWeChat()
    const { auth } = setUp({
      apps: async (appId) => (appId === wechat.app.appId ? wechat.app : undefined),
      fetch: wechat.fetch,
      now: Date.now,
    })

    const answer = await auth.login({ code: wechat.codeFor('alice'), appId: wechat.app.appId })

    expect(answer.token_type).toBe('Bearer')
  })
})

const durations = [
  'storeTimeoutMs',
  'wechatTimeoutMs',
  'accessTtlSeconds',
  'idleTtlSeconds',
  'absoluteTtlSeconds',
] as const

describe('a duration is a positive whole number', () => {
  const values = [
    0,
    -1,
    0.5,
    900.5,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    2 ** 53,
    '900',
    '15m',
    null,
    true,
    [900],
    900n,
  ]

  test.each(durations.flatMap((name) => values.map((value) => ({ name, value }))))(
    '$name $value is refused',
    ({ name, value }) => {
      expectRefusal(name, value)
    },
  )

  test.each(values)('staleSeconds %s is refused', (staleSeconds) => {
    expect(refusalOf({ revocation: { staleSeconds } })).toMatchObject({
      name: 'TypeError',
      message: expect.stringContaining('staleSeconds'),
    })
  })
})

describe('lifetimes must fit each other', () => {
  const rows = [
    { option: 'accessTtlSeconds', options: { accessTtlSeconds: 59 } },
    { option: 'accessTtlSeconds', options: { accessTtlSeconds: 3601 } },
    { option: 'accessTtlSeconds', options: { accessTtlSeconds: 3601, allowLongAccessTtl: false } },
    { option: 'accessTtlSeconds', options: { accessTtlSeconds: 59, allowLongAccessTtl: true } },
    { option: 'idleTtlSeconds', options: { idleTtlSeconds: 899 } },
    { option: 'absoluteTtlSeconds', options: { absoluteTtlSeconds: 86_400 } },
  ]

  test.each(rows)('$options is refused', ({ option, options }) => {
    expect(refusalOf(options)).toMatchObject({
      name: 'TypeError',
      message: expect.stringContaining(option),
    })
  })

  const accepted = [
    { accessTtlSeconds: 60 },
    { accessTtlSeconds: 3600 },
    { accessTtlSeconds: 3601, allowLongAccessTtl: true },
    { idleTtlSeconds: 900 },
    { idleTtlSeconds: 86_400, absoluteTtlSeconds: 86_400 },
  ]

  test.each(accepted)('%o is accepted', (options) => {
    expect(() => create(options)).not.toThrow()
  })
})

test('what deviceGrant does not know is named', () => {
  expect(refusalOf({ deviceGrant: { ttlSecond: 60 } })).toMatchObject({
    name: 'TypeError',
    message: 'ttlSecond is not an option of deviceGrant; did you mean ttlSeconds?',
  })
})

/** Those with tables of their own, and those that say something only beside another option. */
type Tabled = 'apps' | 'secret' | (typeof durations)[number]
type Beside = 'allowLongAccessTtl' | 'allowPlainHttp' | 'prefetchPath'

describe('the other options', () => {
  const notFunctions = [null, true, 'console.log', {}, Promise.resolve()]
  const notCounts = [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, '10', null]
  // A new option without a row does not compile.
  const rows: Readonly<Record<Exclude<keyof AuthOptions, Tabled | Beside>, readonly unknown[]>> = {
    onLogin: notFunctions,
    claims: notFunctions,
    onPhoneNumber: notFunctions,
    onPrefetch: notFunctions,
    fetch: notFunctions,
    now: [...notFunctions, 1_800_000_000, () => 1_800_000_000, () => new Date()],
    onEvent: notFunctions,
    issuer: ['', null, 1, ['wxlogin']],
    maxVerifiedTokens: notCounts,
    maxSessionsPerUser: [0, ...notCounts],
    maxLoginsInFlight: [0, ...notCounts],
    signingKeys: [null, 'key', {}, [null], [{}], [{ kty: 'oct', k: testSecret }]],
    cloudHosting: [null, true, {}, { public: true }, { public: 0 }],
    deviceGrant: [
      null,
      true,
      { ttlSeconds: 29 },
      { ttlSeconds: 601 },
      { ttlSeconds: '60' },
      { numberMatching: 'yes' },
      { maxOpen: 0 },
      { maxOpen: 1.5 },
      { placeOf: 'Shenzhen' },
    ],
    cloudFunction: [null, true, {}, { getWXContext: {} }, 'a name'],
    acceptLegacy: [
      null,
      true,
      {},
      { until: 1_800_000_000 },
      { until: '2027-01-01', verify: () => undefined },
      { until: 1_800_000_000_000, verify: () => undefined },
      { verify: () => undefined },
    ],
    revocation: ['never', '', true, 30, null, {}, { seconds: 30 }, ['immediate']],
    wechatHosts: [
      [],
      null,
      'https://api.weixin.qq.com',
      ['api.weixin.qq.com'],
      [''],
      [null],
      ['http://api.weixin.qq.com'],
      ['http://127.0.0.1.example.com'],
      ['http://localhost.example.com'],
      ['ftp://127.0.0.1'],
      ['file:///etc/passwd'],
      ['https://api.weixin.qq.com/sns'],
      ['https://api.weixin.qq.com/?a=b'],
      ['https://api.weixin.qq.com/#a'],
      ['https://user@api.weixin.qq.com'],
      ['https://api.weixin.qq.com', 'http://api2.weixin.qq.com'],
      ['http://wechat-proxy.internal/wechat'],
      ['https://proxy.example.com/a/../b'],
      ['https://proxy.example.com/.'],
      ['https://proxy.example.com/a//b'],
      ['https://proxy.example.com/a%2Fb'],
      ['https://proxy.example.com/a\\b'],
      ['https://proxy.example.com/a/.\t./b'],
      ['https://proxy.example.com\n'],
      ['http://localhost@proxy.example.com'],
      ['https://proxy.example.com/%2e%2e'],
      ['https://proxy.example.com/wechat?a=b'],
      ['https://proxy.example.com/微信'],
    ],
    store: [null, 'redis', {}, { get: async () => undefined }],
  }

  test.each(
    Object.entries(rows).flatMap(([option, values]) => values.map((value) => ({ option, value }))),
  )('$option $value is refused', ({ option, value }) => {
    expectRefusal(option, value)
  })

  const accepted: Record<string, unknown>[] = [
    { wechatHosts: ['https://api.weixin.qq.com', 'https://api2.weixin.qq.com'] },
    { wechatHosts: ['http://127.0.0.1:8080'] },
    { wechatHosts: ['http://localhost:8080/'] },
    { wechatHosts: ['http://[::1]:8080'] },
    { wechatHosts: ['https://proxy.example.com/wechat', 'https://api.weixin.qq.com'] },
    { wechatHosts: ['http://127.0.0.1:8080/a/b-c.d_e~f/'] },
    { wechatHosts: ['http://wechat-proxy.internal/wechat'], allowPlainHttp: true },
    { revocation: { staleSeconds: 1 } },
    { maxVerifiedTokens: 0 },
    { deviceGrant: {} },
    { deviceGrant: { ttlSeconds: 30, numberMatching: true, maxOpen: 1, placeOf: () => 'a city' } },
    { onLogin: undefined, store: undefined, issuer: undefined },
  ]

  test.each(accepted)('%o is accepted', (options) => {
    expect(() => create(options)).not.toThrow()
  })

  // Beyond 2^31-1 ms setTimeout fires at once.
  test.each(['storeTimeoutMs', 'wechatTimeoutMs'])(
    '%s is refused when no timer can hold it',
    (option) => {
      expectRefusal(option, 2 ** 31)
    },
  )
})

test.each([undefined, false, 1, 'true'])('allowPlainHttp: %j permits no http', (allowPlainHttp) => {
  const options = { wechatHosts: ['http://wechat-proxy.internal'], allowPlainHttp }

  expect(() => create(options as never)).toThrow(/allowPlainHttp: true permits http/)
})

test.each(['http://api.weixin.qq.com', 'http://sh.api.weixin.qq.com:80', 'http://api.wechat.com.'])(
  'nothing permits %s',
  (host) => {
    expect(() => create({ wechatHosts: [host], allowPlainHttp: true })).toThrow(/must use https/)
  },
)

test.each(['20.18.0', '20.9.0', '18.20.8', '16.20.2'])(
  'Node %s is told in one sentence which one is needed',
  (node) => {
    const { engines } = JSON.parse(
      readFileSync(new URL('../package.json', import.meta.url), 'utf8'),
    )
    const [, floor] = /^>=([\d.]+)$/.exec(engines.node) ?? []
    runOn(node)

    // Whatever else is wrong.
    const told = `needs Node ${floor} or newer, and this is Node ${node};`
    expect(() => create({ secret: 'short' })).toThrow(told)
    expect(() => createWeChat({ appId: '', appSecret: '' })).toThrow(told)
  },
)

test.each(['20.18.1', '20.19.0', '22.0.0', '27.1.0', '24.0.0-nightly20260101'])(
  'Node %s will do',
  (node) => {
    runOn(node)

    expect(() => create({})).not.toThrow()
  },
)

function runOn(node: string): void {
  const { versions } = process
  Object.defineProperty(process, 'versions', { value: { ...versions, node } })
  onTestFinished(() => {
    Object.defineProperty(process, 'versions', { value: versions })
  })
}

test('the memory store warns once that a restart logs everyone out', () => {
  const { events } = setUp()

  expect(events).toEqual([{ type: 'warning', warning: 'memory_store', hint: expect.any(String) }])
})

test('an onEvent that throws or rejects breaks nothing', async () => {
  const wechat = createFakeWeChat()
  for (const onEvent of [
    () => {
      throw new Error('the log is full')
    },
    async () => {
      throw new Error('the log is full')
    },
  ]) {
    const auth = createAuth({
      apps: [wechat.app],
      secret: testSecret,
      fetch: wechat.fetch,
      onEvent,
    })

    await expect(auth.login({ code: wechat.codeFor('alice') })).resolves.toMatchObject({
      token_type: 'Bearer',
    })
  }
})

describe('an option that there is not', () => {
  test.each([
    ['revokation', 'revocation'],
    ['onlogin', 'onLogin'],
    ['app', 'apps'],
    ['secrets', 'secret'],
    ['accessTTLSeconds', 'accessTtlSeconds'],
    ['onPhonenumbr', 'onPhoneNumber'],
  ])('%s is refused, and what is meant is named', (option, meant) => {
    expectRefusal(option, undefined)
    expect(String(refusalOf({ [option]: undefined }))).toContain(`did you mean ${meant}?`)
  })

  test('is refused with a list, if it is like none', () => {
    expect(String(refusalOf({ colour: 'red' }))).toMatch(
      /colour is not an option of createAuth; there are apps, secret, .*onEvent$/,
    )
  })

  test.each([
    ['revocation', { staleSeconds: 1, stale: true }],
    ['cloudHosting', { public: false, pubic: true }],
    ['acceptLegacy', { until: 2_000_000_000, verify: () => undefined, untill: 1 }],
  ])('inside %s is refused', (option, value) => {
    expect(String(refusalOf({ [option]: value }))).toContain(`is not an option of ${option};`)
  })

  test.each([
    ['createMemoryStore', () => createMemoryStore({ maxSession: 1 } as object)],
    ['createRedisStore', () => createRedisStore({} as never, { prefix: 'a' } as object)],
    ['createSqlStore', () => createSqlStore({} as never, { dialekt: 'mysql' } as never)],
    ['createWeChat', () => createWeChat({ ...app, timeout: 1 } as object as typeof app)],
    ['createFakeWeChat', () => createFakeWeChat({ latency: 1 } as object)],
    ['storeCases', () => storeCases({ nov: Date.now } as object)],
    [
      'adapterCases',
      () =>
        adapterCases({ createAuth, hasNxt: true } as object as { createAuth: typeof createAuth }),
    ],
  ])('of %s is refused', (name, make) => {
    expect(make).toThrow(TypeError)
    expect(make).toThrow(`is not an option of ${name};`)
  })

  test.each([undefined, null, 'wx0000000000000001'])('no options but %s are refused', (options) => {
    expect(() => createAuth(options as unknown as AuthOptions)).toThrow(
      'The options of createAuth must be an object',
    )
  })
})
