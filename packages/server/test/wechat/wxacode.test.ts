import { inflateSync } from 'node:zlib'
import { describe, expect, onTestFinished, test } from 'vitest'
import { createFakeWeChat, type FakeWeChatOptions } from '../../src/testing/index.js'
import { createWeChat, type WeChatEvent, type WeChatOptions } from '../../src/wechat/index.js'

/** WeChat's APIs, against the emulated WeChat by real HTTP. */
async function setUp(fakeOptions: FakeWeChatOptions = {}, options: Partial<WeChatOptions> = {}) {
  const fake = createFakeWeChat(fakeOptions)
  const { url, close } = await fake.listen()
  const events: WeChatEvent[] = []
  const wechat = createWeChat({
    appId: fake.app.appId,
    appSecret: fake.app.appSecret,
    wechatHosts: [url],
    onEvent: (event) => void (event.type === 'wechat' && events.push(event)),
    ...options,
  })
  onTestFinished(async () => {
    await wechat.close()
    await close()
  })
  return { fake, wechat, events }
}

const scene = 'Zb3vK9qR1tXw7LmN5pYc2H'

test('a mini-program code is a picture that leads a phone to the page, with the scene', async () => {
  const { fake, wechat, events } = await setUp()

  const { bytes, type } = await wechat.wxacode({ scene, page: 'pages/let-in/let-in', width: 280 })

  expect(type).toBe('image/png')
  expect(sizeOf(bytes)).toEqual({ width: 64, height: 64 })
  expect(fake.scan(bytes)).toEqual({
    appId: fake.app.appId,
    page: 'pages/let-in/let-in',
    scene,
  })
  expect(events.at(-1)).toMatchObject({ endpoint: 'wxacode', outcome: 'ok' })
  expect(fake.calls.at(-1)).toMatchObject({ fields: ['scene', 'page', 'width'], status: 200 })
})

test('every scene that WeChat allows arrives as it was, once it is decoded', async () => {
  const { fake, wechat } = await setUp()
  const odd = "!#$&'()*+,/:;=?@-._~aZ09"

  const { bytes } = await wechat.wxacode({ scene: odd })

  const scanned = fake.scan(bytes)
  expect(decodeURIComponent(scanned.scene)).toBe(odd)
  expect(scanned.page).toBeUndefined()
})

test.each([
  { scene: '' },
  { scene: 'x'.repeat(33) },
  { scene: 'a%20b' },
  { scene: '场景' },
  { scene: 'a b' },
  { scene: 7 },
  { scene, page: '/pages/index' },
  { scene, page: 'pages/index?a=b' },
  { scene, page: '' },
  { scene, width: 279 },
  { scene, width: 1281 },
  { scene, width: 300.5 },
])('what WeChat does not allow is refused before it is sent: %j', async (options) => {
  const { fake, wechat } = await setUp()

  await expect(wechat.wxacode(options as never)).rejects.toThrow(TypeError)

  expect(fake.calls).toEqual([])
})

describe('an error of WeChat is named, and never taken for a picture or an outage', () => {
  const page = 'pages/new'

  test.each([
    ['a page that is not published', { scene, page }, 41030],
    ['a reserved scene', { scene: 'scancode_time=1' }, 85096],
    ['a version that there is not', { scene, envVersion: 'beta' as never }, 40097],
  ])('%s', async (_what, options, errcode) => {
    const app = { appId: 'wx1', appSecret: 's'.repeat(32), pages: ['pages/index'] }
    const { wechat, events } = await setUp({ apps: [app] })

    await expect(wechat.wxacode(options)).rejects.toMatchObject({
      code: 'invalid_request',
      errcode,
      rid: expect.any(String),
    })

    expect(events.at(-1)).toMatchObject({ outcome: 'invalid_request', errcode })
    await expect(wechat.wxacode({ scene, page: 'pages/index' })).resolves.toBeDefined()
    await expect(wechat.wxacode({ scene, page, checkPath: false })).resolves.toBeDefined()
  })

  test.each([
    ['', 40129],
    ['a%20b', 40129],
    ['x'.repeat(33), 40169],
  ])('a scene of %j, sent by callFile', async (wrong, errcode) => {
    const { wechat } = await setUp()
    const body = { scene: wrong }

    await expect(wechat.callFile('POST', '/wxa/getwxacodeunlimit', { body })).rejects.toMatchObject(
      { code: 'invalid_request', errcode },
    )
  })

  test('the daily quota', async () => {
    const { fake, wechat } = await setUp()
    fake.fail(45009, { endpoint: 'POST /wxa/getwxacodeunlimit' })

    await expect(wechat.wxacode({ scene })).rejects.toMatchObject({ code: 'rate_limited' })
  })
})

