import type { Client } from '@wxlogin/client'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { json } from '../backend.js'
import { run } from '../documented.js'
import { baseUrl, outcomes, setUpFull, times } from '../set-up.js'

// Runs the very code that docs/request-layers.md shows, with the real packages; `npm run layers` brings them.
const packages = process.env.WXLOGIN_LAYERS
const document = 'docs/request-layers.md'

interface Answer {
  readonly user: string
  readonly path: string
}

/** A request layer as the app sees it. */
interface Layer {
  get(url: string): Promise<Answer>
  upload(url: string): Promise<Answer>
  /** Counts what the app's own handlers see, and takes the answer out for the page. */
  countAnswers(count: () => void): void
}

type Answered = { readonly data: unknown }
type Handler = (value: never) => unknown
interface Interceptors {
  readonly response: { use(onFulfilled: Handler, onRejected?: Handler): void }
}

interface Luch {
  readonly interceptors: Interceptors
  get(url: string): Promise<Answered>
  upload(url: string, config: object): Promise<Answered>
}
interface Axios {
  readonly interceptors: Interceptors
  get(url: string): Promise<Answered>
  upload(url: string, data: undefined, config: object): Promise<Answered>
}
interface Method<T> extends Promise<T> {
  send(isForced: boolean): Promise<T>
  abort(): void
  onUpload(listener: () => void): void
}
interface Alova {
  readonly options: { responded?: Handler }
  Get<T>(url: string, config?: object): Method<T>
  Post<T>(url: string, data: object, config: object): Method<T>
}

const answerIn = (data: unknown) => (typeof data === 'string' ? JSON.parse(data) : data) as Answer
const file = { filePath: 'wxfile://a', name: 'a' }

const layers = {
  luch: {
    text: 'new Request({ baseURL: baseUrl })',
    layerOf({ http }: { readonly http: Luch }): Layer {
      const read = ({ data }: Answered) => answerIn(data)
      return {
        get: (url) => http.get(url).then(read),
        upload: (url) => http.upload(url, { ...file }).then(read),
        countAnswers: (count) => countIn(http.interceptors, count),
      }
    },
  },
  alova: {
    text: 'createAlova({',
    layerOf({ alova }: { readonly alova: Alova }): Layer {
      const read = ({ data }: Answered) => answerIn(data)
      return {
        get: (url) => alova.Get<Answered>(url, { cacheFor: 0, shareRequest: false }).then(read),
        upload: (url) =>
          alova.Post<Answered>(url, { ...file }, { requestType: 'upload' }).then(read),
        countAnswers(count) {
          alova.options.responded = ({ data }: Answered) => {
            count()
            return { data }
          }
        },
      }
    },
  },
  axios: {
    text: 'axios.create({',
    layerOf({ api }: { readonly api: Axios }): Layer {
      const read = ({ data }: Answered) => answerIn(data)
      return {
        get: (url) => api.get(url).then(read),
        upload: (url) => api.upload(url, undefined, file).then(read),
        countAnswers: (count) => countIn(api.interceptors, count),
      }
    },
  },
} as const

function countIn({ response }: Interceptors, count: () => void): void {
  const passOn = (answer: unknown) => {
    count()
    return answer
  }
  response.use(passOn, (error) => {
    count()
    throw error
  })
}

/** A phone on which the documented code runs: the client's module is ours, `uni` is the phone. */
async function setUp<Exports>(
  texts: Readonly<Record<string, string>>,
  modules: Readonly<Record<string, unknown>> = {},
) {
  if (!packages) throw new Error('The packages are missing: start this by `npm run layers`')
  const setting = setUpFull()
  const { wx, client } = setting
  wx.control.files.set(file.filePath, 'pixels')
  const asked = { token: 0, refused: 0 }
  const counted: Client = {
    ...client,
    token: () => {
      asked.token += 1
      return client.token()
    },
    refused: (token) => {
      asked.refused += 1
      return client.refused(token)
    },
  }
  // alova's cache looks for what it has stored.
  const uni = { ...wx, getStorageInfoSync: () => ({ keys: [...wx.control.storage.keys()] }) }
  const exports = await run<Exports>(
    document,
    { tokens: 'function passFor', ...texts },
    { globals: { uni, wx }, modules: { ...modules, client: { client: counted } }, packages },
  )
  return { ...setting, exports, asked }
}

async function setUpLayer(name: keyof typeof layers) {
  const { text, layerOf } = layers[name]
  const setting = await setUp({ [name]: text })
  return { ...setting, layer: layerOf(setting.exports as never) }
}

