import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { FakeWeChat, FakeWeChatPushSettings } from '../../src/testing/index.js'
import type {
  PaymentEvent,
  PaymentNotification,
  PaymentPushOptions,
  PaymentPushRequest,
} from '../../src/wechat/index.js'
import { signPayment } from '../../src/wechat/index.js'
import { expectNone } from '../no-secrets.js'
import { attach, buy } from './buy.js'
import { createGate, setUpWeChat } from './set-up.js'

const token = 'pushtoken123'
const encodingAesKey = 'abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG'

/** A shop whose pushes arrive over a real socket, and what became of each. */
async function setUpShop(
  settings: Partial<FakeWeChatPushSettings> = {},
  options: Partial<PaymentPushOptions> = {},
) {
  const set = await setUpWeChat({ door: 'http' })
  const { wechat, fake } = set
  const payment = wechat.virtualPayment({ appKey: fake.shopOf().appKey })
  const results: (PaymentNotification | { error: unknown })[] = []
  const granted: PaymentEvent[] = []
  const read = (request: PaymentPushRequest) =>
    payment.notification(request, {
      token,
      ...(settings.encodingAesKey !== undefined && { encodingAesKey: settings.encodingAesKey }),
      onPayment: (event) => void granted.push(event),
      ...options,
    })

  async function serve(request: IncomingMessage) {
    try {
      const result = await read(request)
      results.push(result)
      return result.response
    } catch (error) {
      results.push({ error })
      const { status = 500 }: { status?: number } = error as object
      return { status, headers: {}, body: '' }
    }
  }
  const server = createServer(async (request, response) => {
    const { status, headers, body } = await serve(request)
    response.writeHead(status, headers).end(body)
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  const url = `http://127.0.0.1:${port}/push`
  await fake.setPush({ url, token, ...settings })
  results.length = 0
  const send = ({ url, method, headers, body }: ReturnType<FakeWeChat['pushFor']>) =>
    fetch(url, { method, headers, body })
  return { ...set, payment, results, granted, read, send, url }
}

const formats = [
  ['JSON', {}],
  ['XML', { format: 'xml' }],
  ['encrypted JSON', { encodingAesKey }],
  ['encrypted XML', { encodingAesKey, format: 'xml' }],
  ['both at once, JSON', { encodingAesKey, mode: 'compatible' }],
  ['both at once, XML', { encodingAesKey, mode: 'compatible', format: 'xml' }],
] as const

describe.each(formats)('a notification in %s', (_name, settings) => {
  test('of goods is verified, read and accepted', async () => {
    const { fake, granted, clock } = await setUpShop(settings)
    await buy(fake, 'order-0001')

    const pushed = await fake.deliverPushes()

    expect(pushed).toMatchObject([{ status: 200, isAccepted: true }])
    expect(granted).toMatchObject([
      {
        type: 'goods',
        openid: fake.openidOf('alice'),
        outTradeNo: 'order-0001',
        env: 0,
        productId: 'vip',
        quantity: 1,
        origPrice: 990,
        actualPrice: 990,
        attach,
        paidAt: clock.now() / 1000,
        transactionId: expect.stringMatching(/^42WX/),
      },
    ])
  })

  test('of coins is told from one of goods', async () => {
    const { fake, granted } = await setUpShop(settings)
    await buy(fake, 'coins-0001', { mode: 'short_series_coin' })

    await fake.deliverPushes()

    expect(granted).toMatchObject([{ type: 'coins', outTradeNo: 'coins-0001', quantity: 1 }])
  })

  test('of a refund names the order and the refund', async () => {
    const { fake, granted, payment } = await setUpShop(settings)
    await buy(fake, 'order-0001')
    await fake.deliverPushes()
    await payment.refundOrder({
      openid: fake.openidOf('alice'),
      order_id: 'order-0001',
      refund_order_id: 'refund-0001',
      left_fee: 990,
      refund_fee: 990,
      biz_meta: '',
      refund_reason: '3',
      req_from: '2',
    })

    expect(await fake.deliverPushes()).toMatchObject([{ isAccepted: true }])

    expect(granted[1]).toMatchObject({
      type: 'refund',
      openid: fake.openidOf('alice'),
      outTradeNo: 'order-0001',
      refundId: 'refund-0001',
      refundFee: 990,
      isRefunded: true,
    })
  })

  test('that comes twice at once, and once more, grants once', async () => {
    const gate = createGate()
    const set = await setUpShop(settings, {
      onPayment: async (event) => {
        grants.push(event)
        await gate.opened
      },
    })
    const grants: PaymentEvent[] = []
    const { fake, send } = set
    await buy(fake, 'order-0001')

    const both = [send(fake.pushFor('order-0001')), send(fake.pushFor('order-0001'))]
    setTimeout(gate.open, 50)
    const statuses = (await Promise.all(both)).map(({ status }) => status)
    const third = await send(fake.pushFor('order-0001'))

    expect([...statuses, third.status]).toEqual([200, 200, 200])
    expect(grants).toHaveLength(1)
  })

  test('whose goods could not be given is sent again, and then given', async () => {
    let isBroken = true
    const { fake, results } = await setUpShop(settings, {
      onPayment: () => {
        if (isBroken) throw new Error('the database is away')
      },
    })
    await buy(fake, 'order-0001')

    expect(await fake.deliverPushes()).toMatchObject([{ status: 500, isAccepted: false }])
    isBroken = false
    expect(await fake.deliverPushes()).toMatchObject([{ status: 200, isAccepted: true }])
    expect(results[0]).toMatchObject({ error: { code: 'server_error' } })
  })

  test('of the sandbox grants nothing live, and says that it is one', async () => {
    const { fake, granted, results } = await setUpShop(settings)
    await buy(fake, 'order-0001', { env: 1 })

    expect(await fake.deliverPushes()).toMatchObject([{ isAccepted: true }])

    expect(granted).toEqual([])
    expect(results).toMatchObject([
      { event: { type: 'other_env', event: { type: 'goods', env: 1 } } },
    ])
  })

  test('with another token is refused', async () => {
    const { fake, granted, results, url } = await setUpShop(settings)
    const fetch = async (...[address, init]: Parameters<typeof globalThis.fetch>) =>
      init?.method === 'GET'
        ? new Response(new URL(`${address}`).searchParams.get('echostr'))
        : globalThis.fetch(address, init)
    await fake.setPush({
      url,
      ...settings,
      token: 'another',
      fetch: fetch as typeof globalThis.fetch,
    })
    await buy(fake, 'order-0001')

    expect(await fake.deliverPushes()).toMatchObject([{ status: 400, isAccepted: false }])
    expect(granted).toEqual([])
    expect(results).toMatchObject([{ error: { code: 'invalid_request', reason: 'signature' } }])
  })
})

describe('the console asks whether the address knows the token', () => {
  test('and hears what it sent', async () => {
    const { results, fake, url } = await setUpShop()

    await fake.setPush({ url, token })

    expect(results).toMatchObject([{ event: { type: 'check' } }])
  })

  test('and hears nothing with another token', async () => {
    const { fake, url } = await setUpShop()

    await expect(fake.setPush({ url, token: 'another' })).rejects.toThrow(/does not know the token/)
  })
})

describe('a plain push, whose signature covers nothing of its content,', () => {
  test('is believed when WeChat knows the payment, and is asked once', async () => {
    const { fake, granted } = await setUpShop()
    await buy(fake, 'order-0001')

    await fake.deliverPushes()

    expect(granted).toHaveLength(1)
    expect(fake.calls.filter(({ path }) => path === '/xpay/query_order')).toHaveLength(1)
  })

  test.each(formats.slice(0, 2))(
    'is refused in %s when somebody who saw its address made another of it',
    async (_name, settings) => {
      const { fake, send, granted, results } = await setUpShop(settings)
      await buy(fake, 'order-0001')
      const { body, ...push } = fake.pushFor('order-0001')

      const { status } = await send({ ...push, body: body.replaceAll('order-0001', 'order-9999') })

      expect(status).toBe(400)
      expect(granted).toEqual([])
      expect(results).toMatchObject([{ error: { code: 'invalid_request' } }])
    },
  )

  test('of a refund that never was is refused', async () => {
    const { fake, read, granted } = await setUpShop()
    await buy(fake, 'order-0001')
    const { url } = fake.pushFor('order-0001')
    const body = {
      MsgType: 'event',
      Event: 'xpay_refund_notify',
      OpenId: fake.openidOf('alice'),
      MchOrderId: 'order-0001',
      MchRefundId: 'refund-0001',
      RetCode: 0,
    }

    await expect(read({ method: 'POST', url, body })).rejects.toMatchObject({
      reason: 'unconfirmed',
    })
    expect(granted).toEqual([])
  })

  test('is sent again while WeChat cannot be asked', async () => {
    const { fake, granted } = await setUpShop()
    await buy(fake, 'order-0001')
    fake.fail('html-502', { endpoint: 'POST /xpay/query_order' })

    expect(await fake.deliverPushes()).toMatchObject([{ status: 503, isAccepted: false }])
    expect(await fake.deliverPushes()).toMatchObject([{ status: 200, isAccepted: true }])
    expect(granted).toHaveLength(1)
  })

  test('is refused where encrypted ones are expected', async () => {
    const { read, fake, url } = await setUpShop({ encodingAesKey })
    await fake.setPush({ url, token })
    await buy(fake, 'order-0001')

    await expect(read(fake.pushFor('order-0001'))).rejects.toMatchObject({
      code: 'invalid_request',
      reason: 'not_encrypted',
    })
  })
})

describe('an encrypted push', () => {
  test('is believed without asking WeChat', async () => {
    const { fake } = await setUpShop({ encodingAesKey })
    await buy(fake, 'order-0001')

    await fake.deliverPushes()

    expect(fake.calls.filter(({ path }) => path.startsWith('/xpay/'))).toEqual([])
  })

  test('is refused with one byte changed, by its signature and not by its padding', async () => {
    const { fake, read } = await setUpShop({ encodingAesKey })
    await buy(fake, 'order-0001')
    const { body, ...push } = fake.pushFor('order-0001')
    const changed = JSON.parse(body)
    changed.Encrypt = changed.Encrypt.replace(/^./, (first: string) => (first === 'A' ? 'B' : 'A'))

    await expect(read({ ...push, body: changed })).rejects.toMatchObject({ reason: 'signature' })
  })

  test('of another mini program with the same token and key is refused', async () => {
    const { read } = await setUpShop({ encodingAesKey })
    const other = await setUpWeChat({}, { apps: [{ appId: 'wx2', appSecret: 's' }] })
    const answerCheck = async (url: string) => ({
      status: 200,
      text: async () => new URL(url).searchParams.get('echostr') ?? '',
    })
    await other.fake.setPush({ url: 'http://shop/push', token, encodingAesKey, fetch: answerCheck })
    await buy(other.fake, 'order-0001')

    await expect(read(other.fake.pushFor('order-0001'))).rejects.toMatchObject({ reason: 'appid' })
  })

  test('needs the key', async () => {
    const { fake, payment } = await setUpShop({ encodingAesKey })
    await buy(fake, 'order-0001')
    const push = fake.pushFor('order-0001')

    await expect(payment.notification(push, { token })).rejects.toMatchObject({
      code: 'invalid_request',
    })
    const wrong = payment.notification(push, {
      token,
      encodingAesKey: encodingAesKey.toUpperCase().padEnd(43, 'x').slice(0, 43),
    })
    await expect(wrong).rejects.toMatchObject({ reason: 'malformed' })
  })
})

describe('an answer of the app', () => {
  test.each(formats)('goes out in %s, as the push came', async (_name, settings) => {
    const { fake, read, url } = await setUpShop(settings)
    await buy(fake, 'order-0001')
    const notification = await read(fake.pushFor('order-0001'))
    const { status, headers, body } = notification.answer({ ErrCode: 0, Note: 'a ]]> b' })
    const fetch = async (address: string) => ({
      status,
      text: async () => new URL(address).searchParams.get('echostr') ?? body,
    })
    await fake.setPush({ url, token, ...settings, fetch })

    // The emulated WeChat decrypts it and looks for the ErrCode.
    expect(await fake.deliverPushes()).toMatchObject([{ isAccepted: true, body }])
    expect(headers['content-type']).toContain('format' in settings ? 'xml' : 'json')
    expect(body.includes('ErrCode')).toBe(!('encodingAesKey' in settings))
  })
})

describe('a push of a mini game', () => {
  test('carries its fields in a text that the AppKey has signed', async () => {
    const { fake, granted } = await setUpShop()
    await buy(fake, 'order-0001', { mode: 'goods' })

    expect(await fake.deliverPushes()).toMatchObject([{ isAccepted: true }])

    expect(granted).toMatchObject([{ type: 'goods', outTradeNo: 'order-0001', attach }])
    expect(fake.calls.filter(({ path }) => path.startsWith('/xpay/'))).toEqual([])
  })

  test('is refused when that text was changed', async () => {
    const { fake, read } = await setUpShop()
    await buy(fake, 'order-0001', { mode: 'goods' })
    const { body, ...push } = fake.pushFor('order-0001')

    const changed = read({ ...push, body: body.replace('order-0001', 'order-9999') })

    await expect(changed).rejects.toMatchObject({ reason: 'signature' })
  })

  test('that is a mock of the console grants nothing', async () => {
    const { fake, read, granted } = await setUpShop()
    await buy(fake, 'order-0001', { mode: 'goods' })
    const { body, ...push } = fake.pushFor('order-0001')

    const { event } = await read({ ...push, body: body.replace('"IsMock":0', '"IsMock":1') })

    expect(event).toMatchObject({ type: 'other', name: 'mock xpay_goods_deliver_notify' })
    expect(granted).toEqual([])
  })

  test('has in its signed text all that counts, whatever stands beside it', async () => {
    const { fake, read, granted } = await setUpShop()
    const event = 'xpay_goods_deliver_notify'
    // WeChat writes some names in more than one way.
    const payload = JSON.stringify({
      OpenId: fake.openidOf('alice'),
      OutTradeNo: 'order-0001',
      Env: 0,
      goodsInfo: { ProductId: 'sticker', Quantity: 1 },
    })
    const PayEventSig = signPayment(fake.shopOf().appKey, event, payload)
    await buy(fake, 'order-0002')
    const { url, method } = fake.pushFor('order-0002')
    const body = {
      Event: event,
      GoodsInfo: { ProductId: 'vip', Quantity: 99 },
      MiniGame: { Payload: payload, PayEventSig },
    }

    await read({ url, method, body })

    expect(granted).toMatchObject([{ productId: 'sticker', quantity: 1 }])
  })

  test('may have its signed text beside the rest', async () => {
    const { fake, read, granted } = await setUpShop()
    await buy(fake, 'order-0001')
    const { body, ...push } = fake.pushFor('order-0001')
    const payload = body
    const event = 'xpay_goods_deliver_notify'
    const signed = {
      Event: event,
      Payload: payload,
      PayEventSig: signPayment(fake.shopOf().appKey, event, payload),
    }

    await read({ ...push, body: signed })
    await expect(
      read({ ...push, body: { ...signed, PayEventSig: 'f'.repeat(64) } }),
    ).rejects.toMatchObject({ reason: 'signature' })

    expect(granted).toHaveLength(1)
  })
})

describe('a request may be', () => {
  const ways: [string, (push: ReturnType<FakeWeChat['pushFor']>) => PaymentPushRequest][] = [
    ['a web Request', ({ url, body }) => new Request(url, { method: 'POST', body })],
    ['what a text parser has read', (push) => push],
    ['what a parser of bytes has read', (push) => ({ ...push, body: Buffer.from(push.body) })],
    ['what a JSON parser has read', (push) => ({ ...push, body: JSON.parse(push.body) })],
    [
      'relative in its address',
      ({ url, ...push }) => ({
        ...push,
        url: url.slice(url.indexOf('/push')),
      }),
    ],
    [
      'a stream beside the empty object of a parser that does not know the type',
      ({ url, method, body }) => Object.assign(Readable.from([body]), { url, method, body: {} }),
    ],
  ]

  test.each(ways)('%s', async (_name, requestOf) => {
    const { fake, read } = await setUpShop()
    await buy(fake, 'order-0001')

    const { event } = await read(requestOf(fake.pushFor('order-0001')))

    expect(event).toMatchObject({ type: 'goods', outTradeNo: 'order-0001' })
  })
})

describe('what cannot be read is refused as malformed:', () => {
  const deep = `${'<a>'.repeat(20)}${'</a>'.repeat(20)}`
  test.each([
    ['nothing', ''],
    ['a text', 'hello'],
    ['a list', '[]'],
    ['a number', '1'],
    ['more than 64 KiB', `{"a":"${'x'.repeat(64 * 1024)}"}`],
    ['an entity', '<xml><a>&me;</a></xml>'],
    [
      'a document type with an entity of a file',
      '<!DOCTYPE x [<!ENTITY me SYSTEM "file:///etc/passwd">]><xml><Event>&me;</Event></xml>',
    ],
    [
      'a billion laughs',
      '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]><xml><Event>&b;</Event></xml>',
    ],
    ['an attribute', '<xml a="1"><Event>x</Event></xml>'],
    ['a comment', '<xml><!-- x --><Event>x</Event></xml>'],
    ['an instruction', '<xml><?php x ?><Event>x</Event></xml>'],
    ['another closing tag', '<xml><Event>x</Even></xml>'],
    ['no closing tag', '<xml><Event>x</Event>'],
    ['a second root', '<xml><Event>x</Event></xml><xml></xml>'],
    ['text between elements', '<xml>x<Event>x</Event></xml>'],
    ['elements in elements in elements', `<xml>${deep}</xml>`],
    ['CDATA without an end', '<xml><Event><![CDATA[x</Event></xml>'],
    ['goods without a number', '{"Event":"xpay_goods_deliver_notify","OpenId":"o","Env":0}'],
    [
      'an order number twice',
      '<xml><Event>xpay_coin_pay_notify</Event><OpenId>o</OpenId><Env>0</Env><OutTradeNo>a</OutTradeNo><OutTradeNo>b</OutTradeNo><CoinInfo><Quantity>1</Quantity></CoinInfo></xml>',
    ],
    [
      'no environment',
      '{"Event":"xpay_coin_pay_notify","OpenId":"o","OutTradeNo":"a","CoinInfo":{"Quantity":1}}',
    ],
  ])('%s', async (_what, body) => {
    const { fake, send, granted, results } = await setUpShop()
    await buy(fake, 'order-0001')

    const { status } = await send({ ...fake.pushFor('order-0001'), body })

    expect(status).toBe(400)
    expect(results).toMatchObject([{ error: { code: 'invalid_request', reason: 'malformed' } }])
    expect(granted).toEqual([])
  })

  test('an address that is none', async () => {
    const { read } = await setUpShop()

    const refused = read({ method: 'POST', url: '//[', body: '{"Event":"x"}' })

    await expect(refused).rejects.toMatchObject({ code: 'invalid_request', reason: 'signature' })
  })

  test('even a long one in no time', async () => {
    const { fake, read } = await setUpShop()
    await buy(fake, 'order-0001')
    const push = fake.pushFor('order-0001')
    const started = performance.now()

    const bodies = [
      '<a>'.repeat(20_000),
      '<'.repeat(60_000),
      `<xml>${'&'.repeat(60_000)}`,
      `"${'\\"'.repeat(32_000)}\\\u0001`,
      `{"a":"${'\\"'.repeat(32_000)}`,
    ]
    for (const body of bodies) {
      await expect(read({ ...push, body })).rejects.toMatchObject({ reason: 'malformed' })
    }

    expect(performance.now() - started).toBeLessThan(1000)
  })
})

test('XML has the five entities of XML itself, and white space between its elements', async () => {
  const { fake, read } = await setUpShop({ format: 'xml' })
  await buy(fake, 'order-0001')
  const body = `<?xml version="1.0" encoding="utf-8"?>
    <xml>
      <Event>some_event</Event>
      <Text>a &lt;b&gt; &amp;amp; &quot;c&quot; &apos;d&apos;</Text>
      <Item>1</Item><Item>2</Item>
      <Empty></Empty>
      <__proto__>x</__proto__>
    </xml>`

  const { event } = await read({ ...fake.pushFor('order-0001'), body })

  expect(event).toMatchObject({ type: 'other', name: 'some_event' })
  expect('message' in event && Object.entries(event.message)).toEqual([
    ['Event', 'some_event'],
    ['Text', `a <b> &amp; "c" 'd'`],
    ['Item', ['1', '2']],
    ['Empty', ''],
    ['__proto__', 'x'],
  ])
})

test('other messages of the mini program are handed on and accepted', async () => {
  const { fake, read } = await setUpShop()
  await buy(fake, 'order-0001')
  const body = JSON.stringify({ MsgType: 'event', Event: 'subscribe_msg_popup_event', List: [] })

  const { event, response } = await read({ ...fake.pushFor('order-0001'), body })

  expect(event).toMatchObject({ type: 'other', name: 'subscribe_msg_popup_event' })
  expect(JSON.parse(response.body)).toEqual({ ErrCode: 0, ErrMsg: 'success' })
})

test('without onPayment each notification is told, verified, as often as it comes', async () => {
  const { fake, payment } = await setUpShop()
  await buy(fake, 'order-0001')

  const told = await Promise.all(
    [1, 2].map(() => payment.notification(fake.pushFor('order-0001'), { token })),
  )

  expect(told).toMatchObject([{ event: { type: 'goods' } }, { event: { type: 'goods' } }])
})

test('grants of one mini program are remembered wherever its payments were asked for', async () => {
  const { fake, wechat, granted } = await setUpShop({ encodingAesKey })
  await buy(fake, 'order-0001')
  const { appKey } = fake.shopOf()
  const read = () =>
    wechat.virtualPayment({ appKey }).notification(fake.pushFor('order-0001'), {
      token,
      encodingAesKey,
      onPayment: (event) => void granted.push(event),
    })

  await Promise.all([read(), read()])

  expect(granted).toHaveLength(1)
})

test('openid, token and keys stand in nothing that is printed', async () => {
  const { fake, results, granted, events, send } = await setUpShop({ encodingAesKey })
  await buy(fake, 'order-0001')
  await fake.deliverPushes()
  await send({ ...fake.pushFor('order-0001'), body: '{}' })

  expect(results).toHaveLength(2)
  expectNone(
    { openid: fake.openidOf('alice'), token, encodingAesKey, appKey: fake.shopOf().appKey },
    'what was printed',
    [
      JSON.stringify(results),
      results.flatMap((result) => ('error' in result ? result.error : [])),
      JSON.stringify(granted),
      events,
    ],
  )
})

test.each([
  ['no token', { token: '' }],
  ['an EncodingAESKey that is cut', { token, encodingAesKey: 'abc' }],
])('%s is a mistake of the app', async (_what, options) => {
  const { fake, payment } = await setUpShop()
  await buy(fake, 'order-0001')

  await expect(payment.notification(fake.pushFor('order-0001'), options)).rejects.toThrow(TypeError)
})
