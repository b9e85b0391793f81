import { createClient } from '@wxlogin/client/full'
import { createFakeWx, type FakeWx } from '@wxlogin/client/testing'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createBackend } from './backend.js'
import { baseUrl, outcomes, times } from './set-up.js'

let unhandled: unknown[] = []
const remember = (reason: unknown) => unhandled.push(reason)

beforeEach(() => {
  unhandled = []
  process.on('unhandledRejection', remember)
})

afterEach(async () => {
  await new Promise((resolve) => setTimeout(resolve, 0))
  process.off('unhandledRejection', remember)
  expect(unhandled).toEqual([])
})

type Options = { [name: string]: unknown }
type Call = (options: Options) => object | undefined

const taskMethods = [
  'abort',
  'onHeadersReceived',
  'offHeadersReceived',
  'onProgressUpdate',
  'offProgressUpdate',
  'onChunkReceived',
  'offChunkReceived',
]

/** As Taro 4 wraps `wx`: a promise beside the callbacks, which carries the task's methods; for sockets nothing but it. */
function taro(wx: FakeWx): FakeWx {
  const promised = (name: string): Call => {
    const native = Reflect.get(wx, name) as Call
    return (options) => {
      let task: Options | undefined
      const promise: object = new Promise((resolve, reject) => {
        const call = (name: string, then: (result: unknown) => void) => (result: unknown) => {
          ;(options[name] as ((result: unknown) => void) | undefined)?.(result)
          then(result)
        }
        task = native({
          ...options,
          success: call('success', (result) => resolve(name === 'connectSocket' ? task : result)),
          fail: call('fail', reject),
        }) as Options
      })
      for (const method of taskMethods) {
        if (task && method in task) Object.assign(promise, { [method]: task[method] })
      }
      return promise
    }
  }
  const calls = ['login', 'request', 'uploadFile', 'downloadFile', 'connectSocket']
  return Object.assign(
    { ...wx, miniGlobal: wx },
    Object.fromEntries([...calls, 'getBackgroundFetchData'].map((name) => [name, promised(name)])),
  ) as FakeWx
}

/** As uni wraps `wx`: a proxy without members of its own, options and results copied, a promise without callbacks. */
function uni(wx: FakeWx): FakeWx {
  const copied = (value: unknown) =>
    typeof value === 'object' && value !== null ? { ...value } : value
  return new Proxy({} as FakeWx, {
    get(_, name) {
      const member = Reflect.get(wx, name)
      if (typeof member !== 'function' || /^(on|off)|Sync$/.test(String(name))) return member
      return (options: Options) => {
        const wrapped = Object.fromEntries(
          Object.entries(options).map(([key, value]) => [
            key,
            typeof value === 'function' ? (result: unknown) => value(copied(result)) : value,
          ]),
        )
        if (options.success || options.fail || options.complete) return member(wrapped)
        return new Promise((success, fail) => member({ ...wrapped, success, fail }))
      }
    },
  })
}

/** As uni does while an interceptor is at work: the call is made later, and the task is inside a promise. */
function uniWithInterceptor(wx: FakeWx): FakeWx {
  const wrapped = uni(wx)
  const later =
    (name: 'request' | 'uploadFile' | 'downloadFile') =>
    async (options: never): Promise<object> => {
      await undefined
      return wrapped[name](options)
    }
  return new Proxy(wrapped, {
    get: (target, name) =>
      name === 'request' || name === 'uploadFile' || name === 'downloadFile'
        ? later(name)
        : Reflect.get(target, name),
  })
}

function setUp(wrap: (wx: FakeWx) => FakeWx) {
  const backend = createBackend()
  const { wechat, network, handshake } = backend
  const wx = createFakeWx({ wechat, network, handshake })
  wx.control.files.set('a', 'pixels')
  const client = createClient({ baseUrl, wx: wrap(wx) })
  return { backend, wx, client }
}

const frameworks = [
  ['Taro', taro],
  ['uni', uni],
  ['uni with an interceptor', uniWithInterceptor],
] as const

test.each(frameworks)('%s logs in, sends, renews and signs out', async (_, wrap) => {
  const { client, backend, wx } = setUp(wrap)

  expect((await client.launch())?.userId).toBe('user-1')
  backend.expireAccess()
  await wx.control.storage.set(
    'wxlogin',
    String(wx.control.storage.get('wxlogin')).replace(/("askedMs\\":)\d+/, '$10'),
  )
  expect(await outcomes(times(5, () => client.request({ url: '/orders' })))).toEqual(
    times(5, () => 'ok'),
  )
  await client.logout()

  expect(backend.seen('/wx/refresh')).toHaveLength(1)
  expect(backend.livingSessions()).toBe(0)
})

