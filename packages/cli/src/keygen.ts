import {
  createHash,
  generateKeyPair,
  type JsonWebKey,
  type KeyObject,
  randomBytes,
} from 'node:crypto'
import { promisify } from 'node:util'
import { type Command, exitCodes } from './command.js'
import { CliError } from './errors.js'
import type { Text } from './text.js'

const algorithms = ['ES256', 'RS256', 'EdDSA'] as const

/** Makes what `createAuth` signs with. */
export const keygen: Command = {
  usage: '[--jwk [ES256|RS256|EdDSA]] [--webhook | --admin] [--json]',
  maxWords: 0,
  options: {
    jwk: {
      value: 'ALGORITHM',
      values: algorithms,
      usual: 'ES256',
      about: {
        en: 'A pair of signing keys instead: ES256 (the usual one; nearly everything verifies it), RS256, or EdDSA (half of the libraries do not)',
        zh: '改为生成一对签名密钥：ES256（默认，几乎都能验证）、RS256 或 EdDSA（半数的库不支持）',
      },
    },
    webhook: {
      about: {
        en: 'A secret for the webhooks of wxlogin serve instead',
        zh: '改为生成 wxlogin serve 的 webhook 密钥',
      },
    },
    admin: {
      about: {
        en: 'A key for the admin API of wxlogin serve instead',
        zh: '改为生成 wxlogin serve 管理 API 的密钥',
      },
    },
    json: { about: { en: 'Prints JSON', zh: '输出 JSON' } },
  },
  notes: {
    en: `What is printed fits a .env file: wxlogin keygen >> .env
  WXLOGIN_SECRET       createAuth({ secret: process.env.WXLOGIN_SECRET })
  WXLOGIN_KEY          createAuth({ signingKeys: [JSON.parse(process.env.WXLOGIN_KEY)] })
  WXLOGIN_PUBLIC_KEY   the part without the secret, for instances and services that only verify
  WXLOGIN_WEBHOOKS_SECRET   by which a backend knows the webhooks of wxlogin serve
  WXLOGIN_ADMIN_KEY         by which wxlogin serve knows whoever may end sessions`,
    zh: `输出可以直接写进 .env 文件：wxlogin keygen >> .env
  WXLOGIN_SECRET       createAuth({ secret: process.env.WXLOGIN_SECRET })
  WXLOGIN_KEY          createAuth({ signingKeys: [JSON.parse(process.env.WXLOGIN_KEY)] })
  WXLOGIN_PUBLIC_KEY   不含私钥的部分，给只做验证的实例和服务
  WXLOGIN_WEBHOOKS_SECRET   后端靠它确认 webhook 来自 wxlogin serve
  WXLOGIN_ADMIN_KEY         wxlogin serve 靠它确认谁可以结束会话`,
  },
  async run({ value, has, print, remark, say, isAppending }) {
    const algorithm = algorithms.find((name) => name === value('jwk'))
    const wanted = (['jwk', 'webhook', 'admin'] as const).filter(has)
    if (wanted.length > 1) {
      const named = wanted.map((name) => `--${name}`)
      throw new CliError('usage', {
        en: `Choose one of ${named.join(' and ')}`,
        zh: `${named.join(' 和 ')} 只能选一个`,
      })
    }
    const { made, steps } = await make(algorithm, wanted[0])
    if (has('json')) {
      print(JSON.stringify({ ...made, rotation: steps.map(say) }, undefined, 2))
      return exitCodes.fine
    }
    // Whatever stands there may not have ended its line.
    if (isAppending) print('')
    for (const [name, key] of Object.entries(made)) {
      print(`${variables[name]}='${typeof key === 'string' ? key : JSON.stringify(key)}'`)
    }
    remark(
      ['', ...steps.map((step, n) => (n === 0 ? say(step) : `  ${n}. ${say(step)}`))].join('\n'),
    )
    return exitCodes.fine
  },
}

interface Made {
  readonly made: Readonly<Record<string, string | object>>
  readonly steps: readonly Text[]
}

/** What is made, as JSON has it, and as the environment. */
const variables: Readonly<Record<string, string>> = {
  secret: 'WXLOGIN_SECRET',
  privateKey: 'WXLOGIN_KEY',
  publicKey: 'WXLOGIN_PUBLIC_KEY',
  webhookSecret: 'WXLOGIN_WEBHOOKS_SECRET',
  adminKey: 'WXLOGIN_ADMIN_KEY',
}

async function make(
  algorithm: (typeof algorithms)[number] | undefined,
  wanted: 'jwk' | 'webhook' | 'admin' | undefined,
): Promise<Made> {
  if (algorithm) return { made: await makePair(algorithm), steps: pairSteps }
  if (wanted === 'webhook')
    return { made: { webhookSecret: makeWebhookSecret() }, steps: webhookSteps }
  if (wanted === 'admin') return { made: { adminKey: makeSecret() }, steps: adminSteps }
  return { made: { secret: makeSecret() }, steps: secretSteps }
}