/** A user who is logged in, and whose access token the backend no longer takes. */
async function withExpiredToken(name: keyof typeof layers) {
  const setting = await setUpLayer(name)
  await setting.client.login()
  vi.advanceTimersByTime(60_000)
  setting.backend.expireAccess()
  return setting
}

beforeEach(() => {
  vi.useFakeTimers()
})

afterEach(() => {
  vi.useRealTimers()
})

describe.each(['luch', 'alova', 'axios'] as const)('%s', (name) => {
  test('ten requests at a first start are one login', async () => {
    const { layer, backend } = await setUpLayer(name)

    const answers = await Promise.all(times(10, (n) => layer.get(`/orders/${n}`)))

    expect(answers.map(({ user }) => user)).toEqual(times(10, () => 'user-1'))
    expect(backend.seen('/wx/login')).toHaveLength(1)
  })

  test('ten requests on an expired token are one renewal and ten answers', async () => {
    const { layer, backend, asked } = await withExpiredToken(name)

    const answers = await Promise.all(times(10, (n) => layer.get(`/orders/${n}`)))

    expect(answers).toEqual(times(10, (n) => ({ user: 'user-1', path: `/orders/${n}` })))
    expect(backend.seen('/wx/refresh')).toHaveLength(1)
    expect(backend.seen('/wx/login')).toHaveLength(1)
    expect(asked.refused).toBe(10)
    expect(times(10, (n) => backend.seen(`/orders/${n}`).length)).toEqual(times(10, () => 2))
  })

  test('ten requests on a dead session are one login and ten answers', async () => {
    const { layer, backend } = await setUpLayer(name)
    await layer.get('/first')
    vi.advanceTimersByTime(60_000)
    backend.endSessions('unknown')

    const answers = await Promise.all(times(10, (n) => layer.get(`/orders/${n}`)))

    expect(answers.map(({ user }) => user)).toEqual(times(10, () => 'user-1'))
    expect(backend.seen('/wx/refresh')).toHaveLength(1)
    expect(backend.seen('/wx/login')).toHaveLength(2)
  })

  test('a token that is refused again is not sent a third time', async () => {
    const { layer, backend, asked } = await withExpiredToken(name)
    backend.answer('/orders', json(401, { error: 'invalid_token' }))

    const results = await Promise.allSettled(times(10, () => layer.get('/orders')))

    expect(backend.seen('/orders')).toHaveLength(20)
    expect(asked.refused).toBe(10)
    expect(backend.seen('/wx/refresh')).toHaveLength(1)
    if (name !== 'alova') expect(results.every(({ status }) => status === 'rejected')).toBe(true)
  })

  test("a route's own 401 is passed on and renews nothing", async () => {
    const { layer, backend, asked } = await withExpiredToken(name)
    backend.answer('/orders', json(401, { error: 'wrong_pin' }))

    await Promise.allSettled([layer.get('/orders')])

    expect(backend.seen('/orders')).toHaveLength(1)
    expect(asked.refused).toBe(0)
  })

  test('other hosts get no token, also one whose name begins like ours', async () => {
    const { layer, wx, asked } = await setUpLayer(name)

    for (const url of [
      'https://elsewhere.example.org/a',
      `${baseUrl}.evil.org/a`,
      `${baseUrl}@evil.org/a`,
      `${baseUrl}:8443/a`,
      'http://api.example.com/a',
    ]) {
      await Promise.allSettled([layer.get(url)])
    }

    expect(wx.control.requests).toHaveLength(5)
    expect(wx.control.requests.map(({ header }) => header.authorization)).toEqual(
      times(5, () => undefined),
    )
    expect(asked).toEqual({ token: 0, refused: 0 })
  })

  test('an absolute url of ours gets one', async () => {
    const { layer } = await setUpLayer(name)

    expect((await layer.get(`${baseUrl}/orders`)).user).toBe('user-1')
  })

  test('nothing is sent for who is signed out', async () => {
    const { layer, client, backend } = await setUpLayer(name)
    await client.logout()

    expect(await outcomes([layer.get('/orders')])).toEqual(['signed_out'])
    expect(backend.seen('/orders')).toEqual([])
  })

  test('a request is not repeated as another user', async () => {
    const { layer, client, wx, backend } = await withExpiredToken(name)
    wx.control.onRequest('/orders', { delayMs: 1_000 })
    const orders = outcomes([layer.get('/orders')])
    await vi.waitFor(() => expect(backend.seen('/orders')).toHaveLength(1))

    wx.control.switchUser('user-2')
    await client.login()
    await vi.advanceTimersByTimeAsync(1_000)
    await orders

    expect(client.session()?.userId).toBe('user-2')
    expect(backend.seen('/orders')).toHaveLength(1)
  })

  test("the app's own handlers see one answer a request", async () => {
    const { layer } = await withExpiredToken(name)
    const count = vi.fn()
    layer.countAnswers(count)

    const { user } = await layer.get('/orders')

    expect(user).toBe('user-1')
    expect(count).toHaveBeenCalledTimes(1)
  })

  test('a file is sent once more', async () => {
    const { layer, backend } = await withExpiredToken(name)

    const { user } = await layer.upload('/photos')

    expect(user).toBe('user-1')
    expect(backend.seen('/photos')).toHaveLength(2)
  })
})

