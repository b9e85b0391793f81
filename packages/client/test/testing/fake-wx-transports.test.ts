import {
  createFakeWx,
  type FakeContainerRequest,
  type FakeDownloadOptions,
  type FakeNetworkRequest,
  type FakeNetworkResponse,
  type FakeSocketOptions,
  type FakeUploadOptions,
  type FakeWx,
  type FakeWxOptions,
} from '@wxlogin/client/testing'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'

const url = 'https://api.example.com/files'
const interrupted = 600003

beforeEach(() => {
  vi.useFakeTimers()
})

afterEach(() => {
  vi.useRealTimers()
})

/** A phone with one photo; `sent` is what left it. */
function setUp(options: FakeWxOptions = {}) {
  const sent: FakeNetworkRequest[] = []
  const network = async (request: FakeNetworkRequest): Promise<FakeNetworkResponse> => {
    sent.push(request)
    return { statusCode: 200, header: { 'X-A': '1' }, body: '{"hello":"world"}' }
  }
  const wx = createFakeWx({ network, ...options })
  wx.control.files.set('wxfile://photo.png', 'pixels')
  return { wx, sent }
}

/** Lets everything that waits for no timer happen. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await undefined
}

function upload(wx: FakeWx, options: Partial<FakeUploadOptions> = {}): Promise<unknown> {
  return new Promise((resolve) => {
    const file = { filePath: 'wxfile://photo.png', name: 'photo' }
    wx.uploadFile({ url, ...file, ...options, success: resolve, fail: resolve })
  })
}

function download(wx: FakeWx, options: Partial<FakeDownloadOptions> = {}): Promise<unknown> {
  return new Promise((resolve) => {
    wx.downloadFile({ url, ...options, success: resolve, fail: resolve })
  })
}

describe('wx.uploadFile', () => {
  test('sends the file and the form, and gives the answer as text', async () => {
    const { wx, sent } = setUp()

    const result = await upload(wx, { formData: { title: 'Me' }, header: { Authorization: 'x' } })

    expect(result).toEqual({
      data: '{"hello":"world"}',
      statusCode: 200,
      errMsg: 'uploadFile:ok',
    })
    const [request] = sent
    expect(request).toMatchObject({
      url,
      method: 'POST',
      header: {
        authorization: 'x',
        'content-type': expect.stringMatching(/^multipart\/form-data; boundary=/),
        referer: expect.stringContaining('servicewechat.com'),
      },
    })
    const body = new TextDecoder().decode(request?.body as ArrayBuffer)
    expect(body).toMatch(/name="title"\r\n\r\nMe\r\n/)
    expect(body).toMatch(/name="photo"; filename="photo.png"\r\n[\s\S]*pixels\r\n/)
  })

  test('fails when there is no such file', async () => {
    const { wx, sent } = setUp()

    expect(await upload(wx, { filePath: 'wxfile://gone.png' })).toMatchObject({
      errMsg: 'uploadFile:fail file not found',
    })
    expect(sent).toEqual([])
  })

  test('tells its progress, and headers before the end', async () => {
    const { wx } = setUp()
    const heard: unknown[] = []

    await new Promise<void>((resolve) => {
      const task = wx.uploadFile({
        url,
        filePath: 'wxfile://photo.png',
        name: 'photo',
        success: () => resolve(heard.push('end') as never),
      })
      task.onHeadersReceived?.(({ header }) => heard.push(header))
      task.onProgressUpdate(({ progress }) => heard.push(progress))
    })

    expect(heard).toEqual([100, { 'X-A': '1' }, 'end'])
  })
})

describe('wx.downloadFile', () => {
  test('puts the body into a temporary file, whatever the status', async () => {
    const { wx } = setUp({ network: async () => ({ statusCode: 404, header: {}, body: 'no' }) })

    const result = (await download(wx)) as { tempFilePath: string }

    expect(result).toEqual({
      statusCode: 404,
      tempFilePath: expect.stringMatching(/^wxfile:\/\/tmp_/),
      errMsg: 'downloadFile:ok',
    })
    expect(wx.control.files.get(result.tempFilePath)).toBe('no')
  })

  test('writes to the path it was given', async () => {
    const { wx } = setUp()

    const result = await download(wx, { filePath: 'wxfile://mine' })

    expect(result).toMatchObject({ filePath: 'wxfile://mine' })
    expect(result).not.toHaveProperty('tempFilePath')
    expect(wx.control.files.get('wxfile://mine')).toBe('{"hello":"world"}')
  })

  test('tells no headers where the platform cannot', () => {
    const { wx } = setUp({ fileHeaders: false })

    expect(wx.downloadFile({ url }).onHeadersReceived).toBeUndefined()
    expect(wx.downloadFile({ url }).onProgressUpdate).toBeTypeOf('function')
  })

  test('aborts once', async () => {
    const { wx } = setUp({ network: () => new Promise(() => undefined) })
    const fail = vi.fn()

    const task = wx.downloadFile({ url, fail })
    task.abort()
    task.abort()
    await settle()

    expect(fail).toHaveBeenCalledExactlyOnceWith({ errMsg: 'downloadFile:fail abort' })
  })
})

describe('requests, uploads and downloads', () => {
  test('share ten slots', async () => {
    const waiting: (() => void)[] = []
    const { wx } = setUp({
      network: () =>
        new Promise((resolve) =>
          waiting.push(() => resolve({ statusCode: 200, header: {}, body: '' })),
        ),
    })

    for (let count = 0; count < 5; count += 1) wx.request({ url })
    for (let count = 0; count < 5; count += 1) void upload(wx)
    const last = download(wx)
    await settle()
    const atFirst = waiting.length
    waiting[0]?.()
    await settle()
    waiting[10]?.()

    expect(atFirst).toBe(10)
    expect(await last).toMatchObject({ statusCode: 200 })
  })

  test('are recorded and scripted alike, by their kind', async () => {
    const { wx } = setUp()
    wx.control.onRequest(({ kind }) => kind === 'downloadFile', { respond: { statusCode: 500 } })

    expect(await upload(wx)).toMatchObject({ statusCode: 200 })
    expect(await download(wx)).toMatchObject({ statusCode: 500 })
    expect(wx.control.requests.map(({ kind, method }) => [kind, method])).toEqual([
      ['uploadFile', 'POST'],
      ['downloadFile', 'GET'],
    ])
    expect(wx.control.calls).toMatchObject({ uploadFile: 1, downloadFile: 1, request: 0 })
  })

  test.each([
    ['uploadFile', upload],
    ['downloadFile', download],
  ])('%s is interrupted in the background, and fails without a network', async (name, start) => {
    const { wx } = setUp()
    wx.control.onRequest('/files', { delayMs: 6_000 }, { times: 1 })
    const cut = start(wx)
    wx.control.hide()
    const refused = start(wx)
    await vi.advanceTimersByTimeAsync(5_000)
    wx.control.show()
    const errMsg = `${name}:fail interrupted`

    expect(await refused).toEqual({ errMsg, errno: interrupted })
    expect(await cut).toEqual({ errMsg, errno: interrupted })
    wx.control.offline()
    expect(await start(wx)).toMatchObject({ errno: 600000 })
  })

  test('a domain that is not in the list is refused', async () => {
    const { wx } = setUp({ domains: ['https://other.example'] })

    expect(await upload(wx)).toMatchObject({ errno: 600002 })
    expect(await download(wx)).toMatchObject({ errno: 600002 })
  })
})

/** Everything that a socket told, in order. */
function connect(wx: FakeWx, options: Partial<FakeSocketOptions> = {}) {
  const heard: unknown[] = []
  const task = wx.connectSocket({
    url: 'wss://api.example.com/ws',
    success: () => heard.push('called'),
    fail: ({ errno }) => heard.push(['failed', errno]),
    ...options,
  })
  task.onOpen(() => heard.push('open'))
  task.onMessage(({ data }) => heard.push(data))
  task.onError(({ errMsg }) => heard.push(errMsg))
  task.onClose(({ code, reason }) => heard.push([code, reason]))
  return { task, heard }
}

