import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { folderWith, wxlogin } from '../set-up.js'

const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const jwk = { ...privateKey.export({ format: 'jwk' }), alg: 'ES256' }
const webhookSecret = `whsec_${randomBytes(32).toString('base64')}`
const randomKey = randomBytes(48).toString('base64url')
const goodSecret = 'Zb3vK9qR1tXw7LmN5pYc2HdJ8sFgA4eU6oTiVnQkBx0'
const appSecret = 'd1f3a5c7e9b80246d1f3a5c7e9b80246'

/** What a service needs at least, in the environment. */
const enough = {
  LANG: 'en_US.UTF-8',
  WX_APP_ID: 'wx1234567890abcdef',
  WX_APP_SECRET: appSecret,
  WXLOGIN_SECRET: goodSecret,
  WXLOGIN_KEY: JSON.stringify(jwk),
  REDIS_URL: 'redis://127.0.0.1:6379',
}

/** The same in a file. */
const enoughInFile = {
  apps: [{ appId: 'wx1234567890abcdef', appSecret }],
  secret: goodSecret,
  signingKeys: [jwk],
  redisUrl: 'redis://127.0.0.1:6379',
}

interface Given {
  readonly env?: Readonly<Record<string, string>>
  readonly files?: Readonly<Record<string, string>>
  readonly args?: readonly string[]
}

function check({ env = {}, files = {}, args = [] }: Given) {
  return wxlogin(['serve', '--check', '--offline', ...args], {
    env: { LANG: 'en_US.UTF-8', ...env },
    cwd: folderWith(files),
  })
}

const asFile = (settings: object) => ({ 'wxlogin.json': JSON.stringify(settings) })

describe('what is enough', () => {
  test.each([
    ['the environment', { env: enough }],
    ['a file', { files: asFile(enoughInFile) }],
    [
      'a file of another name',
      { files: { 'login.json': JSON.stringify(enoughInFile) }, args: ['--config', 'login.json'] },
    ],
    [
      'a file that the environment names',
      {
        files: { 'login.json': `\uFEFF${JSON.stringify(enoughInFile)}` },
        env: { WXLOGIN_CONFIG: 'login.json' },
      },
    ],
    [
      'secrets in files of their own, as Docker mounts them',
      {
        files: { app: `${appSecret}\n`, secret: goodSecret, key: `${JSON.stringify(jwk)}\n` },
        env: {
          WX_APP_ID: enough.WX_APP_ID,
          WX_APP_SECRET_FILE: 'app',
          WXLOGIN_SECRET_FILE: 'secret',
          WXLOGIN_KEY_FILE: 'key',
          DATABASE_URL: 'mariadb://login:pw@db/login',
        },
      },
    ],
    [
      'a file that names where its secrets are',
      {
        files: {
          key: JSON.stringify(jwk),
          ...asFile({
            ...enoughInFile,
            apps: [{ appId: 'wx1234567890abcdef', appSecret: { env: 'WX_APP_SECRET' } }],
            secret: [{ env: 'WXLOGIN_NEW' }, { env: 'OLD_SECRET' }],
            signingKeys: [{ file: 'key' }],
          }),
        },
        env: {
          WX_APP_SECRET: appSecret,
          // A name of one's own, which is none of a setting.
          WXLOGIN_NEW: goodSecret,
          OLD_SECRET: goodSecret.split('').reverse().join(''),
        },
      },
    ],
    [
      'every other setting of the environment',
      {
        env: {
          ...enough,
          WXLOGIN_ISSUER: 'https://login.example.com',
          WXLOGIN_ACCESS_TTL_SECONDS: '600',
          WXLOGIN_REVOCATION: '{"staleSeconds":5}',
          WXLOGIN_ALLOW_PLAIN_HTTP: 'true',
          WXLOGIN_WECHAT_HOSTS: 'https://api.weixin.qq.com, http://proxy:8080/wechat',
          WXLOGIN_DEVICE_GRANT: '{}',
          WXLOGIN_LISTEN: '[::1]:0',
          WXLOGIN_BASE_PATH: '/login',
          WXLOGIN_TRUSTED_PROXIES: '1',
          WXLOGIN_ADMIN_LISTEN: '127.0.0.1:0',
          WXLOGIN_ADMIN_KEY: randomBytes(48).toString('base64url'),
          WXLOGIN_WEBHOOKS_ON_LOGIN: 'http://backend:8090/hooks/wxlogin',
          WXLOGIN_WEBHOOKS_CLAIMS: 'https://api.example.com/hooks/wxlogin',
          WXLOGIN_WEBHOOKS_SECRET: JSON.stringify([webhookSecret, webhookSecret]),
          WXLOGIN_PUBLIC_KEY: 'which keygen prints for others',
          // What Kubernetes puts beside a service that is called wxlogin, and one that is called wxlogin-admin.
          WXLOGIN_PORT: 'tcp://10.0.0.1:80',
          WXLOGIN_SERVICE_HOST: '10.0.0.1',
          WXLOGIN_PORT_80_TCP_ADDR: '10.0.0.1',
          WXLOGIN_ADMIN_SERVICE_PORT: '8081',
          WXLOGIN_ADMIN_SERVICE_PORT_HTTP: '8081',
          WXLOGIN_ADMIN_PORT: 'tcp://10.0.0.2:8081',
        },
      },
    ],
    [
      'memory, where it is asked for',
      { env: { ...enough, REDIS_URL: '' }, args: ['--store', 'memory'] },
    ],
  ] as const)('%s', async (_, given) => {
    const { exit, out, err } = await check(given)

    expect({ exit, err }).toEqual({ exit: 0, err: '' })
    expect(out.split('\n').at(-1)).toBe('Nothing is wrong')
  })
})

