import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { refusal } from '../backend.js'
import { outcomes, setUpFull } from '../set-up.js'

beforeEach(() => {
  vi.useFakeTimers()
})

afterEach(() => {
  vi.useRealTimers()
})

type Setting = ReturnType<typeof setUpFull>

/** The tokens of the handshakes so far. */
function tokensOf({ wx }: Setting): (string | undefined)[] {
  return wx.control.sockets.map(({ header }) => header.authorization?.replace('Bearer ', ''))
}

async function setUpOpen(options: Parameters<typeof setUpFull>[0] = {}) {
  const setting = setUpFull(options)
  const onReopen = vi.fn()
  const task = await setting.client.connectSocket({ url: '/ws', onReopen })
  const [server] = setting.wx.control.sockets
  if (!server) throw new Error('no socket was opened')
  return { ...setting, task, server, onReopen }
}

test('a socket opens with the token, and resolves with the native task', async () => {
  const { wx, client, task, server } = await setUpOpen()
  const heard: unknown[] = []
  task.onMessage(({ data }) => heard.push(data))

  task.send({ data: 'ping' })
  server.send('pong')
  await vi.advanceTimersByTimeAsync(0)

  expect(server).toMatchObject({
    url: 'wss://api.example.com/ws',
    header: { authorization: 'Bearer access-1-session1' },
    received: ['ping'],
  })
  expect(heard).toEqual(['pong'])
  expect(wx.control.calls.login).toBe(1)
  expect(client.session()?.userId).toBe('user-1')
})