/** As Standard Webhooks 1.0 writes it. */
const makeWebhookSecret = (): string => `whsec_${randomBytes(32).toString('base64')}`

/** 384 bits, of which the keys of every purpose are derived. */
const makeSecret = (): string => randomBytes(48).toString('base64url')

async function makePair(alg: (typeof algorithms)[number]) {
  const { privateKey } = await generate(alg)
  const secretPart = privateKey.export({ format: 'jwk' })
  const publicPart = withoutSecret(secretPart)
  const about = { kid: thumbprintOf(publicPart), alg, use: 'sig' }
  return { privateKey: { ...secretPart, ...about }, publicKey: { ...publicPart, ...about } }
}

function generate(alg: (typeof algorithms)[number]): Promise<{ privateKey: KeyObject }> {
  const make = promisify(generateKeyPair)
  if (alg === 'ES256') return make('ec', { namedCurve: 'P-256' })
  if (alg === 'EdDSA') return make('ed25519', {})
  return make('rsa', { modulusLength: 2048 })
}

function withoutSecret({ kty, crv, x, y, n, e }: JsonWebKey): JsonWebKey {
  return JSON.parse(JSON.stringify({ kty, crv, x, y, n, e }))
}

/** RFC 7638: the members that make the key, in the order of their names. */
function thumbprintOf({ crv, e, kty, n, x, y }: JsonWebKey): string {
  return createHash('sha256').update(JSON.stringify({ crv, e, kty, n, x, y })).digest('base64url')
}

const secretSteps: readonly Text[] = [
  {
    en: 'Keep it where only your servers read it. To replace an old one, three deploys that no user notices, each complete before the next:',
    zh: '放在只有服务器能读到的地方。要换掉旧的，分三次发布，用户不会察觉；每一步全部实例到位之后再做下一步：',
  },
  {
    en: 'secret: [old, new], so that every instance can verify what the new one signs',
    zh: 'secret: [旧, 新]，所有实例都能验证新的签名',
  },
  { en: 'secret: [new, old], so that the new one signs', zh: 'secret: [新, 旧]，开始用新的签名' },
  {
    en: 'secret: [new], after idleTtlSeconds (30 days). If the old one has leaked, do this at once: clients log in again silently',
    zh: 'secret: [新]，等 idleTtlSeconds（30 天）过后。如果旧的已经泄露，马上做这一步：客户端会静默重新登录',
  },
]

const pairSteps: readonly Text[] = [
  {
    en: 'Keep WXLOGIN_KEY where only your servers read it. To replace an old one, three deploys, each complete before the next:',
    zh: 'WXLOGIN_KEY 放在只有服务器能读到的地方。要换掉旧的，分三次发布，每一步全部实例到位之后再做下一步：',
  },
  {
    en: 'signingKeys: [old, new], and wait 5 minutes, in which other services fetch the new one from /jwks.json',
    zh: 'signingKeys: [旧, 新]，再等 5 分钟，让其他服务从 /jwks.json 取到新的',
  },
  {
    en: 'signingKeys: [new, old], and wait accessTtlSeconds (15 minutes) and 30 seconds',
    zh: 'signingKeys: [新, 旧]，再等 accessTtlSeconds（15 分钟）加 30 秒',
  },
  {
    en: 'signingKeys: [new]. If the old one has leaked, do this at once: clients renew, and nobody is logged out',
    zh: 'signingKeys: [新]。如果旧的已经泄露，马上做这一步：客户端会续期，没有人会被登出',
  },
]

const webhookSteps: readonly Text[] = [
  {
    en: 'Give it to wxlogin serve and to the backend. To replace an old one, three deploys, in which each webhook has a signature by each:',
    zh: '给 wxlogin serve 和后端各放一份。要换掉旧的，分三次发布，期间每个 webhook 带两个签名：',
  },
  {
    en: `WXLOGIN_WEBHOOKS_SECRET='["new","old"]' in the service`,
    zh: `服务里 WXLOGIN_WEBHOOKS_SECRET='["新","旧"]'`,
  },
  { en: 'the new one in the backend', zh: '后端换成新的' },
  { en: 'the new one alone in the service', zh: '服务里只留新的' },
]

const adminSteps: readonly Text[] = [
  {
    en: 'Give it to wxlogin serve and to what calls its admin API. To replace an old one, three deploys:',
    zh: '给 wxlogin serve 和调用管理 API 的程序各放一份。要换掉旧的，分三次发布：',
  },
  {
    en: `WXLOGIN_ADMIN_KEY='["new","old"]' in the service`,
    zh: `服务里 WXLOGIN_ADMIN_KEY='["新","旧"]'`,
  },
  { en: 'the new one in what calls it', zh: '调用方换成新的' },
  { en: 'the new one alone in the service', zh: '服务里只留新的' },
]