describe('wx.connectSocket', () => {
  test('opens, carries messages both ways, and closes with a code', async () => {
    const { wx } = setUp()
    const { task, heard } = connect(wx, { header: { Authorization: 'x' }, protocols: ['chat'] })
    await settle()
    const [socket] = wx.control.sockets

    task.send({ data: 'ping' })
    socket?.send('pong')
    task.close({ code: 4001, reason: 'bye' })
    await settle()

    expect(heard).toEqual(['called', 'open', 'pong', [4001, 'bye']])
    expect(socket).toMatchObject({
      url: 'wss://api.example.com/ws',
      header: { authorization: 'x' },
      protocols: ['chat'],
      received: ['ping'],
      state: 'closed',
      closed: { code: 4001, reason: 'bye' },
    })
    expect(vi.getTimerCount()).toBe(0)
  })

  test('can be closed and broken by the server', async () => {
    const { wx } = setUp()
    const first = connect(wx)
    const second = connect(wx)
    await settle()

    wx.control.sockets[0]?.close(1001, 'away')
    wx.control.sockets[1]?.break()
    await settle()

    expect(first.heard.slice(2)).toEqual([[1001, 'away']])
    expect(second.heard.slice(2)).toEqual([
      'connectSocket:fail connection reset',
      [1006, 'abnormal closure'],
    ])
  })

  test('does not tell the status that refused a handshake', async () => {
    const handshake = vi.fn(() => 401)
    const { wx } = setUp({ handshake })
    const { heard } = connect(wx)
    await settle()

    expect(handshake).toHaveBeenCalledOnce()
    expect(heard).toEqual([
      'called',
      'connectSocket:fail Invalid HTTP status.',
      [1006, 'abnormal closure'],
    ])
    expect(wx.control.sockets[0]?.state).toBe('closed')
  })

  test('refuses to send before it is open, and a reason that is too long', async () => {
    const { wx } = setUp()
    wx.control.onSocket('/ws', 'hang')
    const { task } = connect(wx)
    const fail = vi.fn()

    task.send({ data: 'early', fail })
    task.close({ reason: 'x'.repeat(124), fail })
    await settle()

    expect(fail.mock.calls.map(([{ errMsg }]) => errMsg)).toEqual([
      'sendSocketMessage:fail WebSocket is not open',
      'closeSocket:fail reason is too long',
    ])
    expect(wx.control.sockets[0]).toMatchObject({ state: 'connecting', received: [] })
  })

  test('allows five at a time', async () => {
    const { wx } = setUp()
    const five = Array.from({ length: 5 }, () => connect(wx))
    const sixth = connect(wx)
    await settle()

    five[0]?.task.close()
    const seventh = connect(wx)
    await settle()

    expect(sixth.heard[0]).toEqual(['failed', 600007])
    expect(seventh.heard).toEqual(['called', 'open'])
  })

  test('goes as scripted', async () => {
    const { wx } = setUp()
    wx.control.onSocket('/ws', 'throw', { times: 1 })
    wx.control.onSocket('/ws', { refuse: 503 }, { times: 1 })
    wx.control.onSocket('/ws', { fail: { errMsg: 'connectSocket:fail x', errno: 7 } }, { times: 1 })
    wx.control.onSocket(({ protocols }) => protocols.includes('slow'), { delayMs: 3_000 })

    expect(() => connect(wx)).toThrow('connectSocket:fail')
    const refused = connect(wx)
    const failed = connect(wx)
    const slow = connect(wx, { protocols: ['slow'] })
    const late = connect(wx, { protocols: ['slow'], timeout: 1_000 })
    await vi.advanceTimersByTimeAsync(2_999)
    const early = slow.heard.length
    await vi.advanceTimersByTimeAsync(1)

    expect(refused.heard[1]).toBe('connectSocket:fail Invalid HTTP status.')
    expect(failed.heard[1]).toBe('connectSocket:fail x')
    expect([early, slow.heard]).toEqual([1, ['called', 'open']])
    expect(late.heard[1]).toBe('connectSocket:fail timeout')
  })

  test('breaks in the background and without a network', async () => {
    const { wx } = setUp()
    const open = connect(wx)
    await settle()

    wx.control.hide()
    const refused = connect(wx)
    await vi.advanceTimersByTimeAsync(5_000)
    const hidden = open.heard.length
    wx.control.show()
    await settle()
    wx.control.offline()
    const offline = connect(wx)
    await settle()

    expect(hidden).toBe(2)
    expect(open.heard.slice(2)).toEqual([
      'connectSocket:fail interrupted',
      [1006, 'abnormal closure'],
    ])
    expect(refused.heard[0]).toEqual(['failed', interrupted])
    expect(offline.heard[0]).toEqual(['failed', 600000])
  })

  test('checks the list of domains for sockets', async () => {
    const { wx } = setUp({ domains: ['https://api.example.com', 'wss://ws.example.com'] })

    const refused = connect(wx)
    const passed = connect(wx, { url: 'wss://ws.example.com/' })
    await settle()

    expect(refused.heard[0]).toEqual(['failed', 600002])
    expect(passed.heard).toEqual(['called', 'open'])
  })
})

