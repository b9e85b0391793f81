import type {
  FakeDownloadOptions,
  FakeNetworkRequest,
  FakeUploadOptions,
  FakeWx,
  FakeWxOptions,
} from '@wxlogin/client/testing'
import { createFakeWx } from '@wxlogin/client/testing'
import { describe, expect, test, vi } from 'vitest'
import { listen, settle, setUp, useFakeTime } from './fake-wx-set-up.js'

const url = 'https://files.example.com/cats'
const photo = { filePath: 'wxfile://tmp_cat.png', name: 'photo' }

/** What `success` or `fail` got. */
async function upload(wx: FakeWx, options: Partial<FakeUploadOptions> = {}): Promise<unknown> {
  return new Promise((resolve) => {
    wx.uploadFile({ url, ...photo, ...options, success: resolve, fail: resolve })
  })
}

async function download(wx: FakeWx, options: Partial<FakeDownloadOptions> = {}): Promise<unknown> {
  return new Promise((resolve) => {
    wx.downloadFile({ url, ...options, success: resolve, fail: resolve })
  })
}

/** The form that a server would read. */
async function formOf({ header, body }: Pick<FakeNetworkRequest, 'header' | 'body'>) {
  return new Response(body ?? '', { headers: { ...header } }).formData()
}

describe('wx.uploadFile', () => {
  test('posts a form of the fields and the file', async () => {
    const { wx, sent } = setUp()
    wx.control.files.set(photo.filePath, 'a cat')

    await upload(wx, { formData: { album: 'pets', size: 3, tags: ['cute'] } })

    const [request] = sent
    const form = await formOf(request as FakeNetworkRequest)
    const file = form.get('photo') as File
    expect(request).toMatchObject({ url, method: 'POST' })
    expect([...form.keys()]).toEqual(['album', 'size', 'tags', 'photo'])
    expect([form.get('album'), form.get('size'), form.get('tags')]).toEqual([
      'pets',
      '3',
      '["cute"]',
    ])
    expect([file.name, await file.text()]).toEqual(['tmp_cat.png', 'a cat'])
  })

  test('sends bytes as they are', async () => {
    const { wx, sent } = setUp()
    const bytes = Uint8Array.from([0, 13, 10, 45, 45, 255])
    wx.control.files.set(photo.filePath, bytes.buffer)

    await upload(wx)

    const file = (await formOf(sent[0] as FakeNetworkRequest)).get('photo') as File
    expect(new Uint8Array(await file.arrayBuffer())).toEqual(bytes)
  })

  test('takes a path that nobody wrote to for an empty file', async () => {
    const { wx, sent } = setUp()

    await upload(wx)

    const file = (await formOf(sent[0] as FakeNetworkRequest)).get('photo') as File
    expect(file.size).toBe(0)
  })

  test('keeps a quote or a line break from ending a name', async () => {
    const { wx, sent } = setUp()

    await upload(wx, { name: 'a"b', formData: { 'c\r\nd': 1 } })

    const body = Buffer.from(sent[0]?.body as ArrayBuffer).toString()
    expect(body).toContain('name="a%22b"')
    expect(body).toContain('name="c%0D%0Ad"')
  })

  test('describes the upload for a network that does not read forms', async () => {
    const { wx, sent } = setUp()

    await upload(wx, { formData: { size: 3 } })

    expect(sent[0]?.upload).toEqual({ ...photo, formData: { size: '3' } })
  })

  test('arrives at a real server', async () => {
    const { origin } = await listen(async ({ method, headers }, body) => {
      const form = await new Response(Uint8Array.from(body), {
        headers: { 'content-type': String(headers['content-type']) },
      }).formData()
      const file = form.get('photo') as File
      return { body: `${method} ${form.get('album')} ${await file.text()}` }
    })
    const wx = createFakeWx()
    wx.control.files.set(photo.filePath, 'a cat')

    const result = await upload(wx, { url: origin, formData: { album: 'pets' } })

    expect(result).toEqual({
      data: 'POST pets a cat',
      statusCode: 418,
      errMsg: 'uploadFile:ok',
    })
  })

  test('writes content type and Referer itself', async () => {
    const { wx, sent } = setUp()

    await upload(wx, {
      header: { 'Content-Type': 'application/json', Referer: 'https://evil.example', 'X-A': '1' },
    })

    expect(sent[0]?.header).toEqual({
      'x-a': '1',
      referer: 'https://servicewechat.com/wx0000000000000001/0/page-frame.html',
      'content-type': expect.stringMatching(/^multipart\/form-data; boundary=\S+$/),
    })
  })

  test('never parses the answer', async () => {
    const body = new TextEncoder().encode('{"a":"é"}').buffer
    const { wx } = setUp({ network: async () => ({ statusCode: 201, header: { b: '1' }, body }) })

    expect(await upload(wx)).toEqual({
      data: '{"a":"é"}',
      statusCode: 201,
      errMsg: 'uploadFile:ok',
    })
  })

  test('tells the progress before the headers, and these before success', async () => {
    const { wx } = setUp({
      network: async () => ({ statusCode: 200, header: { 'x-a': '1' }, body: '' }),
    })
    const heard: unknown[] = []
    const gone = vi.fn()

    await new Promise<void>((resolve) => {
      const task = wx.uploadFile({ url, ...photo, success: () => resolve() })
      task.onProgressUpdate((progress) => heard.push(progress))
      task.onHeadersReceived(({ header }) => heard.push(header))
      task.onProgressUpdate(gone)
      task.offProgressUpdate(gone)
      task.onHeadersReceived(gone)
      task.offHeadersReceived(gone)
    })

    expect(heard).toEqual([
      {
        progress: 100,
        totalBytesSent: expect.any(Number),
        totalBytesExpectedToSend: expect.any(Number),
      },
      { 'x-a': '1' },
    ])
    expect(gone).not.toHaveBeenCalled()
  })

  test('has sent everything although the answer is lost', async () => {
    const { wx, sent } = setUp()
    wx.control.onRequest('/cats', 'drop-answer')
    const onProgress = vi.fn()
    const fail = vi.fn()

    wx.uploadFile({ url, ...photo, fail }).onProgressUpdate(onProgress)
    await settle()

    const { body } = sent[0] as { body: ArrayBuffer }
    const bytes = body.byteLength
    expect(onProgress).toHaveBeenCalledExactlyOnceWith({
      progress: 100,
      totalBytesSent: bytes,
      totalBytesExpectedToSend: bytes,
    })
    expect(fail).toHaveBeenCalledExactlyOnceWith({ errMsg: 'uploadFile:fail timeout', errno: 5 })
  })
})