test.each(frameworks)('%s uploads and downloads', async (_, wrap) => {
  const { client } = setUp(wrap)

  const { data } = await client.uploadFile<{ user: string }>({
    url: '/photos',
    filePath: 'a',
    name: 'photo',
  })
  const { tempFilePath } = await client.downloadFile({ url: '/photos' })

  expect(data.user).toBe('user-1')
  expect(tempFilePath).toMatch(/^wxfile:/)
})

test.each(frameworks.slice(0, 2))('%s hands on listeners and abort', async (_, wrap) => {
  const { client, wx } = setUp(wrap)
  const headers = vi.fn()
  const progress = vi.fn()
  const upload = client.uploadFile({ url: '/photos', filePath: 'a', name: 'photo' })
  upload.onHeadersReceived(headers)
  upload.onProgressUpdate(({ progress: percent }) => progress(percent))
  await upload
  wx.control.onRequest('/hang', 'hang')
  const request = client.request({ url: '/hang' })
  const outcome = outcomes([request])
  await new Promise((resolve) => setTimeout(resolve, 0))

  request.abort()

  expect(await outcome).toEqual(['aborted'])
  expect(wx.control.requests.at(-1)?.errMsg).toBe('request:fail abort')
  expect(headers).toHaveBeenCalledOnce()
  expect(progress).toHaveBeenCalledExactlyOnceWith(100)
})

test.each(frameworks)('%s opens sockets', async (_, wrap) => {
  const { client, wx } = setUp(wrap)
  const onReopen = vi.fn()

  const socket = await client.connectSocket({ url: '/ws', onReopen })
  socket.send({ data: 'ping' })
  wx.control.sockets[0]?.break()
  await new Promise((resolve) => setTimeout(resolve, 0))

  expect(wx.control.sockets[0]).toMatchObject({
    received: ['ping'],
    header: { authorization: 'Bearer access-1-session1' },
  })
  expect(onReopen).toHaveBeenCalledExactlyOnceWith('closed')
})

test.each(frameworks)(
  '%s reports failures once, and leaves no rejection unhandled',
  async (_, wrap) => {
    const { client, wx } = setUp(wrap)
    wx.control.onLogin({ fail: { errMsg: 'login:fail', errno: 1000 } }, { times: 1 })
    wx.control.onRequest('/slow', { fail: { errMsg: 'request:fail timeout', errno: 5 } })
    wx.control.onRequest('/broken', 'throw')
    wx.control.onSocket('/ws', { refuse: 503 })

    expect(await outcomes([client.login()])).toEqual(['network'])
    await client.login()
    const failing = [
      client.request({ url: '/slow' }),
      client.request({ url: '/broken' }),
      client.downloadFile({ url: '/broken' }),
      client.connectSocket({ url: '/ws' }),
    ]

    expect(await outcomes(failing)).toEqual(['timeout', 'network', 'network', 'network'])
  },
)

test.each(frameworks.slice(0, 2))('%s takes over a fetched login', async (_, wrap) => {
  const { backend, wx } = setUp(wrap)
  wx.control.prefetch(backend.prefetchFor('user-1', 'hello'))
  const again = wx.control.restart()

  const client = createClient({ baseUrl, wx: wrap(again) })

  expect((await client.launch())?.userId).toBe('user-1')
  expect(client.prefetched()).toBe('hello')
  expect(again.control.calls.login).toBe(0)
})

test.each(frameworks)('%s calls the container', async (_, wrap) => {
  const { backend, wx } = setUp(wrap)
  const client = createClient({ container: { env: 'prod-1', service: 'shop' }, wx: wrap(wx) })

  const { data } = await client.request<{ user: string }>({ url: '/orders' })

  expect(data.user).toBe('user-1')
  expect(wx.control.requests.map(({ kind }) => kind)).toEqual(['callContainer', 'callContainer'])
  expect(backend.seen('/wx/login')).toHaveLength(1)
})

test('a runtime that cannot tell its AppID has to be told it', () => {
  const { wx } = setUp(uni)
  const { getAccountInfoSync: _, ...lacking } = wx

  expect(() => createClient({ baseUrl, wx: lacking })).toThrow(TypeError)
  expect(() => createClient({ baseUrl, wx: lacking, appId: 'wx1' })).not.toThrow()
})