describe('wx.cloud.callContainer', () => {
  const call = { path: '/orders', config: { env: 'prod-1' }, header: { 'X-WX-SERVICE': 'shop' } }

  test('hands the call to the container as the gateway does', async () => {
    const seen: FakeContainerRequest[] = []
    const { wx } = setUp({
      container: async (request) => {
        seen.push(request)
        return { statusCode: 401, header: { 'X-A': '1' }, body: '{"a":1}' }
      },
    })
    wx.cloud.init()
    const header = { ...call.header, 'x-wx-source': 'forged' }

    const result = await wx.cloud.callContainer({ ...call, header, method: 'POST', data: { b: 2 } })

    expect(seen).toMatchObject([
      {
        env: 'prod-1',
        service: 'shop',
        path: '/orders',
        method: 'POST',
        body: '{"b":2}',
        user: 'user-1',
        header: { 'x-wx-source': 'wx_client', 'x-wx-appid': 'wx0000000000000001' },
      },
    ])
    expect(result).toEqual({
      data: { a: 1 },
      statusCode: 401,
      header: { 'X-A': '1' },
      cookies: [],
      callID: 'call-1',
      errMsg: 'cloud.callContainer:ok',
    })
    expect(wx.control.requests).toMatchObject([
      { kind: 'callContainer', url: '/orders', method: 'POST', statusCode: 401 },
    ])
  })

  test('reaches the network without a container of its own', async () => {
    const { wx, sent } = setUp()
    wx.cloud.init({ env: 'prod-2' })

    await wx.cloud.callContainer({ path: '/orders', header: call.header, data: { page: 2 } })

    expect(sent[0]?.url).toBe('https://shop.prod-2/orders?page=2')
  })

  test('needs init, and only its first call counts', async () => {
    const { wx } = setUp()

    await expect(wx.cloud.callContainer(call)).rejects.toMatchObject({
      errMsg: expect.stringContaining('wx.cloud.init'),
    })
    wx.cloud.init()
    wx.cloud.init({ env: 'prod-1' })
    await expect(wx.cloud.callContainer({ path: '/orders' })).rejects.toMatchObject({
      errMsg: expect.stringContaining('env not exists'),
    })
    expect(wx.control.calls).toMatchObject({ cloudInit: 2, callContainer: 2 })
  })

  test('gives no task, and takes none of the ten slots', async () => {
    const { wx } = setUp()
    wx.cloud.init()
    for (let count = 0; count < 10; count += 1) {
      wx.control.onRequest('/files', { delayMs: Number.POSITIVE_INFINITY })
      wx.request({ url })
    }
    const success = vi.fn()

    expect(wx.cloud.callContainer({ ...call, success })).toBeUndefined()
    await settle()

    expect(success).toHaveBeenCalledOnce()
  })

  test('is interrupted in the background, and times out when it is told to', async () => {
    const { wx } = setUp()
    wx.cloud.init()
    wx.control.onRequest('/orders', { delayMs: 20_000 })
    const fail = vi.fn()

    wx.cloud.callContainer({ ...call, timeout: 3_000, fail })
    await vi.advanceTimersByTimeAsync(3_000)
    wx.cloud.callContainer({ ...call, fail })
    wx.control.hide()
    await vi.advanceTimersByTimeAsync(5_000)
    wx.control.show()
    await settle()

    expect(fail.mock.calls.map(([{ errMsg }]) => errMsg)).toEqual([
      'cloud.callContainer:fail timeout',
      'cloud.callContainer:fail interrupted',
    ])
  })
})

