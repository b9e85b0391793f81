import { createHmac } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, onTestFinished, test } from 'vitest'
import type {
  FakeWeChat,
  FakeWeChatPaymentOptions,
  FakeWeChatPushSettings,
} from '../../../src/testing/index.js'
import { call, setUp } from './set-up.js'

const hmac = (key: string, text: string) => createHmac('sha256', key).update(text).digest('hex')

/** A shop that has published a membership, and Alice in front of it. */
function setUpShop() {
  const set = setUp()
  const { wechat } = set
  wechat.codeFor('alice')
  wechat.publishGoods('vip', 990)
  return { ...set, ...wechat.shopOf() }
}

interface Signing {
  readonly change?: object
  readonly call?: string
  readonly appKey?: string
  readonly sessionKey?: string
}

/** What a mini program is given, with changes before it is signed. */
function requestOf(
  wechat: FakeWeChat,
  { change = {}, call = 'requestVirtualPayment', ...keys }: Signing = {},
) {
  const { offerId, appKey } = wechat.shopOf()
  const signData = JSON.stringify({
    offerId,
    buyQuantity: 1,
    env: 0,
    currencyType: 'CNY',
    productId: 'vip',
    goodsPrice: 990,
    outTradeNo: 'order-0001',
    attach: '',
    ...change,
  })
  return {
    mode: 'short_series_goods',
    signData,
    paySig: hmac(keys.appKey ?? appKey, `${call}&${signData}`),
    signature: hmac(keys.sessionKey ?? wechat.sessionKeyOf('alice'), signData),
  }
}

describe('wx.requestVirtualPayment', () => {
  test('succeeds with both signatures right', () => {
    const { wechat } = setUpShop()

    const result = wechat.requestVirtualPayment('alice', requestOf(wechat))

    expect(result).toEqual({ errCode: 0, errMsg: 'requestVirtualPayment:ok' })
  })

  test.each<[string, number, Signing, FakeWeChatPaymentOptions?]>([
    ['the key of somebody else', -15005, { sessionKey: 'bm90LXRoZS1yaWdodC1rZXk=' }],
    ['another AppKey', -15006, { appKey: 'another' }],
    ['the path of the server in front', -15006, { call: '/xpay/requestVirtualPayment' }],
    ['half a piece', -15001, { change: { buyQuantity: 0.5 } }],
    ['a field of mini games', -15001, { change: { platform: 'android' } }],
    ['the offer of another', -15001, { change: { offerId: '1' } }],
    ['another currency', -15004, { change: { currencyType: 'USD' } }],
    ['another price', -15013, { change: { goodsPrice: 1 } }],
    ['goods that nobody has published', -15010, { change: { productId: 'svip' } }],
    ['a window that is closed', -2, {}, { cancels: true }],
  ])('with %s ends with %d', (_what, errCode, signing, options) => {
    const { wechat } = setUpShop()

    const result = wechat.requestVirtualPayment('alice', requestOf(wechat, signing), options)

    expect(result).toMatchObject({ errCode })
  })

  test('refuses upper-case hex', () => {
    const { wechat } = setUpShop()
    const request = requestOf(wechat)

    expect(
      wechat.requestVirtualPayment('alice', { ...request, paySig: request.paySig.toUpperCase() }),
    ).toMatchObject({ errCode: -15006 })
    expect(
      wechat.requestVirtualPayment('alice', {
        ...request,
        signature: request.signature.toUpperCase(),
      }),
    ).toMatchObject({ errCode: -15005 })
  })

  test('refuses JSON that was written again, and what is none', () => {
    const { wechat } = setUpShop()
    const request = requestOf(wechat)

    const again = JSON.stringify(JSON.parse(request.signData), null, 1)
    expect(wechat.requestVirtualPayment('alice', { ...request, signData: again })).toMatchObject({
      errCode: -15006,
    })
    expect(wechat.requestVirtualPayment('alice', { ...request, signData: '{' })).toMatchObject({
      errCode: -15016,
    })
  })

  test('takes an order number once, and after a cancelled payment again', () => {
    const { wechat } = setUpShop()
    wechat.requestVirtualPayment('alice', requestOf(wechat), { cancels: true })

    const [first, again] = [1, 2].map(() =>
      wechat.requestVirtualPayment('alice', requestOf(wechat)),
    )

    expect([first?.errCode, again?.errCode]).toEqual([0, -15002])
  })

  test('knows no key that has expired, and a new code brings one', () => {
    const { wechat } = setUpShop()
    const request = requestOf(wechat)
    wechat.expireSessionKey('alice')

    expect(wechat.requestVirtualPayment('alice', request)).toMatchObject({ errCode: -15007 })
    wechat.codeFor('alice')
    expect(wechat.requestVirtualPayment('alice', requestOf(wechat))).toMatchObject({ errCode: 0 })
  })

  test('has a sandbox with a key and orders of its own, which the released version is refused', () => {
    const { wechat, sandboxAppKey } = setUpShop()
    const inSandbox = requestOf(wechat, { appKey: sandboxAppKey, change: { env: 1 } })

    expect(wechat.requestVirtualPayment('alice', inSandbox, { isReleased: true })).toMatchObject({
      errCode: -15011,
    })
    expect(wechat.requestVirtualPayment('alice', inSandbox)).toMatchObject({ errCode: 0 })
    expect(wechat.requestVirtualPayment('alice', requestOf(wechat))).toMatchObject({ errCode: 0 })
  })
})