const wrong = (env: Readonly<Record<string, string>>) => ({ env: { ...enough, ...env } })

describe('a mistake is named, with what to do', () => {
  test.each<[string, Given, string]>([
    ['no store', wrong({ REDIS_URL: '' }), 'No place for sessions: set REDIS_URL or DATABASE_URL'],
    [
      'no mini program',
      wrong({ WX_APP_ID: '', WX_APP_SECRET: '' }),
      'apps is missing: set WX_APP_ID and WX_APP_SECRET',
    ],
    [
      'no secret',
      wrong({ WXLOGIN_SECRET: '' }),
      'secret is missing: make one with `wxlogin keygen`, and set WXLOGIN_SECRET',
    ],
    [
      'two stores',
      wrong({ DATABASE_URL: 'postgres://db/login' }),
      'REDIS_URL and DATABASE_URL are both set, and sessions are in one place',
    ],
    [
      'a store, and none',
      { env: enough, args: ['--store', 'memory'] },
      'REDIS_URL and --store memory are both set',
    ],
    [
      'an address of no Redis',
      wrong({ REDIS_URL: '10.0.0.7:6379' }),
      'redisUrl must be like redis://',
    ],
    [
      'an address of no database',
      wrong({ REDIS_URL: '', DATABASE_URL: 'mongodb://db/login' }),
      'databaseUrl must be like postgres://user:password@host/database',
    ],
    ['a port that is none', wrong({ PORT: 'tcp://10.0.0.1:80' }), 'PORT must be a number'],
    [
      'a table where there is none',
      wrong({ WXLOGIN_TABLE: 'sessions' }),
      'table goes with databaseUrl, and does nothing here',
    ],
    [
      'a level that there is not',
      wrong({ WXLOGIN_LOG_LEVEL: 'verbose' }),
      'logLevel must be one of',
    ],
    [
      'a name of no table',
      wrong({ REDIS_URL: '', DATABASE_URL: 'postgres://db/login', WXLOGIN_TABLE: 'my-sessions' }),
      'table must be letters, digits and "_"',
    ],
    [
      'no AppSecret',
      wrong({ WX_APP_SECRET: '' }),
      'apps[0].appSecret (of wx1234567890abcdef) must be a non-empty string; is the environment',
    ],
    ['a short secret', wrong({ WXLOGIN_SECRET: 'short' }), 'secret must have at least 32 bytes'],
    [
      'the AppSecret as secret',
      wrong({ WXLOGIN_SECRET: appSecret }),
      'secret must not be the AppSecret',
    ],
    ['no signing key', wrong({ WXLOGIN_KEY: '' }), 'wxlogin keygen --jwk ES256'],
    [
      'only a public one',
      wrong({ WXLOGIN_KEY: JSON.stringify(publicKey.export({ format: 'jwk' })) }),
      'signingKeys has only public keys',
    ],
    [
      'a key that is none',
      wrong({ WXLOGIN_KEY: '{"kty":"EC","d":"x"}' }),
      'signingKeys[0] must be a JWK',
    ],
    [
      'a key that was cut',
      wrong({ WXLOGIN_KEY: '{"kty":"EC",' }),
      'WXLOGIN_KEY begins like JSON and is none',
    ],
    [
      'a duration with its unit',
      wrong({ WXLOGIN_ACCESS_TTL_SECONDS: '15m' }),
      'accessTtlSeconds must be a positive whole number of seconds',
    ],
    [
      'a slip in a variable',
      wrong({ WXLOGIN_ACESS_TTL_SECONDS: '600' }),
      'did you mean WXLOGIN_ACCESS_TTL_SECONDS?',
    ],
    [
      'a secret that is not mounted',
      wrong({ WXLOGIN_SECRET: '', WXLOGIN_SECRET_FILE: '/run/secrets/nothing' }),
      '/run/secrets/nothing cannot be read; is the secret mounted',
    ],
    [
      'a variable and its file',
      wrong({ WXLOGIN_SECRET_FILE: 'x' }),
      'WXLOGIN_SECRET and WXLOGIN_SECRET_FILE are both set',
    ],
    [
      'http to a stranger',
      wrong({
        WXLOGIN_WEBHOOKS_ON_LOGIN: 'http://api.example.com/hook',
        WXLOGIN_WEBHOOKS_SECRET: webhookSecret,
      }),
      'webhooks.onLogin must use https for api.example.com',
    ],
    [
      'http to the address of one',
      wrong({
        WXLOGIN_WEBHOOKS_ON_LOGIN: 'http://8.8.8.8/hook',
        WXLOGIN_WEBHOOKS_SECRET: webhookSecret,
      }),
      'webhooks.onLogin must use https for 8.8.8.8',
    ],
    [
      'a webhook without an address',
      wrong({ WXLOGIN_WEBHOOKS_CLAIMS: '/hooks', WXLOGIN_WEBHOOKS_SECRET: webhookSecret }),
      'webhooks.claims must be an address such as https://',
    ],
    [
      'a password in an address',
      wrong({
        WXLOGIN_WEBHOOKS_CLAIMS: 'https://me:pw@api.example.com/',
        WXLOGIN_WEBHOOKS_SECRET: webhookSecret,
      }),
      'webhooks.claims must have no user, password or fragment',
    ],
    [
      'a webhook that nobody can verify',
      wrong({ WXLOGIN_WEBHOOKS_ON_LOGIN: 'http://backend/hook' }),
      'webhooks.secret is missing',
    ],
    ...['whsec_', 'whsec_c2hvcnQ=', webhookSecret.slice(6), 'whsec_not base64'].map(
      (secret): [string, Given, string] => [
        `the webhook secret ${secret.length < 20 ? secret : 'without its prefix'}`,
        wrong({ WXLOGIN_WEBHOOKS_SECRET: secret }),
        'webhooks.secret must be whsec_ and 24 to 64 bytes',
      ],
    ),
    ...[
      ['that can be guessed', 'admin'],
      ['that is too short', goodSecret.slice(0, 31)],
      ['with a space', `${goodSecret} ${goodSecret}`],
      ['that a header cannot carry', `${goodSecret}密`],
      ['of which one of two is too short', JSON.stringify([randomKey, 'short'])],
    ].map(([which, key = '']): [string, Given, string] => [
      `an admin key ${which}`,
      wrong({ WXLOGIN_ADMIN_KEY: key }),
      'admin.key must be at least 32 random bytes without spaces',
    ]),
    [
      'the secret as admin key',
      wrong({ WXLOGIN_ADMIN_KEY: goodSecret }),
      'admin.key must not be the secret',
    ],
    [
      'the secret of webhooks as admin key',
      wrong({
        WXLOGIN_ADMIN_KEY: webhookSecret,
        WXLOGIN_WEBHOOKS_ON_LOGIN: 'http://backend/hook',
        WXLOGIN_WEBHOOKS_SECRET: webhookSecret,
      }),
      'admin.key must not be webhooks.secret',
    ],
    [
      'a port alone',
      wrong({ WXLOGIN_LISTEN: '8080' }),
      'listen must be an address and a port, such as 0.0.0.0:8080',
    ],
    [
      'one port for both',
      wrong({ WXLOGIN_ADMIN_LISTEN: '0.0.0.0:8080' }),
      'admin.listen must have a port of its own',
    ],
    [
      'a path with a slash too many',
      wrong({ WXLOGIN_BASE_PATH: '/wx/' }),
      'basePath must be like /wx',
    ],
    [
      'proxies that are not counted',
      wrong({ WXLOGIN_TRUSTED_PROXIES: 'true' }),
      'trustedProxies must be how many',
    ],
    [
      'a hook in the file',
      { files: asFile({ ...enoughInFile, onLogin: 'http://backend' }) },
      'onLogin is code in createAuth; a service has webhooks.onLogin in its place',
    ],
    [
      'code that no service can have',
      { files: asFile({ ...enoughInFile, acceptLegacy: {} }) },
      'acceptLegacy is code in createAuth, and cannot be set in a service',
    ],
    [
      'a member of every object',
      { files: asFile({ ...enoughInFile, constructor: 1 }) },
      'constructor is no setting; see wxlogin serve --help',
    ],
    [
      'a slip in a group',
      { files: asFile({ ...enoughInFile, webhooks: { onLogn: 'http://backend' } }) },
      'webhooks.onLogn is no setting; did you mean webhooks.onLogin?',
    ],
    [
      'an app without its AppID, of which createAuth says it',
      { files: asFile({ ...enoughInFile, apps: [{ appID: 'wx1', appSecret }] }) },
      'apps[0].appId must be a non-empty string',
    ],
    [
      'a variable that the file names and that is not set',
      {
        files: asFile({
          ...enoughInFile,
          webhooks: { onLogin: { env: 'BACKEND_URL' }, secret: webhookSecret },
        }),
      },
      'BACKEND_URL is not set',
    ],
    [
      'an admin key that the file names and that is not set',
      { files: asFile({ ...enoughInFile, admin: { key: { env: 'ADMIN_KEY' } } }) },
      'ADMIN_KEY is not set',
    ],
    [
      'a secret of webhooks that is not set',
      {
        files: asFile({
          ...enoughInFile,
          webhooks: { onLogin: 'http://backend/hook', secret: { env: 'HOOK_SECRET' } },
        }),
      },
      'HOOK_SECRET is not set',
    ],
    [
      'a setting that is null',
      { files: asFile({ ...enoughInFile, admin: { key: null } }) },
      'admin.key is null; leave it out',
    ],
    [
      'a name that every object has',
      { files: asFile({ ...enoughInFile, constructor: 1 }) },
      'constructor is no setting',
    ],
    [
      'a port where Kubernetes would have an address',
      wrong({ WXLOGIN_PORT: '9090' }),
      'WXLOGIN_PORT is no setting; did you mean WXLOGIN_LISTEN?',
    ],
    [
      'a port for operators likewise',
      wrong({ WXLOGIN_ADMIN_PORT: '9090' }),
      'WXLOGIN_ADMIN_PORT is no setting; did you mean WXLOGIN_ADMIN_LISTEN?',
    ],
    [
      'quotation marks that no shell took off',
      wrong({ WXLOGIN_SECRET: `'${goodSecret}'` }),
      'WXLOGIN_SECRET has quotation marks around it',
    ],
    [
      'quotation marks around a key',
      wrong({ WXLOGIN_KEY: `'${JSON.stringify(jwk)}'` }),
      'WXLOGIN_KEY has quotation marks around it',
    ],
    [
      'a line break behind a secret',
      wrong({ WXLOGIN_SECRET: `${goodSecret}\n` }),
      'WXLOGIN_SECRET has white space around it',
    ],
    [
      'a key of which a part is another one',
      wrong({ WXLOGIN_KEY: JSON.stringify({ ...jwk, d: `AAAA${jwk.d?.slice(4)}` }) }),
      'signingKeys[0]: its private part does not belong to its public part',
    ],
    [
      'a secret for webhooks that there are not',
      wrong({ WXLOGIN_WEBHOOKS_SECRET: webhookSecret }),
      'webhooks.secret is set, and no webhook is',
    ],
    [
      'a secret for webhooks that can be guessed',
      wrong({
        WXLOGIN_WEBHOOKS_ON_LOGIN: 'http://backend/hook',
        WXLOGIN_WEBHOOKS_SECRET: `whsec_${Buffer.alloc(32).toString('base64')}`,
      }),
      'webhooks.secret can be guessed',
    ],
    [
      'a prefix where there is no Redis',
      wrong({ REDIS_URL: '', DATABASE_URL: 'postgres://db/login', WXLOGIN_KEY_PREFIX: 'shop:' }),
      'keyPrefix goes with redisUrl',
    ],
    [
      'a table where there is no database',
      wrong({ WXLOGIN_TABLE: 'sessions' }),
      'table goes with databaseUrl',
    ],
    // ioredis would select NaN, and throw where nobody catches it.
    [
      'a name where Redis has numbers',
      wrong({ REDIS_URL: 'redis://127.0.0.1/prod' }),
      'what is behind the slash is a number',
    ],
    ...[
      'redis://hunter2/abc@redis',
      'redis://default:1234/abc@redis',
      'redis://:hunter%2@redis',
    ].map((url): [string, Given, string] => [
      `a password that is not encoded: ${url}`,
      wrong({ REDIS_URL: url }),
      'a password with special characters is percent-encoded',
    ]),
    ...['postgres://u:1/2@db/login', 'mysql://u:hunter%2@db/login'].map(
      (url): [string, Given, string] => [
        `a password that is not encoded: ${url}`,
        wrong({ REDIS_URL: '', DATABASE_URL: url }),
        'a password with special characters is percent-encoded',
      ],
    ),
    [
      'a setting that is there twice',
      { files: asFile(enoughInFile), env: { WXLOGIN_SECRET: goodSecret } },
      'wxlogin.json: secret and WXLOGIN_SECRET are both set; keep one of the two',
    ],
    [
      'apps that are there twice',
      { files: asFile(enoughInFile), env: { WX_APP_ID: 'wx1', WX_APP_SECRET: 'x' } },
      'wxlogin.json: apps and WX_APP_ID, WX_APP_SECRET are both set',
    ],
    [
      'two lifetimes that do not fit',
      { files: asFile({ ...enoughInFile, idleTtlSeconds: 100 }) },
      'idleTtlSeconds must not be shorter than accessTtlSeconds',
    ],
  ])('%s', async (_, given, sentence) => {
    const { exit, out } = await check(given)

    expect(exit).toBe(1)
    expect(out).toContain(sentence)
    expect(out).toContain('One mistake; nothing was started')
  })

  test('in Chinese as well', async () => {
    const { out } = await check({
      ...wrong({ WXLOGIN_TRUSTED_PROXIES: 'true' }),
      args: ['--lang', 'zh'],
    })

    expect(out).toContain('trustedProxies 必须是这个服务前面你自己的代理的数量')
    expect(out).toContain('1 处错误，没有启动任何东西')
  })
})