describe('wx.getBackgroundFetchData', () => {
  const asking = { fetchType: 'pre' }

  test('gives what was fetched, when, and for which page', async () => {
    const { wx } = setUp()
    wx.control.prefetch({ a: 1 }, { timeStamp: 5 })

    expect(await wx.getBackgroundFetchData(asking)).toEqual({
      fetchedData: '{"a":1}',
      timeStamp: 5,
      path: 'pages/index/index',
      query: '',
      scene: 1001,
      errMsg: 'getBackgroundFetchData:ok',
    })
  })

  test('fails when nothing was fetched, or nothing of this kind', async () => {
    const { wx } = setUp()
    const failed = { errMsg: 'getBackgroundFetchData:fail record is null' }

    await expect(wx.getBackgroundFetchData(asking)).rejects.toEqual(failed)
    wx.control.prefetch('text')
    await expect(wx.getBackgroundFetchData({ fetchType: 'periodic' })).rejects.toEqual(failed)
    wx.control.prefetch('')
    expect(await wx.getBackgroundFetchData(asking)).toMatchObject({ fetchedData: '' })
  })

  test('still gives the old data after a restart', async () => {
    const { wx } = setUp()
    wx.control.prefetch('old')

    const restarted = wx.control.restart()

    expect(await restarted.getBackgroundFetchData(asking)).toMatchObject({ fetchedData: 'old' })
    expect(restarted.control.calls.getBackgroundFetchData).toBe(1)
  })

  test('can hang, throw and be late', async () => {
    const { wx } = setUp()
    const success = vi.fn()

    wx.control.prefetch('x', { behaviour: 'hang' })
    wx.getBackgroundFetchData({ ...asking, success })
    wx.control.prefetch('x', { behaviour: 'throw' })
    expect(() => wx.getBackgroundFetchData(asking)).toThrow('getBackgroundFetchData:fail')
    wx.control.prefetch('late', { behaviour: { afterMs: 400 } })
    wx.getBackgroundFetchData({ ...asking, success })
    await vi.advanceTimersByTimeAsync(399)
    const early = success.mock.calls.length
    await vi.advanceTimersByTimeAsync(3_600_000)

    expect(early).toBe(0)
    expect(success).toHaveBeenCalledExactlyOnceWith(
      expect.objectContaining({ fetchedData: 'late' }),
    )
  })
})

test.each(['cloud', 'getBackgroundFetchData', 'onAppHide', 'connectSocket'])(
  'an old base library can lack %s',
  (name) => {
    expect(name in createFakeWx({ omit: [name] })).toBe(false)
  },
)

test('an ended process has no sockets and no transfers', async () => {
  const { wx } = setUp()
  const { heard } = connect(wx)
  await settle()
  const uploaded = vi.fn()
  wx.control.onRequest('/files', { delayMs: 1_000 })
  wx.uploadFile({ url, filePath: 'wxfile://photo.png', name: 'photo', complete: uploaded })

  const restarted = wx.control.restart()
  await vi.advanceTimersByTimeAsync(10_000)

  expect(heard).toEqual(['called', 'open'])
  expect(uploaded).not.toHaveBeenCalled()
  expect(wx.control.sockets[0]?.state).toBe('closed')
  expect(restarted.control.files.has('wxfile://photo.png')).toBe(true)
})
