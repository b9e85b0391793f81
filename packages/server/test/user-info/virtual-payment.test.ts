import { createHmac } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import {
  type AuthOptions,
  createMemoryStore,
  type SessionStore,
  type VirtualPaymentData,
  type VirtualPaymentInput,
} from '../../src/index.js'
import { expectNone } from '../no-secrets.js'
import { type SetUp, setUp } from '../set-up.js'
import { paySignatures, userSignatures } from '../wechat/payment-vectors.js'

/** Alice, who is logged in, and a shop that sells her a membership. */
async function setUpShop(options: Partial<AuthOptions> = {}) {
  // What happens at WeChat's end, before it exchanges a code and before its answer arrives.
  const around = { before: async () => {}, after: async () => {} }
  const set: SetUp = setUp({
    onLogin: ({ openid }) => ({ userId: `user-of-${openid}` }),
    fetch: async (url, init) => {
      const isExchange = url.includes('jscode2session')
      if (isExchange) await around.before()
      const response = await set.wechat.fetch(url, init)
      if (isExchange) await around.after()
      return response
    },
    ...options,
  })
  const { auth, wechat } = set
  const login = async (person = 'alice') => {
    const { access_token } = await auth.login({ code: wechat.codeFor(person) })
    return auth.authenticate(`Bearer ${access_token}`)
  }
  wechat.publishGoods('vip', 990)
  const { offerId, appKey, sandboxAppKey } = wechat.shopOf()
  const data: VirtualPaymentData = {
    offerId,
    buyQuantity: 1,
    productId: 'vip',
    goodsPrice: 990,
    outTradeNo: 'order-0001',
    attach: '会员',
  }
  const session = await login()
  const input: VirtualPaymentInput = { session, appKey, mode: 'short_series_goods', data }
  return { ...set, around, login, session, data, input, appKey, sandboxAppKey }
}

const paid = { errCode: 0, errMsg: 'requestVirtualPayment:ok' }

describe('what auth.virtualPayment gives', () => {
  test('is paid for as it is, with a fresh code', async () => {
    const { auth, wechat, input } = await setUpShop()

    const request = await auth.virtualPayment({ ...input, code: wechat.codeFor('alice') })

    expect(wechat.requestVirtualPayment('alice', request)).toEqual(paid)
    expect(Object.keys(request)).toEqual(['mode', 'signData', 'paySig', 'signature'])
  })

  test('is paid for without a code too, while the key of the login is valid', async () => {
    const { auth, wechat, input } = await setUpShop()

    const request = await auth.virtualPayment(input)

    expect(wechat.requestVirtualPayment('alice', request)).toEqual(paid)
  })

  test('is refused by WeChat once another code has replaced that key, and a fresh code mends it', async () => {
    const { auth, wechat, input } = await setUpShop()
    wechat.rotateSessionKeyOf('alice')

    const outdated = await auth.virtualPayment(input)
    const fresh = await auth.virtualPayment({ ...input, code: wechat.codeFor('alice') })

    expect(wechat.requestVirtualPayment('alice', outdated)).toMatchObject({ errCode: -15005 })
    expect(wechat.requestVirtualPayment('alice', fresh)).toEqual(paid)
  })

  test('says what is sold, in the text that was signed', async () => {
    const { auth, input, data } = await setUpShop()

    const { signData, mode } = await auth.virtualPayment(input)

    expect(mode).toBe('short_series_goods')
    expect(JSON.parse(signData)).toEqual({ ...data, env: 0, currencyType: 'CNY' })
  })

  test('is for the sandbox with its own AppKey', async () => {
    const { auth, wechat, input, data, sandboxAppKey } = await setUpShop()
    const inSandbox = { ...input, data: { ...data, env: 1 as const } }

    const right = await auth.virtualPayment({ ...inSandbox, appKey: sandboxAppKey })
    const wrong = await auth.virtualPayment(inSandbox)

    expect(wechat.requestVirtualPayment('alice', wrong)).toMatchObject({ errCode: -15006 })
    expect(wechat.requestVirtualPayment('alice', right)).toEqual(paid)
  })

  test('sells coins', async () => {
    const { auth, wechat, input, data } = await setUpShop()
    const { productId: _, goodsPrice: __, ...coins } = data

    const request = await auth.virtualPayment({ ...input, mode: 'short_series_coin', data: coins })

    expect(wechat.requestVirtualPayment('alice', request)).toEqual(paid)
  })

  test('sells goods in a mini game, whose call has no mode', async () => {
    const { auth, wechat, input, data } = await setUpShop()

    const request = await auth.virtualPayment({
      ...input,
      mode: 'goods',
      data: { ...data, platform: 'android', zoneId: '1' },
    })

    expect(Object.keys(request)).toEqual(['signData', 'paySig', 'signature'])
    expect(wechat.requestMidasPaymentGameItem('alice', request)).toMatchObject({ errCode: 0 })
  })

  test('is the published pair of signatures for the published text', async () => {
    const pay = paySignatures.find(({ uri }) => uri === 'requestVirtualPayment')
    const user = userSignatures.find(({ text }) => text === pay?.body)
    const { auth } = setUp({
      fetch: async () => Response.json({ openid: 'openid-1', session_key: user?.key }),
    })
    const { access_token } = await auth.login({ code: 'any-code' })
    const session = await auth.authenticate(`Bearer ${access_token}`)

    const request = await auth.virtualPayment({
      session,
      appKey: pay?.key ?? '',
      mode: 'short_series_goods',
      data: pay?.body ?? '',
    })

    expect(request).toEqual({
      mode: 'short_series_goods',
      signData: pay?.body,
      paySig: pay?.signature,
      signature: user?.signature,
    })
  })
})

