import {
  createHmac,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
} from 'node:crypto'
import { jwtVerify } from 'jose'
import { createKeyRing } from '../../src/crypto/key-ring.js'
import { type Auth, createAuth, type Jwk } from '../../src/index.js'
import { createClock, createDice, testSecret } from '../set-up.js'

const startAt = 1_800_000_000
const appId = 'wx0000000000000001'
const otherSecret = 'pQ8xWm2Zk7Rt4Yv9Lc1Nh6Bs3Gf5Jd0EaUoTiVnKy'

/** What was made of a good token, and what is said about it. */
export interface Trial {
  readonly token: string
  /** What the generator did to it, for a report. */
  readonly story: string
  /** Whether this very token could have been issued here. */
  readonly isOurs: boolean
}

export interface Oracle {
  /** The next generated token. */
  next(): Trial
  /** A token of our first key with any header and payload, signed as it is. */
  forge(parts: {
    readonly header?: string
    readonly payload?: string | Uint8Array
    /** The payload as it stands in the token, instead of `payload`. */
    readonly segment?: string
  }): string
  /** What jose says under the same rules; `undefined` for a refusal. */
  joseSays(token: string): Promise<unknown>
  /** What this library says; `undefined` for a refusal. */
  weSay(token: string): Promise<unknown>
}

interface Signer {
  readonly alg: string
  readonly kid: string
  sign(input: string): string
  readonly joseKey: KeyObject | Uint8Array
}