describe('wx.downloadFile', () => {
  test('puts the body into a temporary file', async () => {
    const { wx, sent } = setUp()

    const result = await download(wx, { url: `${url}/tom.png?size=3` })

    const [path] = [...wx.control.files.keys()]
    expect(path).toMatch(/^wxfile:\/\/tmp_[0-9a-f]{32}\.png$/)
    expect(result).toEqual({ tempFilePath: path, statusCode: 200, errMsg: 'downloadFile:ok' })
    expect(wx.control.files.get(String(path))).toBe('{"hello":"world"}')
    expect(sent).toMatchObject([{ url: `${url}/tom.png?size=3`, method: 'GET' }])
    expect(sent[0]).not.toHaveProperty('body')
  })

  test('puts it where the app says', async () => {
    const { wx } = setUp()
    const filePath = 'wxfile://usr/tom.json'

    const result = await download(wx, { filePath })

    expect(result).toEqual({ filePath, statusCode: 200, errMsg: 'downloadFile:ok' })
    expect([...wx.control.files]).toEqual([[filePath, '{"hello":"world"}']])
  })

  test('never uses a temporary path twice', async () => {
    const { wx } = setUp()

    await download(wx)
    await download(wx)

    expect(wx.control.files.size).toBe(2)
  })

  test('takes an error for a success, and its body for the file', async () => {
    const { wx } = setUp({ network: async () => ({ statusCode: 401, header: {}, body: 'no' }) })

    const result = await download(wx, { filePath: 'wxfile://usr/tom' })

    expect(result).toMatchObject({ statusCode: 401 })
    expect(wx.control.files.get('wxfile://usr/tom')).toBe('no')
  })

  test('tells headers and progress before success', async () => {
    const body = Uint8Array.from([1, 2, 3]).buffer
    const { wx } = setUp({
      network: async () => ({ statusCode: 200, header: { 'x-a': ['1', '2'] }, body }),
    })
    const heard: unknown[] = []
    const gone = vi.fn()

    await new Promise<void>((resolve) => {
      const task = wx.downloadFile({ url, success: () => resolve() })
      task.onHeadersReceived(({ header }) => heard.push(header))
      task.onProgressUpdate((progress) => heard.push(progress))
      task.onProgressUpdate(gone)
      task.onHeadersReceived(gone)
      task.offProgressUpdate()
      task.offHeadersReceived(gone)
      task.onProgressUpdate((progress) => heard.push(progress))
    })

    expect(heard).toEqual([
      { 'x-a': '1,2' },
      { progress: 100, totalBytesWritten: 3, totalBytesExpectedToWrite: 3 },
    ])
    expect(gone).not.toHaveBeenCalled()
  })

  test('sends the header it was given, with a Referer of its own', async () => {
    const { wx, sent } = setUp()

    await download(wx, { header: { Authorization: 'Bearer x', referer: 'https://evil.example' } })

    expect(sent[0]?.header).toEqual({
      authorization: 'Bearer x',
      referer: 'https://servicewechat.com/wx0000000000000001/0/page-frame.html',
    })
  })

  test('leaves files that outlive a restart', async () => {
    const { wx } = setUp()
    await download(wx, { filePath: 'wxfile://usr/tom' })

    const restarted = wx.control.restart()

    expect(restarted.control.files.get('wxfile://usr/tom')).toBe('{"hello":"world"}')
  })
})