describe('wx.requestMidasPaymentGameItem', () => {
  const game = { mode: 'goods', platform: 'android', zoneId: '1' }
  const ofGame = (wechat: FakeWeChat, { change = {}, ...signing }: Signing = {}) =>
    requestOf(wechat, {
      call: 'requestMidasPaymentGameItem',
      ...signing,
      change: { ...game, ...change },
    })

  test.each<[string, number, Signing, FakeWeChatPaymentOptions?]>([
    ['everything right', 0, {}],
    ['a closed window', -2, {}, { cancels: true }],
    ['the key of somebody else', -15012, { sessionKey: 'bm90LXRoZS1yaWdodC1rZXk=' }],
    ['another AppKey', -15014, { appKey: 'another' }],
    ['another price', -15016, { change: { goodsPrice: 1 } }],
    ['another currency', -15006, { change: { currencyType: 'USD' } }],
  ])('with %s ends with %d', (_what, errCode, signing, options) => {
    const { wechat } = setUpShop()

    const result = wechat.requestMidasPaymentGameItem('alice', ofGame(wechat, signing), options)

    expect(result).toMatchObject({ errCode })
  })

  test('has its own numbers for a used order, an expired key and the sandbox', () => {
    const { wechat, sandboxAppKey } = setUpShop()
    const request = ofGame(wechat)
    wechat.requestMidasPaymentGameItem('alice', request)

    expect(wechat.requestMidasPaymentGameItem('alice', request)).toMatchObject({ errCode: -15003 })
    const inSandbox = ofGame(wechat, { appKey: sandboxAppKey, change: { env: 1 } })
    expect(
      wechat.requestMidasPaymentGameItem('alice', inSandbox, { isReleased: true }),
    ).toMatchObject({ errCode: -15010 })
    wechat.expireSessionKey('alice')
    expect(wechat.requestMidasPaymentGameItem('alice', request)).toMatchObject({ errCode: -15015 })
  })
})

test('a payment call needs an access_token, and hides its signatures from `calls`', async () => {
  const { wechat } = setUpShop()

  const answer = await call(wechat, 'POST /xpay/query_order', {
    query: { pay_sig: 'secret-pay-sig', signature: 'secret-signature' },
    body: {},
  })

  expect(answer.errcode).toBe(41001)
  expect(JSON.stringify(wechat.calls)).not.toContain('secret-')
})