test('several mistakes are reported together, each with where it was made', async () => {
  const given = {
    env: {
      WXLOGIN_SECRET: 'short',
      WXLOGIN_ACCESS_TTL_SECONDS: '15m',
      WXLOGIN_LISTEN: 'here',
    },
    files: asFile({ apps: [], maxSessionsPerUser: 0, redisURL: 'redis://127.0.0.1' }),
  }

  const { exit, out } = await check(given)
  const said = (await check({ ...given, args: ['--json'] })).json()

  expect(exit).toBe(1)
  expect(out).toContain('8 mistakes; nothing was started')
  const places = said.problems.map(({ where }: { where: string }) => where)
  expect(places).toEqual([
    'wxlogin.json: redisURL',
    'wxlogin.json: apps',
    'WXLOGIN_SECRET',
    'WXLOGIN_ACCESS_TTL_SECONDS',
    'wxlogin.json: maxSessionsPerUser',
    'WXLOGIN_KEY, wxlogin.json: signingKeys',
    'REDIS_URL, DATABASE_URL',
    'WXLOGIN_LISTEN',
  ])
})

test('without --check they are the reason not to start', async () => {
  const { exit, out, err } = await wxlogin(['serve'], { cwd: folderWith({}) })

  expect({ exit, out }).toEqual({ exit: 1, out: '' })
  expect(err).toContain('wxlogin serve does not start: 4 mistakes in the settings')
})