test.each([
  ['wss://api.example.com/ws', true],
  ['WSS://API.example.com/ws', true],
  ['wss://push.example.com/ws', true],
  ['wss://evil.example/ws', false],
  ['ws://api.example.com/ws', false],
  ['wss://api.example.com@evil.example/', false],
])('%s gets the token: %s', async (url, isTrusted) => {
  const setting = setUpFull({ trustedOrigins: ['https://push.example.com'] })

  await setting.client.connectSocket({ url })

  expect(tokensOf(setting)).toEqual([isTrusted ? 'access-1-session1' : undefined])
  expect(setting.wx.control.sockets[0]?.url).toMatch(/^wss?:\/\//i)
})

test('a relative url may begin like a scheme', async () => {
  const setting = setUpFull()

  await setting.client.connectSocket({ url: 'ws/feed' })

  expect(setting.wx.control.sockets[0]?.url).toBe('wss://api.example.com/ws/feed')
})

test('protocols, headers and other options reach wx.connectSocket', async () => {
  const setting = setUpFull()

  await setting.client.connectSocket({ url: '/ws', protocols: ['chat'], header: { 'X-Mine': '1' } })

  expect(setting.wx.control.sockets[0]).toMatchObject({
    protocols: ['chat'],
    header: { 'x-mine': '1' },
  })
})

test('a socket without auth costs no login', async () => {
  const setting = setUpFull()

  await setting.client.connectSocket({ url: '/ws', auth: false })

  expect(tokensOf(setting)).toEqual([undefined])
  expect(setting.wx.control.calls.login).toBe(0)
})

test('a socket waits for a token that is not in its last tenth', async () => {
  const setting = setUpFull()
  await setting.client.launch()
  await vi.advanceTimersByTimeAsync(815_000)

  await setting.client.connectSocket({ url: '/ws' })

  expect(tokensOf(setting)).toEqual(['access-2-session1'])
})

test('a token in its last tenth serves when it cannot be renewed', async () => {
  const setting = setUpFull()
  await setting.client.launch()
  await vi.advanceTimersByTimeAsync(815_000)
  setting.backend.answer('/wx/refresh', refusal(503, 'store_unavailable'))

  await setting.client.connectSocket({ url: '/ws' })

  expect(tokensOf(setting)).toEqual(['access-1-session1'])
})

test('a handshake that fails with an older token is tried once more with a new one', async () => {
  const setting = setUpFull()
  await setting.client.launch()
  await vi.advanceTimersByTimeAsync(20_000)
  setting.backend.expireAccess()

  await setting.client.connectSocket({ url: '/ws' })

  expect(tokensOf(setting)).toEqual(['access-1-session1', 'access-2-session1'])
  expect(setting.backend.seen('/wx/refresh')).toHaveLength(1)
})

test('a handshake that fails with a young token fails', async () => {
  const setting = setUpFull()
  await setting.client.launch()
  await vi.advanceTimersByTimeAsync(19_000)
  setting.wx.control.onSocket('/ws', { refuse: 503 })

  expect(await outcomes([setting.client.connectSocket({ url: '/ws' })])).toEqual(['network'])
  expect(tokensOf(setting)).toHaveLength(1)
  expect(setting.backend.seen('/wx/refresh')).toHaveLength(0)
})

test('a handshake is tried at most twice', async () => {
  const setting = setUpFull()
  await setting.client.launch()
  await vi.advanceTimersByTimeAsync(20_000)
  setting.wx.control.onSocket('/ws', { refuse: 503 })

  expect(await outcomes([setting.client.connectSocket({ url: '/ws' })])).toEqual(['network'])
  expect(tokensOf(setting)).toHaveLength(2)
})

test.each([
  ['domain_not_allowed', { errMsg: 'connectSocket:fail url not in domain list', errno: 600002 }],
  ['timeout', { errMsg: 'connectSocket:fail timeout', errno: 5 }],
])('%s is not the doing of the token', async (code, fail) => {
  const setting = setUpFull()
  await setting.client.launch()
  await vi.advanceTimersByTimeAsync(20_000)
  setting.wx.control.onSocket('/ws', { fail })

  expect(await outcomes([setting.client.connectSocket({ url: '/ws' })])).toEqual([code])
  expect(tokensOf(setting)).toHaveLength(1)
  expect(setting.backend.seen('/wx/refresh')).toHaveLength(0)
})

test('an anonymous handshake that fails is not tried again', async () => {
  const setting = setUpFull()
  await setting.client.launch()
  await vi.advanceTimersByTimeAsync(20_000)
  setting.wx.control.onSocket('/ws', { refuse: 503 })
  const options = { url: '/ws', auth: false, header: { Authorization: 'Basic x' } } as const

  const both = [
    setting.client.connectSocket(options),
    setting.client.connectSocket({ ...options, auth: true }),
  ]

  expect(await outcomes(both)).toEqual(['network', 'network'])
  expect(tokensOf(setting)).toHaveLength(2)
})

test('a socket that never opens rejects by its deadline, and is closed', async () => {
  const setting = setUpFull()
  await setting.client.launch()
  setting.wx.control.onSocket('/ws', 'hang')
  const opening = outcomes([setting.client.connectSocket({ url: '/ws', timeout: 3_000 })])

  await vi.advanceTimersByTimeAsync(3_000)

  expect(await opening).toEqual(['timeout'])
  expect(setting.wx.control.sockets[0]?.state).toBe('closed')
})

test('abort gives up at once, before and after there is a native task', async () => {
  const setting = setUpFull()
  const waiting = setting.client.connectSocket({ url: '/ws' })
  waiting.abort()
  expect(await outcomes([waiting])).toEqual(['aborted'])
  await setting.client.ready()
  setting.wx.control.onSocket('/ws', 'hang')
  const opening = setting.client.connectSocket({ url: '/ws' })
  await vi.advanceTimersByTimeAsync(0)

  opening.abort()

  expect(await outcomes([opening])).toEqual(['aborted'])
  expect(setting.wx.control.sockets.map(({ state }) => state)).toEqual(['closed'])
})

test('a sixth socket is refused', async () => {
  const setting = setUpFull()
  const { client } = setting
  for (let count = 0; count < 5; count++) await client.connectSocket({ url: '/ws' })

  const error = await client.connectSocket({ url: '/ws' }).catch((error) => error)

  expect(error).toMatchObject({ code: 'network', cause: { errno: 600007 } })
})

test('a socket that the server closes has to be reopened', async () => {
  const { server, onReopen } = await setUpOpen()

  server.close(1001, 'restart')
  await vi.advanceTimersByTimeAsync(0)

  expect(onReopen).toHaveBeenCalledExactlyOnceWith('closed')
})

test('a socket that breaks has to be reopened, and is told once', async () => {
  const { server, onReopen, client } = await setUpOpen()

  server.break()
  await vi.advanceTimersByTimeAsync(0)
  await client.logout()
  await vi.advanceTimersByTimeAsync(0)

  expect(onReopen).toHaveBeenCalledExactlyOnceWith('closed')
})

test('a socket that the background closes has to be reopened', async () => {
  const { wx, onReopen } = await setUpOpen()

  wx.control.hide()
  await vi.advanceTimersByTimeAsync(6_000)
  wx.control.show()
  await vi.advanceTimersByTimeAsync(0)

  expect(onReopen).toHaveBeenCalledExactlyOnceWith('closed')
})

test('a socket that the app closes is left alone', async () => {
  const { client, task, server, onReopen } = await setUpOpen()

  task.close({ code: 4000, reason: 'enough' })
  await vi.advanceTimersByTimeAsync(0)
  await client.logout()
  await vi.advanceTimersByTimeAsync(0)

  expect(server.closed).toEqual({ code: 4000, reason: 'enough' })
  expect(onReopen).not.toHaveBeenCalled()
})

test('the end of the session closes the socket', async () => {
  const { client, server, onReopen } = await setUpOpen()

  await client.logout()
  await vi.advanceTimersByTimeAsync(0)

  expect(server.state).toBe('closed')
  expect(onReopen).toHaveBeenCalledExactlyOnceWith('signed_out')
})

test('another user closes the socket', async () => {
  const { client, backend, server, onReopen } = await setUpOpen()
  const code = backend.phoneCode({ number: '13800000000', movesTo: 'user-2' })

  await client.bindPhone({ detail: { code } })
  await vi.advanceTimersByTimeAsync(0)

  expect(server.state).toBe('closed')
  expect(onReopen).toHaveBeenCalledExactlyOnceWith('user_changed')
})

test('a sign-out while the socket was being opened closes it', async () => {
  const setting = setUpFull()
  await setting.client.launch()
  setting.wx.control.onSocket('/ws', { delayMs: 1_000 })
  const onReopen = vi.fn()
  const opening = setting.client.connectSocket({ url: '/ws', onReopen })
  await vi.advanceTimersByTimeAsync(500)
  await setting.client.logout()

  await vi.advanceTimersByTimeAsync(500)
  await opening

  expect(setting.wx.control.sockets[0]?.state).toBe('closed')
  expect(onReopen).toHaveBeenCalledExactlyOnceWith('signed_out')
})

test('a renewal leaves the socket open', async () => {
  const { client, server, onReopen } = await setUpOpen()

  await vi.advanceTimersByTimeAsync(900_000)
  await client.request({ url: '/orders' })

  expect(server.state).toBe('open')
  expect(onReopen).not.toHaveBeenCalled()
})

test('a socket that has to be reopened can be, five times over', async () => {
  const setting = setUpFull()
  const opened = vi.fn()
  const open = (): Promise<unknown> =>
    setting.client.connectSocket({ url: '/ws', onReopen: () => void open() }).then(opened)
  await open()

  for (let count = 1; count <= 5; count++) {
    setting.wx.control.sockets.at(-1)?.break()
    await vi.advanceTimersByTimeAsync(0)
    expect(opened).toHaveBeenCalledTimes(count + 1)
  }
  expect(setting.wx.control.sockets.filter(({ state }) => state === 'open')).toHaveLength(1)
})

test('a closed socket listens to nothing any more', async () => {
  const { client, wx, task } = await setUpOpen()
  const reads = async (run: () => Promise<unknown>): Promise<number> => {
    const before = wx.control.calls.getStorageSync
    await run()
    await vi.advanceTimersByTimeAsync(0)
    return wx.control.calls.getStorageSync - before
  }

  const whileOpen = await reads(() => client.login({ force: true }))
  task.close({})
  const afterwards = await reads(() => client.login({ force: true }))

  expect(afterwards).toBe(whileOpen - 1)
})

test('an onReopen that throws breaks nothing', async () => {
  const thrown: unknown[] = []
  const catching = (error: unknown) => thrown.push(error)
  process.on('unhandledRejection', catching)
  const setting = setUpFull()
  await setting.client.launch()
  setting.wx.control.onSocket('/ws', { delayMs: 1_000 })
  const opening = setting.client.connectSocket({
    url: '/ws',
    onReopen() {
      throw new Error('hook')
    },
  })
  await vi.advanceTimersByTimeAsync(500)
  await setting.client.logout()

  await vi.advanceTimersByTimeAsync(500)

  expect(await outcomes([opening])).toEqual(['ok'])
  vi.useRealTimers()
  await new Promise((resolve) => setTimeout(resolve, 0))
  process.off('unhandledRejection', catching)
  expect(thrown.map(String)).toEqual(['Error: hook'])
  expect(setting.wx.control.sockets[0]?.state).toBe('closed')
})

test.each([
  ['evicted', (setting: Setting) => setting.backend.endSessions('expired')],
  [
    'forgotten by a server that restarted',
    ({ backend }: Setting) => backend.endSessions('unknown'),
  ],
])(
  'a session that is %s leaves the socket open while the same user is logged in again',
  async (_, end) => {
    const setting = await setUpOpen()
    const { client, server, onReopen } = setting
    await vi.advanceTimersByTimeAsync(30_000)
    end(setting)

    await client.request({ url: '/orders' })
    await vi.advanceTimersByTimeAsync(0)

    expect(client.session()?.userId).toBe('user-1')
    expect(server.state).toBe('open')
    expect(onReopen).not.toHaveBeenCalled()
  },
)

test('storage that is cleared leaves the socket open while the same user is logged in again', async () => {
  const { client, wx, server, onReopen } = await setUpOpen()
  wx.control.storage.clear()

  expect(client.session()).toBeUndefined()
  await vi.advanceTimersByTimeAsync(0)

  expect(client.session()?.userId).toBe('user-1')
  expect(server.state).toBe('open')
  expect(onReopen).not.toHaveBeenCalled()
})

test('a session that is over and cannot be replaced has the socket reopened', async () => {
  const { client, wx, backend, server, onReopen } = await setUpOpen()
  await vi.advanceTimersByTimeAsync(30_000)
  backend.endSessions('expired')
  wx.control.onLogin({ fail: { errMsg: 'login:fail' } })

  await outcomes([client.request({ url: '/orders' })])
  await vi.advanceTimersByTimeAsync(0)

  expect(onReopen.mock.calls).toEqual([['closed']])
  expect(server.state).toBe('closed')
})

test('another user after the end of a session closes the socket', async () => {
  const { client, wx, backend, onReopen } = await setUpOpen()
  await vi.advanceTimersByTimeAsync(30_000)
  backend.endSessions('expired')
  wx.control.switchUser('user-2')

  await outcomes([client.request({ url: '/orders' })])
  await vi.advanceTimersByTimeAsync(0)

  expect(onReopen.mock.calls).toEqual([['user_changed']])
})

test('who is refused after the end of a session is signed out', async () => {
  const { client, backend, onReopen } = await setUpOpen()
  await vi.advanceTimersByTimeAsync(30_000)
  backend.endSessions('expired')
  backend.answer('/wx/login', refusal(403, 'access_denied'))

  await outcomes([client.request({ url: '/orders' })])
  await vi.advanceTimersByTimeAsync(0)

  expect(onReopen.mock.calls).toEqual([['signed_out']])
})

test('a listener that is there before the socket is open misses no message', async () => {
  const setting = setUpFull()
  const heard: unknown[] = []
  const task = setting.client.connectSocket({ url: '/ws' })
  task.onOpen(() => heard.push('open'))
  task.onMessage(({ data }) => heard.push(data))
  setting.wx.control.onSocket('/ws', { delayMs: 10 })
  await vi.advanceTimersByTimeAsync(0)
  const [server] = setting.wx.control.sockets

  // The server greets in the turn in which it has opened.
  while (server?.state !== 'open') await vi.advanceTimersByTimeAsync(1)
  server.send('welcome')
  await task

  expect(heard).toEqual(['open', 'welcome'])
})

test('it hears the second handshake too, once', async () => {
  const setting = setUpFull()
  await setting.client.launch()
  await vi.advanceTimersByTimeAsync(20_000)
  setting.backend.expireAccess()
  const heard: unknown[] = []

  const task = setting.client.connectSocket({ url: '/ws' })
  task.onMessage(({ data }) => heard.push(data))
  await task
  setting.wx.control.sockets[1]?.send('welcome')
  await vi.advanceTimersByTimeAsync(0)

  expect(heard).toEqual(['welcome'])
})

/** A wx without tasks: what a task can do is done by calls that know only one socket. */
function withoutTask({ wx }: Setting, more: object) {
  let native: ReturnType<typeof wx.connectSocket> | undefined
  const early: ((task: NonNullable<typeof native>) => void)[] = []
  const on = (name: 'onOpen' | 'onMessage' | 'onError' | 'onClose') => (listener: never) => {
    if (native) native[name](listener)
    else early.push((task) => task[name](listener))
  }
  return {
    ...wx,
    connectSocket(options: Parameters<typeof wx.connectSocket>[0]) {
      native = wx.connectSocket(options)
      for (const add of early) add(native)
      return more
    },
    onSocketOpen: on('onOpen'),
    onSocketMessage: on('onMessage'),
    onSocketError: on('onError'),
    onSocketClose: on('onClose'),
    sendSocketMessage: (options: never) => native?.send(options),
    closeSocket: (options: never) => native?.close(options),
  }
}

test.each([
  ['nothing', undefined],
  ['a promise of no task', Promise.resolve({ errMsg: 'connectSocket:ok' })],
])('a socket works where a wrapped wx returns %s', async (_, returned) => {
  const setting = setUpFull()
  const { wx, start } = setting
  const client = start(withoutTask(setting, returned as never) as never)
  const onReopen = vi.fn()
  const heard: unknown[] = []

  const task = client.connectSocket({ url: '/ws', onReopen })
  task.onMessage(({ data }) => heard.push(data))
  const socket = await task
  socket.send({ data: 'ping' })
  wx.control.sockets[0]?.send('pong')
  await vi.advanceTimersByTimeAsync(0)
  wx.control.sockets[0]?.close()
  await vi.advanceTimersByTimeAsync(0)

  expect(wx.control.sockets).toHaveLength(1)
  expect(wx.control.sockets[0]?.received).toEqual(['ping'])
  expect(heard).toEqual(['pong'])
  expect(onReopen).toHaveBeenCalledWith('closed')
})

test('a wx with neither task nor such calls says so, and opens one socket', async () => {
  const { wx, start } = setUpFull()
  const { connectSocket } = wx
  await start().launch()
  await vi.advanceTimersByTimeAsync(20_000)
  const client = start({ ...wx, connectSocket: (o: never) => void connectSocket(o) } as never)

  expect(await outcomes([client.connectSocket({ url: '/ws' })])).toEqual(['config'])
  expect(wx.control.sockets).toHaveLength(1)
})