test('a busy WeChat is asked again, and a token that was refused is renewed', async () => {
  const { fake, wechat } = await setUp()
  fake.fail(-1, { endpoint: 'POST /wxa/getwxacodeunlimit' })
  await expect(wechat.wxacode({ scene })).resolves.toMatchObject({ type: 'image/png' })

  fake.fail(40001, { endpoint: 'POST /wxa/getwxacodeunlimit' })
  await expect(wechat.wxacode({ scene })).resolves.toMatchObject({ type: 'image/png' })
})

test.each(['html', 'too-large'] as const)(
  'what is no picture, or too large a one (%s), is not handed on, and opens no circuit breaker',
  async (fault) => {
    const { fake, wechat, events } = await setUp()
    fake.fail(fault, { times: 6, endpoint: 'POST /wxa/getwxacodeunlimit' })

    for (let calls = 0; calls < 6; calls++) {
      await expect(wechat.wxacode({ scene })).rejects.toMatchObject({ code: 'wechat_unavailable' })
    }

    expect(events.at(-1)).toMatchObject({ outcome: 'unreadable' })
    expect(wechat.health().breakers.call).toBe('closed')
    await expect(wechat.wxacode({ scene })).resolves.toBeDefined()
  },
)

describe('callFile', () => {
  const jpeg = Uint8Array.from([0xff, 0xd8, 0xff, 0xe0, 1, 2, 3])
  const routes = {
    'GET /cgi-bin/media/get': () => jpeg,
    'POST /wxa/a_bill': () => Buffer.from('number,amount\n1,2\n'),
    'GET /wxa/json': () => ({ errcode: 0, video_url: 'https://…' }),
    'GET /wxa/empty': () => new Uint8Array(),
  }

  test('gives the bytes as they came, and their type where it is a picture', async () => {
    const { wechat } = await setUp({ routes })

    expect(
      await wechat.callFile('GET', '/cgi-bin/media/get', { query: { media_id: 'a' } }),
    ).toEqual({ bytes: Buffer.from(jpeg), type: 'image/jpeg' })
    const bill = await wechat.callFile('POST', '/wxa/a_bill', { body: {} })
    expect(bill.type).toBe('application/octet-stream')
    expect(new TextDecoder().decode(bill.bytes)).toContain('amount')
  })

  test('reads no more than it was told to', async () => {
    const { wechat, events } = await setUp({ routes })

    await expect(
      wechat.callFile('GET', '/cgi-bin/media/get', { maxBytes: 6 }),
    ).rejects.toMatchObject({ code: 'wechat_unavailable' })
    expect(events.at(-1)).toMatchObject({ outcome: 'unreadable' })
    await expect(
      wechat.callFile('GET', '/cgi-bin/media/get', { maxBytes: 7 }),
    ).resolves.toBeDefined()
  })

  test('says so when there is no file', async () => {
    const { wechat } = await setUp({ routes })

    await expect(wechat.callFile('GET', '/wxa/json')).rejects.toMatchObject({
      code: 'server_error',
      message: expect.stringContaining('use call'),
    })
    await expect(wechat.callFile('GET', '/wxa/empty')).rejects.toMatchObject({
      code: 'wechat_unavailable',
    })
  })

  test.each([0, -1, 1.5, 32 * 1024 * 1024 + 1])('refuses maxBytes %d', async (maxBytes) => {
    const { wechat } = await setUp({ routes })

    await expect(wechat.callFile('GET', '/cgi-bin/media/get', { maxBytes })).rejects.toThrow(
      /maxBytes/,
    )
  })
})

test('only what the emulated WeChat has made is scanned', async () => {
  const { fake } = await setUp()

  expect(() => fake.scan(Buffer.from('not a picture'))).toThrow(TypeError)
})

/** Of a PNG whose pixels are all there. */
function sizeOf(bytes: Uint8Array): { width: number; height: number } {
  const png = Buffer.from(bytes)
  const [width, height] = [png.readUInt32BE(16), png.readUInt32BE(20)]
  const data = png.indexOf('IDAT')
  const pixels = inflateSync(png.subarray(data + 4, data + 4 + png.readUInt32BE(data - 4)))
  expect(pixels).toHaveLength(height * (width + 1))
  return { width, height }
}