test('whoever has set nothing yet reads what to do in Chinese as well', async () => {
  const { out } = await check({ args: ['--lang', 'zh'] })

  expect(out.match(/没有设置：|没有存放会话的地方：/g)).toHaveLength(4)
  expect(out).not.toMatch(/ (or|in|and) /)
})

test('without a webhook for logins it says what comes of that', async () => {
  const url = 'http://backend/hook'
  const webhook = { WXLOGIN_WEBHOOKS_ON_LOGIN: url, WXLOGIN_WEBHOOKS_SECRET: webhookSecret }

  expect((await check(wrong({}))).out).toContain('  ! webhooks.onLogin is not set')
  expect((await check(wrong(webhook))).out).toBe('Nothing is wrong')
})

test('what works now and will not later is a warning', async () => {
  const { exit, out } = await check(
    wrong({ WXLOGIN_SECRET: 'password password password password' }),
  )

  expect(exit).toBe(0)
  expect(out).toMatch(/^ {2}! weak_secret: /m)
})

test.each([
  [
    '{ "secret": "Zb3vK9qR1tXw7LmN5pYc2HdJ8sFgA4eU6oTiVnQkBx0" "apps"',
    'wxlogin.json is no JSON object',
  ],
  ['[]', 'wxlogin.json is no JSON object'],
])('a file that is none says so without showing what is in it: %s', async (text, sentence) => {
  const { exit, err } = await check({ files: { 'wxlogin.json': text } })

  expect(exit).toBe(3)
  expect(err).toContain(sentence)
  expect(err).not.toContain('Zb3v')
})