describe('a push', () => {
  const token = 'pushtoken123'
  const encodingAesKey = 'abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG'

  /** A backend that says the echostr and then what it is told to, over a real socket. */
  async function setUpBackend(settings: Partial<FakeWeChatPushSettings> = {}, says = 'success') {
    const received: { url: string; body: string }[] = []
    const answers = { status: 200, body: says }
    const server = createServer(async (request, response) => {
      const url = request.url ?? ''
      let body = ''
      for await (const chunk of request) body += chunk
      received.push({ url, body })
      const { searchParams } = new URL(url, 'http://localhost')
      response.statusCode = answers.status
      response.end(request.method === 'GET' ? searchParams.get('echostr') : answers.body)
    })
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
    onTestFinished(() => void server.close())
    const { port } = server.address() as AddressInfo
    const { wechat } = setUpShop()
    await wechat.setPush({ url: `http://127.0.0.1:${port}/push?shop=1`, token, ...settings })
    received.length = 0
    wechat.requestVirtualPayment('alice', requestOf(wechat))
    return { wechat, received, answers }
  }

  test('tells the backend of a payment, once it is accepted', async () => {
    const { wechat, received } = await setUpBackend()

    expect(await wechat.deliverPushes()).toMatchObject([
      { event: 'xpay_goods_deliver_notify', orderId: 'order-0001', status: 200, isAccepted: true },
    ])
    expect(await wechat.deliverPushes()).toEqual([])
    expect(received).toHaveLength(1)
    expect(JSON.parse(received[0]?.body ?? '')).toMatchObject({
      MsgType: 'event',
      OpenId: wechat.openidOf('alice'),
      OutTradeNo: 'order-0001',
      Env: 0,
      GoodsInfo: { ProductId: 'vip', Quantity: 1, ActualPrice: 990 },
    })
  })

  test('comes again until it is accepted, 16 times in all', async () => {
    const { wechat, answers } = await setUpBackend({}, '{"ErrCode":1}')

    for (let n = 0; n < 15; n++) {
      expect(await wechat.deliverPushes()).toMatchObject([{ isAccepted: false }])
    }
    answers.status = 500
    expect(await wechat.deliverPushes()).toMatchObject([{ status: 500, isAccepted: false }])
    expect(await wechat.deliverPushes()).toEqual([])
  })

  test.each([
    '',
    'success',
    '{"ErrCode":0,"ErrMsg":"success"}',
    '<xml><ErrCode>0</ErrCode><ErrMsg><![CDATA[success]]></ErrMsg></xml>',
  ])('is accepted by %j', async (says) => {
    const { wechat } = await setUpBackend({}, says)

    expect(await wechat.deliverPushes()).toMatchObject([{ isAccepted: true }])
  })

  test.each(['ok', '{"ErrCode":"0"}', '<xml><ErrCode>1</ErrCode></xml>', '{'])(
    'is not accepted by %j',
    async (says) => {
      const { wechat } = await setUpBackend({}, says)

      expect(await wechat.deliverPushes()).toMatchObject([{ isAccepted: false }])
    },
  )

  test('shows nothing of the message where it is encrypted', async () => {
    const { wechat, received } = await setUpBackend({ encodingAesKey })
    await wechat.deliverPushes()

    expect(Object.keys(JSON.parse(received[0]?.body ?? ''))).toEqual(['ToUserName', 'Encrypt'])
    expect(received[0]?.url).toMatch(/^\/push\?shop=1&signature=.*&encrypt_type=aes&msg_signature=/)
  })

  test('is lost when it is told to be', async () => {
    const { wechat, received } = await setUpBackend()

    expect(wechat.losePushes()).toBe(1)
    expect(await wechat.deliverPushes()).toEqual([])
    expect(received).toEqual([])
  })

  test('needs an address that knows the token', async () => {
    const { wechat } = setUpShop()
    const fetch = async () => ({ status: 403, text: async () => '' })

    await expect(wechat.setPush({ url: 'http://shop/', token, fetch })).rejects.toThrow(TypeError)
    expect(() => wechat.pushFor('order-0001')).toThrow(TypeError)
  })
})