/** An instance with a secret, a retired secret and a key pair, and jose beside it with the same keys. */
export function createOracle(seed: number, makeAuth: typeof createAuth = createAuth): Oracle {
  const dice = createDice(seed)
  const below = (count: number) => Math.floor(dice() * count)
  const oneOf = <T>(list: readonly [T, ...T[]]): T => list[below(list.length)] ?? list[0]
  const clock = createClock(startAt)
  const ring = createKeyRing({ secret: [testSecret, otherSecret] })
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const jwk: Jwk = { ...privateKey.export({ format: 'jwk' }), kty: 'EC', kid: 'pair' }
  const auth: Auth = makeAuth({
    apps: [{ appId, appSecret: 'd1f3a9c47be28056e1d4f7a2b9c83065' }],
    secret: [testSecret, otherSecret],
    signingKeys: [jwk],
    maxVerifiedTokens: 0,
    now: clock.now,
    onEvent: () => undefined,
  })

  const signers = [
    ...ring.access.map(
      ({ kid, key }): Signer => ({
        alg: 'HS256',
        kid,
        sign: (input) => createHmac('sha256', key).update(input).digest('base64url'),
        joseKey: key,
      }),
    ),
    {
      alg: 'ES256',
      kid: 'pair',
      sign: (input: string) =>
        sign('sha256', Buffer.from(input), {
          key: createPrivateKey({ key: { ...jwk }, format: 'jwk' }),
          dsaEncoding: 'ieee-p1363',
        }).toString('base64url'),
      joseKey: createPublicKey(privateKey),
    },
  ] as readonly Signer[] as readonly [Signer, Signer, Signer]
  const hmacSigners = [signers[0], signers[1]] as const

  const goodClaims = () => ({
    ...(dice() < 0.3 && { role: oneOf(['admin', 'guest', '管理员', '\u2028', '😀', '\ud800']) }),
    ...(dice() < 0.2 && { '10': 1, nested: { list: [1.5, null, true, -0.25e-7] } }),
    iss: 'wxlogin',
    aud: appId,
    client_id: appId,
    sub: `user-${below(10)}`,
    ...lifetime(),
    jti: `token-${below(1e9)}`,
    sid: `session-${below(100)}`,
  })

  /** At either end of what is valid now, and between. */
  function lifetime() {
    const exp = startAt - 29 + below(930)
    return { iat: Math.min(exp - 1 - below(900), startAt + 60), exp }
  }

  const strange = (): unknown =>
    oneOf<() => unknown>([
      () => undefined,
      () => null,
      () => '',
      () => 'text',
      () => 0,
      () => -1,
      () => true,
      () => [appId],
      () => ['wxlogin'],
      () => ({}),
      () => startAt + 0.5,
      () => String(startAt),
      () => startAt - 31,
      () => startAt - 30,
      () => startAt - 29,
      () => startAt,
      () => startAt + 30,
      () => startAt + 31,
      () => startAt + 61,
      () => startAt + 5000,
      () => 1e300,
      () => -startAt,
    ])()

  const names = ['iss', 'aud', 'client_id', 'sub', 'iat', 'exp', 'nbf', 'jti', 'sid'] as const

  function forge(signer: Signer, header: string, payload: string | Uint8Array): string {
    const input = `${encode(header)}.${encode(payload)}`
    return `${input}.${signer.sign(input)}`
  }

  function next(): Trial {
    // Signatures of the pair take far longer.
    const signer = dice() < 0.1 ? oneOf(signers) : oneOf(hmacSigners)
    const claims: Record<string, unknown> = goodClaims()
    const header = JSON.stringify({ alg: signer.alg, typ: 'at+jwt', kid: signer.kid })
    const good = forge(signer, header, JSON.stringify(claims))
    const trial = (story: string, token: string): Trial => ({
      story: `${signer.alg}, ${story}`,
      token,
      isOurs: token === good,
    })
    const at = below(good.length)

    switch (below(12)) {
      case 0:
      case 1:
        return trial('as it is issued', good)
      case 2: {
        const changed =
          good.slice(0, at) + oneOf(['A', 'B', '_', '-', '=', '.', ' ', 'é']) + good.slice(at + 1)
        return trial(`character ${at} changed`, changed)
      }
      case 3:
        return trial('cut off', good.slice(0, at))
      case 4:
        return trial('longer', good + oneOf(['A', '=', '.', '.AAAA', ' ']))
      case 5: {
        // A bit of the signature, of either half.
        const end = good.lastIndexOf('.') + 1
        const bytes = Buffer.from(good.slice(end), 'base64url')
        const place = below(bytes.length)
        bytes[place] = (bytes[place] ?? 0) ^ (1 << below(8))
        return trial(`byte ${place} of the signature changed`, good.slice(0, end) + encode(bytes))
      }
      case 6: {
        // Unused bits of the last character.
        const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
        const value = alphabet.indexOf(good.at(-1) ?? 'A')
        return trial(
          'another last character',
          good.slice(0, -1) + alphabet.charAt(value ^ (1 + below(3))),
        )
      }
      case 7: {
        const parts: Record<string, unknown> = { alg: signer.alg, typ: 'at+jwt', kid: signer.kid }
        const member = oneOf(['alg', 'typ', 'kid', 'crit', 'b64', 'zip'])
        parts[member] = oneOf<unknown>([
          'none',
          'HS256',
          'ES256',
          'JWT',
          'rt+jwt',
          'AT+JWT',
          '',
          null,
          false,
          ['exp'],
        ])
        return trial(
          `${member} of the header is ${parts[member]}`,
          forge(signer, JSON.stringify(parts), JSON.stringify(claims)),
        )
      }
      case 8:
      case 9: {
        if (dice() < 0.1) {
          const payload = JSON.stringify({ ...claims, aud: 'wx2', client_id: 'wx2' })
          return trial('of another mini program', forge(signer, header, payload))
        }
        const name = oneOf(names)
        claims[name] = strange()
        return trial(
          `${name} is ${JSON.stringify(claims[name])}`,
          forge(signer, header, JSON.stringify(claims)),
        )
      }
      case 10: {
        const other = oneOf(signers)
        const token = forge(other, header, JSON.stringify(claims))
        return trial(`signed with the key ${other.kid}`, token)
      }
      default: {
        const text = JSON.stringify(claims)
        const payload = oneOf<string | Uint8Array>([
          `${text} `,
          text.replace('{', '{"sub":"somebody-else",'),
          text.replace('"sub"', '"\\u0073ub"'),
          `[${text}]`,
          JSON.stringify(text),
          'null',
          '7',
          '',
          '{',
          `\ufeff${text}`,
          Buffer.from(text.replace('token', 'tok\xff'), 'latin1'),
          text.replace(/"exp":(\d+)/, '"exp":$1.0'),
          text.replace(/"exp":(\d+)/, '"exp":1.8000006e9'),
        ])
        return trial(`payload ${String(payload).slice(0, 40)}`, forge(signer, header, payload))
      }
    }
  }

  return {
    next,

    forge({ header, payload = JSON.stringify(goodClaims()), segment = encode(payload) }) {
      const [signer] = signers
      const good = JSON.stringify({ alg: signer.alg, typ: 'at+jwt', kid: signer.kid })
      const input = `${encode(header ?? good)}.${segment}`
      return `${input}.${signer.sign(input)}`
    },

    async joseSays(token) {
      try {
        const { payload } = await jwtVerify(
          token,
          ({ alg, kid }) => {
            const signer = signers.find((one) => one.kid === kid && one.alg === alg)
            if (!signer) throw new Error('There is no such key')
            return signer.joseKey
          },
          {
            algorithms: ['HS256', 'ES256'],
            typ: 'at+jwt',
            issuer: 'wxlogin',
            audience: appId,
            currentDate: new Date(clock.now()),
            clockTolerance: 30,
            requiredClaims: ['client_id', 'sub', 'iat', 'exp', 'jti', 'sid'],
          },
        )
        return payload
      } catch {
        return undefined
      }
    },

    async weSay(token) {
      try {
        return await auth.authenticate(`Bearer ${token}`)
      } catch {
        return undefined
      }
    },
  }
}

const encode = (text: string | Uint8Array) => Buffer.from(text).toString('base64url')

export interface Verdicts {
  /** Accepted by both. */
  both: number
  /** Refused by both. */
  neither: number
  /** Refused here only: our stricter rules. */
  stricter: number
  /** What must never happen, as stories. */
  readonly wrong: string[]
}

/** Asks both about many tokens. */
export async function compare({ next, joseSays, weSay }: Oracle, count: number): Promise<Verdicts> {
  const verdicts: Verdicts = { both: 0, neither: 0, stricter: 0, wrong: [] }
  for (let n = 0; n < count; n++) {
    const { token, story, isOurs } = next()
    const [ours, jose] = await Promise.all([weSay(token), joseSays(token)])
    if (ours && !jose) verdicts.wrong.push(`accepted, though jose refuses it: ${story}`)
    else if (!ours && jose && isOurs)
      verdicts.wrong.push(`refused, though it was issued here: ${story}`)
    else if (ours) verdicts.both++
    else if (jose) verdicts.stricter++
    else verdicts.neither++
  }
  return verdicts
}