describe.each([
  {
    name: 'uploadFile',
    kind: 'upload',
    run: upload,
    start: (wx: FakeWx, options: { timeout?: number; fail?: () => void } = {}) =>
      wx.uploadFile({ url, ...photo, ...options }),
    listed: (list: string[]): FakeWxOptions => ({ uploadDomains: list }),
  },
  {
    name: 'downloadFile',
    kind: 'download',
    run: download,
    start: (wx: FakeWx, options: { timeout?: number; fail?: () => void } = {}) =>
      wx.downloadFile({ url, ...options }),
    listed: (list: string[]): FakeWxOptions => ({ downloadDomains: list }),
  },
])('wx.$name, like wx.request,', ({ name, kind, run, start, listed }) => {
  test('returns a task and no promise', () => {
    const { wx } = setUp()

    const task = start(wx)

    expect(task.abort).toBeTypeOf('function')
    expect(task).not.toHaveProperty('then')
  })

  test('calls back success and then complete, in a later turn', async () => {
    const { wx } = setUp()
    const heard: string[] = []
    const callbacks = {
      success: () => heard.push('success'),
      fail: () => heard.push('fail'),
      complete: () => heard.push('complete'),
    }

    start(wx, callbacks)
    heard.push('returned')
    await settle()

    expect(heard).toEqual(['returned', 'success', 'complete'])
  })

  test('is refused outside of its own list of domains', async () => {
    const { wx, sent } = setUp(listed(['https://other.example.com']))

    const failed = await run(wx)

    expect(failed).toEqual({ errMsg: `${name}:fail url not in domain list`, errno: 600002 })
    expect(sent).toEqual([])
  })

  test('asks no other list of domains', async () => {
    const elsewhere = ['https://other.example.com']
    const { wx } = setUp({
      domains: elsewhere,
      uploadDomains: elsewhere,
      downloadDomains: elsewhere,
      ...listed(['https://Files.example.com']),
    })

    expect(await run(wx)).toMatchObject({ statusCode: 200 })
  })

  test('refuses an address that is none', async () => {
    const { wx } = setUp()

    expect(await run(wx, { url: '/cats' })).toEqual({
      errMsg: `${name}:fail invalid url`,
      errno: 600009,
    })
  })

  test('fails when the connection breaks', async () => {
    const { wx } = setUp({
      network: async () => Promise.reject(Object.assign(new Error('cut'), { code: 'ECONNRESET' })),
    })

    expect(await run(wx)).toEqual({
      errMsg: `${name}:fail -101:net::ERR_CONNECTION_RESET`,
      errno: 600001,
    })
  })

  test('fails without a network', async () => {
    const { wx } = setUp()
    wx.control.offline()

    expect(await run(wx)).toEqual({
      errMsg: `${name}:fail 似乎已断开与互联网的连接。`,
      errno: 600000,
    })
  })

  test('fails once with abort, and ends the connection', async () => {
    const signals: AbortSignal[] = []
    const { wx } = setUp({
      network: ({ signal }) => {
        signals.push(signal)
        return new Promise(() => undefined)
      },
    })
    const fail = vi.fn()

    const task = start(wx, { fail })
    task.abort()
    task.abort()
    await settle()

    expect(fail).toHaveBeenCalledExactlyOnceWith({ errMsg: `${name}:fail abort` })
    expect(signals.map(({ aborted }) => aborted)).toEqual([true])
  })

  test('is recorded by its kind', async () => {
    const { wx } = setUp()

    await run(wx, { header: { 'X-A': '1' } })

    expect(wx.control.calls[name as 'uploadFile']).toBe(1)
    expect(wx.control.requests).toMatchObject([
      { kind, url, header: { 'x-a': '1' }, statusCode: 200, durationMs: expect.any(Number) },
    ])
  })

  test('obeys orders', async () => {
    const { wx, sent } = setUp()
    const fail = { errMsg: `${name}:fail x`, errno: 7 }
    wx.control.onRequest('/cats', { fail }, { times: 1 })
    wx.control.onRequest((request) => request.kind === kind, 'throw', { times: 1 })
    wx.control.onRequest('/cats', { respond: { statusCode: 503 } }, { times: 1 })

    const failed = await run(wx)
    expect(() => start(wx)).toThrow(`${name}:fail`)
    const answered = await run(wx)

    expect(failed).toEqual(fail)
    expect(answered).toMatchObject({ statusCode: 503 })
    expect(sent).toEqual([])
  })

  test('shares ten connections with wx.request', async () => {
    const waiting: (() => void)[] = []
    const { wx } = setUp({
      network: () =>
        new Promise((resolve) => {
          waiting.push(() => resolve({ statusCode: 200, header: {}, body: '' }))
        }),
    })
    for (let count = 0; count < 9; count += 1) wx.request({ url })
    start(wx)

    const last = run(wx)
    await settle()
    const atFirst = waiting.length
    waiting[9]?.()
    await settle()
    waiting[10]?.()

    expect(atFirst).toBe(10)
    expect(await last).toMatchObject({ statusCode: 200 })
  })

  describe('in time,', () => {
    useFakeTime()

    test.each([
      ['after 60 seconds by itself', {}, 60_000],
      ['when its option says so', { timeout: 100 }, 100],
    ])('times out %s', async (_, options, timeoutMs) => {
      const { wx } = setUp({ network: () => new Promise(() => undefined) })
      const fail = vi.fn()
      start(wx, { ...options, fail })

      await vi.advanceTimersByTimeAsync(timeoutMs - 1)
      const early = fail.mock.calls.length
      await vi.advanceTimersByTimeAsync(1)

      expect(early).toBe(0)
      expect(fail).toHaveBeenCalledExactlyOnceWith({ errMsg: `${name}:fail timeout`, errno: 5 })
    })

    test('is interrupted by 5 seconds in the background, and hears of it in the foreground', async () => {
      const { wx } = setUp()
      wx.control.onRequest('/cats', { delayMs: 6_000 })
      const fail = vi.fn()
      start(wx, { fail })

      wx.control.hide()
      await vi.advanceTimersByTimeAsync(600_000)
      const hidden = fail.mock.calls.length
      wx.control.show()
      await settle()

      expect(hidden).toBe(0)
      expect(fail).toHaveBeenCalledExactlyOnceWith({
        errMsg: `${name}:fail interrupted`,
        errno: 600003,
      })
    })

    test('fails when it is new in the background', async () => {
      const { wx, sent } = setUp()
      wx.control.hide()

      expect(await run(wx)).toEqual({ errMsg: `${name}:fail interrupted`, errno: 600003 })
      expect(sent).toEqual([])
    })

    test('leaves no timer behind', async () => {
      const { wx } = setUp()

      await run(wx)

      expect(vi.getTimerCount()).toBe(0)
    })
  })
})
