import {
  createHash,
  generateKeyPair,
  type JsonWebKey,
  type KeyObject,
  randomBytes,
} from 'node:crypto'
import { promisify } from 'node:util'
import { type Command, exitCodes } from './command.js'
import type { Text } from './text.js'

const algorithms = ['ES256', 'EdDSA', 'RS256'] as const

/** Makes what `createAuth` signs with. */
export const keygen: Command = {
  usage: '[--jwk ES256|EdDSA|RS256] [--json]',
  maxWords: 0,
  options: {
    jwk: {
      value: 'ALGORITHM',
      values: algorithms,
      about: {
        en: 'A pair of signing keys instead: ES256 (nearly everything verifies it), EdDSA or RS256',
        zh: '改为生成一对签名密钥：ES256（几乎都能验证）、EdDSA 或 RS256',
      },
    },
    json: { about: { en: 'Prints JSON', zh: '输出 JSON' } },
  },
  notes: {
    en: `What is printed fits a .env file: wxlogin keygen >> .env
  WXLOGIN_SECRET       createAuth({ secret: process.env.WXLOGIN_SECRET })
  WXLOGIN_KEY          createAuth({ signingKeys: [JSON.parse(process.env.WXLOGIN_KEY)] })
  WXLOGIN_PUBLIC_KEY   the part without the secret, for instances and services that only verify`,
    zh: `输出可以直接写进 .env 文件：wxlogin keygen >> .env
  WXLOGIN_SECRET       createAuth({ secret: process.env.WXLOGIN_SECRET })
  WXLOGIN_KEY          createAuth({ signingKeys: [JSON.parse(process.env.WXLOGIN_KEY)] })
  WXLOGIN_PUBLIC_KEY   不含私钥的部分，给只做验证的实例和服务`,
  },
  async run({ value, has, print, remark, say, isAppending }) {
    const algorithm = algorithms.find((name) => name === value('jwk'))
    const made = algorithm ? await makePair(algorithm) : { secret: makeSecret() }
    const steps = algorithm ? pairSteps : secretSteps
    if (has('json')) {
      print(JSON.stringify({ ...made, rotation: steps.map(say) }, undefined, 2))
      return exitCodes.fine
    }
    // Whatever stands there may not have ended its line.
    if (isAppending) print('')
    if ('secret' in made) print(`WXLOGIN_SECRET='${made.secret}'`)
    else {
      print(`WXLOGIN_KEY='${JSON.stringify(made.privateKey)}'`)
      print(`WXLOGIN_PUBLIC_KEY='${JSON.stringify(made.publicKey)}'`)
    }
    remark(
      ['', ...steps.map((step, n) => (n === 0 ? say(step) : `  ${n}. ${say(step)}`))].join('\n'),
    )
    return exitCodes.fine
  },
}

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