describe('a fresh code', () => {
  const hmac = (key: string, text: string) => createHmac('sha256', key).update(text).digest('hex')

  test('gives the key that signs from then on, on all phones of the user', async () => {
    const { auth, wechat, clock, input, login } = await setUpShop()
    clock.advance(60)
    const other = await login()
    clock.advance(60)

    await auth.virtualPayment({ ...input, code: wechat.codeFor('alice') })

    const signature = hmac(wechat.sessionKeyOf('alice'), 'x')
    expect(await auth.sign(input.session, 'x')).toBe(signature)
    expect(await auth.sign(other, 'x')).toBe(signature)
  })

  test('gives a key to a user who had come in without one', async () => {
    const { auth, wechat, input } = await setUpShop()
    const { access_token } = await auth.sessions.create({
      account: { openid: wechat.openidOf('alice') },
      userId: 'user-2',
    })
    const session = await auth.authenticate(`Bearer ${access_token}`)

    await expect(auth.virtualPayment({ ...input, session })).rejects.toMatchObject({
      code: 'stale_session_key',
    })
    const code = wechat.codeFor('alice')
    const request = await auth.virtualPayment({ ...input, session, code })

    expect(wechat.requestVirtualPayment('alice', request)).toEqual(paid)
  })

  test('of another WeChat user is refused, and leaves the key alone', async () => {
    const { auth, wechat, input, session } = await setUpShop()
    const before = await auth.sign(session, 'x')

    const refused = auth.virtualPayment({ ...input, code: wechat.codeFor('bob') })

    await expect(refused).rejects.toMatchObject({ code: 'invalid_code', reason: 'other_user' })
    expect(await auth.sign(session, 'x')).toBe(before)
  })

  test('works once', async () => {
    const { auth, wechat, input } = await setUpShop()
    const code = wechat.codeFor('alice')
    await auth.virtualPayment({ ...input, code })

    await expect(auth.virtualPayment({ ...input, code })).rejects.toMatchObject({
      code: 'invalid_code',
    })
  })

  test('is not used up by a mistake in the data', async () => {
    const { auth, wechat, input, data } = await setUpShop()
    const code = wechat.codeFor('alice')

    await expect(
      auth.virtualPayment({ ...input, code, data: { ...data, goodsPrice: 9.9 } }),
    ).rejects.toThrow(TypeError)
    expect(await auth.virtualPayment({ ...input, code })).toMatchObject({ mode: input.mode })
  })

  test('signs nothing for a session that was revoked during the exchange', async () => {
    const store = createMemoryStore()
    const { auth, wechat, around, input, session } = await setUpShop({ store, now: Date.now })
    around.before = async () => void (await auth.sessions.revoke({ userId: session.userId }))

    const signed = auth.virtualPayment({ ...input, code: wechat.codeFor('alice') })

    await expect(signed).rejects.toMatchObject({ code: 'invalid_token' })
    const [record] = await store.list(session.userId)
    expect(record).not.toHaveProperty('sealedKey')
  })

  test('does not put an older key over a newer one when its answer comes late', async () => {
    const { auth, wechat, clock, around, input, session } = await setUpShop()
    clock.advance(10)
    around.after = async () => {
      around.after = async () => {}
      clock.advance(10)
      await auth.virtualPayment({ ...input, code: wechat.codeFor('alice') })
    }

    await auth.virtualPayment({ ...input, code: wechat.codeFor('alice') })

    expect(await auth.sign(session, 'x')).toBe(hmac(wechat.sessionKeyOf('alice'), 'x'))
  })

  test('signs nothing where its key cannot be kept', async () => {
    const memory = createMemoryStore()
    let isBroken = false
    const store: SessionStore = {
      ...memory,
      replace: async (...args) => {
        if (isBroken) throw new Error('the store is away')
        return memory.replace(...args)
      },
    }
    const { auth, wechat, input } = await setUpShop({ store, now: Date.now })
    isBroken = true

    const signed = auth.virtualPayment({ ...input, code: wechat.codeFor('alice') })

    await expect(signed).rejects.toMatchObject({ code: 'store_unavailable', status: 503 })
  })

  test('leaves the rotation of the refresh token alone', async () => {
    const { auth, wechat, input } = await setUpShop()
    const { access_token, refresh_token } = await auth.login({ code: wechat.codeFor('alice') })
    const session = await auth.authenticate(`Bearer ${access_token}`)
    const idempotencyKey = 'k'.repeat(22)
    const rotated = await auth.refresh({ refreshToken: refresh_token, idempotencyKey })

    await auth.virtualPayment({ ...input, session, code: wechat.codeFor('alice') })

    const again = await auth.refresh({ refreshToken: refresh_token, idempotencyKey })
    expect(again.refresh_token).toBe(rotated.refresh_token)
    await auth.refresh({ refreshToken: rotated.refresh_token })
    expect(await auth.sign(session, 'x')).toBe(hmac(wechat.sessionKeyOf('alice'), 'x'))
  })

  test('and a refresh at the same moment are both kept', async () => {
    const memory = createMemoryStore()
    let beforeReplace = async () => {}
    const store: SessionStore = {
      ...memory,
      async replace(record, expectedVersion) {
        const meanwhile = beforeReplace
        beforeReplace = async () => {}
        await meanwhile()
        return memory.replace(record, expectedVersion)
      },
    }
    const { auth, wechat, input } = await setUpShop({ store, now: Date.now })
    const { access_token, refresh_token } = await auth.login({ code: wechat.codeFor('alice') })
    const session = await auth.authenticate(`Bearer ${access_token}`)
    let refreshed = ''
    beforeReplace = async () => {
      refreshed = (await auth.refresh({ refreshToken: refresh_token })).refresh_token
    }

    await auth.virtualPayment({ ...input, session, code: wechat.codeFor('alice') })

    expect(refreshed).not.toBe('')
    await auth.refresh({ refreshToken: refreshed })
    const key = wechat.sessionKeyOf('alice')
    expect(await auth.sign(session, 'x', { checkKey: true })).toBe(hmac(key, 'x'))
  })
})

