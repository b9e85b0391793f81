import crypto from 'node:crypto'
import { syncBuiltinESMExports } from 'node:module'
import { afterEach, describe, expect, test } from 'vitest'
import type { Auth } from '../../src/index.js'
import { newKey, type SetUp, setUp } from '../set-up.js'

// How long a comparison takes cannot be measured here, but what decides can be seen: a value that the comparison of Node
// calls equal is taken, whatever it is, so nothing else, which might take longer for a better guess, looks at it.

const { timingSafeEqual } = crypto

afterEach(() => replaceComparison(timingSafeEqual))

interface Proof {
  readonly name: string
  /** A value that is good or, but for its last character, would be. */
  present(set: SetUp, isForged: boolean): Promise<unknown>
}

const proofs: readonly Proof[] = [
  {
    name: 'the signature of an access token',
    async present({ auth, wechat }, isForged) {
      const { access_token } = await logIn(auth, wechat)
      return auth.authenticate(`Bearer ${isForged ? forge(access_token) : access_token}`)
    },
  },
  {
    name: 'the signature of a refresh token',
    async present({ auth, wechat }, isForged) {
      const { refresh_token } = await logIn(auth, wechat)
      const refreshToken = isForged ? forge(refresh_token) : refresh_token
      return auth.refresh({ refreshToken, idempotencyKey: newKey() })
    },
  },
  {
    name: 'the key of a refresh that comes again',
    async present({ auth, wechat }, isForged) {
      const { refresh_token: refreshToken } = await logIn(auth, wechat)
      const idempotencyKey = newKey()
      await auth.refresh({ refreshToken, idempotencyKey })
      return auth.refresh({ refreshToken, idempotencyKey: isForged ? newKey() : idempotencyKey })
    },
  },
  {
    name: 'the key of a login that comes again',
    async present({ auth, wechat }, isForged) {
      const code = wechat.codeFor('alice')
      const idempotencyKey = newKey()
      await auth.login({ code, idempotencyKey })
      return auth.login({ code, idempotencyKey: isForged ? newKey() : idempotencyKey })
    },
  },
  {
    name: 'the proof of a ticket',
    async present({ auth, wechat }, isForged) {
      const { access_token } = await logIn(auth, wechat)
      const session = await auth.authenticate(`Bearer ${access_token}`)
      const audience = 'https://shop.example.com'
      const ticket = await auth.tickets.issue(session, { audience })
      return auth.tickets.redeem(isForged ? forge(ticket) : ticket, { audience })
    },
  },
]

describe.each(proofs)('$name', ({ present }) => {
  test('is compared as a whole by what takes the same time for every guess', async () => {
    const compared: string[][] = []
    replaceComparison((a, b) => {
      compared.push([textOf(a), textOf(b)])
      return timingSafeEqual(a, b)
    })

    await present(setUp(), false)

    const last = compared.at(-1) ?? []
    expect(last[0]).toBe(last[1])
    expect(last[0]?.length).toBeGreaterThanOrEqual(22)
  })

  test('is refused when it differs in its last character, and by nothing else', async () => {
    await expect(present(setUp(), true)).rejects.toMatchObject({ name: 'AuthError' })

    replaceComparison(() => true)
    await present(setUp(), true)

    replaceComparison(() => false)
    await expect(present(setUp(), false)).rejects.toMatchObject({ name: 'AuthError' })
  })
})

function replaceComparison(comparison: typeof timingSafeEqual): void {
  crypto.timingSafeEqual = comparison
  syncBuiltinESMExports()
}

const logIn = (auth: Auth, wechat: SetUp['wechat']) =>
  auth.login({ code: wechat.codeFor('alice'), idempotencyKey: newKey() })

/** Four bits further, so that the text stays the one of its bytes. */
function forge(text: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  const at = alphabet.indexOf(text.slice(-1))
  return text.slice(0, -1) + alphabet.charAt((at + 16) % 64)
}

const textOf = (bytes: NodeJS.ArrayBufferView): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')