describe('alova', () => {
  async function setUpAlova() {
    const setting = await setUp<{ readonly alova: Alova }>({
      alova: layers.alova.text,
      'empties-cache': 'invalidateCache()',
    })
    return { ...setting, alova: setting.exports.alova }
  }

  test('a request that is aborted while it waits for the login is not sent', async () => {
    const { alova, wx, backend } = await setUpAlova()
    wx.control.onRequest('/wx/login', { delayMs: 1_000 })
    const orders = alova.Get<Answered>('/orders')
    const result = outcomes([orders.send(true)])
    await vi.waitFor(() => expect(wx.control.calls.login).toBe(1))

    orders.abort()
    await vi.advanceTimersByTimeAsync(1_000)
    await result

    expect(backend.seen('/wx/login')).toHaveLength(1)
    expect(backend.seen('/orders')).toEqual([])
  })

  test('progress is told of the second try as well', async () => {
    const { alova, client, backend } = await setUpAlova()
    await client.login()
    vi.advanceTimersByTime(60_000)
    backend.expireAccess()
    const upload = alova.Post<Answered>('/photos', { ...file }, { requestType: 'upload' })
    const listener = vi.fn()
    upload.onUpload(listener)

    await upload

    expect(backend.seen('/photos')).toHaveLength(2)
    expect(listener).toHaveBeenCalledTimes(2)
  })

  test('its cache needs no token, and is empty for another user', async () => {
    const { alova, client, wx, backend, asked } = await setUpAlova()
    const read = () => alova.Get<Answered>('/orders').then(({ data }) => answerIn(data).user)

    const first = [await read(), await read()]
    expect(asked.token).toBe(1)
    expect(backend.seen('/orders')).toHaveLength(1)
    wx.control.switchUser('user-2')
    await client.login()

    expect([...first, await read()]).toEqual(['user-1', 'user-1', 'user-2'])
  })
})

describe('by hand', () => {
  test('a socket asks for its token when it is opened', async () => {
    const { exports, wx, backend, client } = await setUp<{ openLive(): Promise<unknown> }>({
      live: 'function openLive',
    })
    await exports.openLive()
    vi.advanceTimersByTime(900_000)

    await exports.openLive()

    expect(backend.seen('/wx/refresh')).toHaveLength(1)
    expect(wx.control.sockets.map(({ header }) => backend.userOf(header.authorization))).toEqual([
      'user-1',
      'user-1',
    ])
    expect(wx.control.sockets[1]?.header.authorization).toBe(`Bearer ${await client.token()}`)
  })

  test('a photo is sent once more on an expired token', async () => {
    const { exports, client, backend } = await setUp<{ sendPhoto(path: string): Promise<string> }>({
      photo: 'function sendPhoto',
    })
    await client.login()
    vi.advanceTimersByTime(60_000)
    backend.expireAccess()

    expect(answerIn(await exports.sendPhoto(file.filePath)).user).toBe('user-1')
    expect(backend.seen('/wx/refresh')).toHaveLength(1)
  })

  test('an SDK gets another token, and is ended when the user is another one', async () => {
    const disconnect = vi.fn()
    interface ChatOptions {
      token(): Promise<string>
      refreshToken(refused: string): Promise<string>
    }
    const createChat = (options: ChatOptions) => ({ ...options, disconnect })
    const { exports, client, wx, backend } = await setUp<{ chat: ChatOptions }>(
      { chat: 'createChat({' },
      { 'your-chat-sdk': { createChat } },
    )
    const first = await exports.chat.token()
    vi.advanceTimersByTime(60_000)

    const [second, third] = await Promise.all(times(2, () => exports.chat.refreshToken(first)))
    expect([second === first, second === third]).toEqual([false, true])
    expect(backend.userOf(second)).toBe('user-1')
    expect(disconnect).not.toHaveBeenCalled()
    wx.control.switchUser('user-2')
    await client.login()
    await vi.waitFor(() => expect(disconnect).toHaveBeenCalled())
  })
})