test('a file that is not there', async () => {
  expect(await check({ args: ['--config', 'nowhere.json'] })).toMatchObject({
    exit: 3,
    err: 'wxlogin: There is no nowhere.json, or it cannot be read',
  })
})

test('a file that cannot be read is not passed over', async () => {
  const { exit, err } = await check({ env: enough, files: { 'wxlogin.json/x': '' } })

  expect(exit).toBe(3)
  expect(err).toBe('wxlogin: There is no wxlogin.json, or it cannot be read')
})

test('no secret is ever printed, whatever is wrong with it', async () => {
  const secrets = {
    WX_APP_SECRET: '"quoted-app-secret-1"',
    WXLOGIN_SECRET: 'short-secret-2',
    WXLOGIN_KEY: '{"kty":"EC","crv":"P-256","d":"private-3"}',
    REDIS_URL: 'amqp://user:password-4@host',
    WXLOGIN_ADMIN_KEY: 'admin-5',
    WXLOGIN_WEBHOOKS_SECRET: 'whsec_webhook-6',
    WXLOGIN_WEBHOOKS_ON_LOGIN: 'https://user:password-7@api.example.com/',
  }

  const { exit, out } = await check(wrong(secrets))

  expect(exit).toBe(1)
  expect(out).toContain('7 mistakes')
  for (const part of [
    'app-secret-1',
    'secret-2',
    'private-3',
    'password-4',
    'admin-5',
    'webhook-6',
    'password-7',
  ]) {
    expect(out).not.toContain(part)
  }
})

describe('options that do not go together', () => {
  test.each([
    [['--offline'], '--offline goes with --check'],
    [['--json'], '--json goes with --check'],
    [['--check', '--migrate'], 'Choose one of --check and --migrate'],
    [['--store', 'redis'], '--store is memory, not "redis"'],
  ])('%j', async (args, sentence) => {
    expect(await wxlogin(['serve', ...args])).toMatchObject({
      exit: 2,
      err: `wxlogin: ${sentence}`,
    })
  })
})