describe('auth.virtualPayment refuses', () => {
  test.each([
    ['no offerId', { offerId: '' }],
    ['half a piece', { buyQuantity: 0.5 }],
    ['no piece', { buyQuantity: 0 }],
    ['a price in yuan', { goodsPrice: 9.9 }],
    ['no price', { goodsPrice: undefined }],
    ['a lower price that is none', { activitySellingPrice: -1 }],
    ['no product', { productId: undefined }],
    ['another currency', { currencyType: 'USD' }],
    ['another environment', { env: 2 }],
    ['an attach that is no text', { attach: { id: 1 } }],
    ['an order number that is too short', { outTradeNo: 'order-1' }],
    ['one that is too long', { outTradeNo: 'o'.repeat(33) }],
    ['one that begins with _', { outTradeNo: '_order-0001' }],
    ['one with a letter that WeChat refuses', { outTradeNo: 'order#0001' }],
    ['a field of mini games', { platform: 'android' }],
    ['a field that nobody knows', { prize: 1 }],
  ])('%s', async (_what, change) => {
    const { auth, input, data } = await setUpShop()

    const signed = auth.virtualPayment({
      ...input,
      data: { ...data, ...change } as VirtualPaymentData,
    })

    await expect(signed).rejects.toThrow(TypeError)
  })

  test('a price where coins are sold, another mode, and no AppKey', async () => {
    const { auth, input } = await setUpShop()

    const changes = [
      { mode: 'short_series_coin' },
      { mode: 'buy' },
      // Every object has one.
      { mode: 'constructor', data: '{}' },
      { data: '{"attach":"\ud83d"}' },
      { appKey: '' },
    ]
    for (const change of changes) {
      const signed = auth.virtualPayment({ ...input, ...change } as VirtualPaymentInput)
      await expect(signed).rejects.toThrow(TypeError)
    }
  })
})

test('neither key comes out of auth.virtualPayment', async () => {
  const store = createMemoryStore()
  const { auth, wechat, events, input, appKey, session } = await setUpShop({
    store,
    now: Date.now,
  })
  const code = wechat.codeFor('alice')

  const request = await auth.virtualPayment({ ...input, code })
  const refusal = await auth.virtualPayment({ ...input, code }).catch((error: unknown) => error)

  const sessionKey = wechat.sessionKeyOf('alice')
  expectNone({ sessionKey, appKey, code }, 'what came out', [
    request,
    refusal,
    events,
    await store.list(session.userId),
  ])
})
