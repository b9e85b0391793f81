import type {
  FakeServerSocket,
  FakeSocketOptions,
  FakeSocketTask,
  FakeWx,
} from '@wxlogin/client/testing'
import { describe, expect, test, vi } from 'vitest'
import { settle, setUp, useFakeTime } from './fake-wx-set-up.js'

const url = 'wss://api.example.com/chat'

/** A socket of the app, and everything that it heard, in order. */
function connect(wx: FakeWx, options: Partial<FakeSocketOptions> = {}) {
  const heard: [name: string, result: unknown][] = []
  const hear = (name: string) => (result: unknown) => void heard.push([name, result])
  const task = wx.connectSocket({
    url,
    ...options,
    success: hear('success'),
    fail: hear('fail'),
    complete: hear('complete'),
  })
  task.onOpen(hear('open'))
  task.onMessage(hear('message'))
  task.onError(hear('error'))
  task.onClose(hear('close'))
  return { task, heard, events: () => heard.slice(2) }
}

/** What the last handshake's server has in its hand. */
function serverOf(wx: FakeWx): FakeServerSocket {
  const server = wx.control.sockets.at(-1)
  if (!server) throw new Error('no handshake has left the phone')
  return server
}

async function outcome(run: (callbacks: object) => void): Promise<unknown> {
  return new Promise((resolve) => run({ success: resolve, fail: resolve }))
}

const send = (task: FakeSocketTask, data: string | ArrayBuffer) =>
  outcome((callbacks) => task.send({ data, ...callbacks }))

const close = (task: FakeSocketTask, how: { code?: number; reason?: string } = {}) =>
  outcome((callbacks) => task.close({ ...how, ...callbacks }))

describe('wx.connectSocket', () => {
  test('returns a task, succeeds with it, and opens, in later turns', async () => {
    const { wx } = setUp()

    const { task, heard } = connect(wx)
    const early = heard.length
    await settle()

    expect(task).not.toHaveProperty('then')
    expect(early).toBe(0)
    expect(heard).toEqual([
      ['success', { errMsg: 'connectSocket:ok' }],
      ['complete', { errMsg: 'connectSocket:ok' }],
      ['open', { header: {} }],
    ])
    expect(wx.control.calls.connectSocket).toBe(1)
  })

  test('sends a handshake with header and protocols, and a Referer of its own', async () => {
    const { wx } = setUp()

    connect(wx, { header: { Authorization: 'Bearer x', Referer: 'y' }, protocols: ['chat'] })

    expect(serverOf(wx).request).toEqual({
      url,
      header: {
        authorization: 'Bearer x',
        referer: 'https://servicewechat.com/wx0000000000000001/0/page-frame.html',
      },
      protocols: ['chat'],
    })
  })

  test('carries messages both ways, in order', async () => {
    const bytes = Uint8Array.from([1, 2]).buffer
    const { wx } = setUp({
      sockets(socket) {
        socket.onMessage((data) => socket.send(`you said ${data}`))
        socket.accept({ header: { 'x-a': '1' } })
        socket.send('welcome')
        socket.send(bytes)
      },
    })
    const { task, events } = connect(wx)
    await settle()

    const sent = await send(task, 'hello')
    await send(task, 'again')
    await settle()

    expect(sent).toEqual({ errMsg: 'sendSocketMessage:ok' })
    expect(serverOf(wx).received).toEqual(['hello', 'again'])
    expect(events()).toEqual([
      ['open', { header: { 'x-a': '1' } }],
      ['message', { data: 'welcome' }],
      ['message', { data: bytes }],
      ['message', { data: 'you said hello' }],
      ['message', { data: 'you said again' }],
    ])
  })

  test('tells every listener', async () => {
    const { wx } = setUp()
    const listener = vi.fn()
    const { task } = connect(wx)
    task.onMessage(listener)
    task.onMessage((message) => listener(message))

    serverOf(wx).send('a')
    await settle()

    expect(listener).toHaveBeenCalledTimes(2)
  })

  test('sends bytes and texts and nothing else', async () => {
    const bytes = Uint8Array.from([1, 2]).buffer
    const { wx } = setUp()
    const { task } = connect(wx)
    await settle()

    const failed = await send(task, { a: 1 } as unknown as string)
    await send(task, bytes)

    expect(failed).toEqual({ errMsg: expect.stringMatching(/^sendSocketMessage:fail/) })
    expect(serverOf(wx).received).toEqual([bytes])
  })

  test('sends nothing before it is open and after it is closed', async () => {
    const { wx } = setUp()
    const { task } = connect(wx)
    serverOf(wx).close()
    const after = await send(task, 'after')
    wx.control.onSocket('/chat', 'hang')
    const before = await send(connect(wx).task, 'before')

    const failed = { errMsg: 'SocketTask.send:fail SocketTask.readyState is not OPEN' }
    expect([before, after]).toEqual([failed, failed])
    expect(serverOf(wx).received).toEqual([])
  })

  test('sends without callbacks too', async () => {
    const { wx } = setUp()
    const { task } = connect(wx)

    task.send({ data: 'a' })
    task.close()
    task.send({ data: 'b' })
    task.close()
    await settle()

    expect(serverOf(wx).received).toEqual(['a'])
  })
})

describe('the end of a socket', () => {
  test('is heard at both ends when the app closes it', async () => {
    const { wx } = setUp()
    const onClose = vi.fn()
    const { task, events } = connect(wx)
    serverOf(wx).onClose(onClose)
    await settle()

    const closed = await close(task, { code: 4001, reason: 'bye' })
    await settle()

    expect(closed).toEqual({ errMsg: 'closeSocket:ok' })
    expect(events().slice(1)).toEqual([['close', { code: 4001, reason: 'bye' }]])
    expect(onClose).toHaveBeenCalledExactlyOnceWith({ code: 4001, reason: 'bye' })
    expect(serverOf(wx).state).toBe('closed')
  })

  test('is normal when the app says nothing', async () => {
    const { wx } = setUp()
    const { task, events } = connect(wx)
    await settle()

    task.close()
    await settle()

    expect(events().slice(1)).toEqual([['close', { code: 1000, reason: 'normal closure' }]])
  })

  test.each([
    ['a code that is the platform’s', { code: 1006 }],
    ['a code that is none', { code: 5000 }],
    ['a reason of more than 123 bytes', { reason: 'é'.repeat(62) }],
  ])('does not come by %s', async (_, how) => {
    const { wx } = setUp()
    const { task, events } = connect(wx)
    await settle()

    const failed = await close(task, how)

    expect(failed).toEqual({ errMsg: expect.stringMatching(/^closeSocket:fail/) })
    expect(events()).toHaveLength(1)
    expect(serverOf(wx).state).toBe('open')
  })

  test('comes once', async () => {
    const { wx } = setUp()
    const { task, heard } = connect(wx)
    await close(task)
    await settle()
    const before = heard.length

    const again = await close(task)
    serverOf(wx).close()
    serverOf(wx).drop()
    serverOf(wx).send('a')
    wx.control.offline()
    await settle()

    expect(again).toEqual({ errMsg: 'SocketTask.close:fail SocketTask.readyState is CLOSED' })
    expect(heard).toHaveLength(before)
  })

  test.each([
    ['a code and a reason', [4401, 'sign in again'], [4401, 'sign in again']],
    ['nothing', [], [1000, '']],
  ] satisfies [string, [number?, string?], [number, string]][])(
    'comes from the server with %s',
    async (_, given, [code, reason]) => {
      const { wx } = setUp()
      const { events } = connect(wx)
      await settle()

      serverOf(wx).close(...given)
      await settle()

      expect(events().slice(1)).toEqual([['close', { code, reason }]])
    },
  )

  test('has code 1006 when the connection drops', async () => {
    const { wx } = setUp()
    const onClose = vi.fn()
    const { events } = connect(wx)
    serverOf(wx).onClose(onClose)
    await settle()

    serverOf(wx).drop()
    await settle()

    const abnormal = { code: 1006, reason: 'abnormal closure' }
    expect(events().slice(1)).toEqual([['close', abnormal]])
    expect(onClose).toHaveBeenCalledExactlyOnceWith(abnormal)
  })

  test('comes with the network', async () => {
    const { wx } = setUp()
    const open = connect(wx)
    await settle()

    wx.control.offline()
    const { events } = connect(wx)
    await settle()

    expect(open.events().slice(1)).toEqual([['close', { code: 1006, reason: 'abnormal closure' }]])
    expect(events()).toEqual([['error', { errMsg: expect.any(String) }]])
    expect(wx.control.sockets).toHaveLength(1)
  })
})

describe('the handshake', () => {
  test('fails without a status when the server refuses', async () => {
    const { wx } = setUp({ sockets: (socket) => socket.refuse() })

    const { heard } = connect(wx)
    await settle()

    expect(heard.slice(1)).toEqual([
      ['complete', { errMsg: 'connectSocket:ok' }],
      ['error', { errMsg: 'Invalid HTTP status.' }],
    ])
    expect(serverOf(wx).state).toBe('closed')
  })

  test('is decided by the server, in its own time', async () => {
    const { wx } = setUp({
      async sockets(socket) {
        await undefined
        if (socket.request.header.authorization === 'Bearer good') socket.accept()
        else socket.refuse()
      },
    })

    const bad = connect(wx, { header: { Authorization: 'Bearer bad' } })
    const good = connect(wx, { header: { Authorization: 'Bearer good' } })
    await settle()

    expect(bad.events()).toMatchObject([['error', {}]])
    expect(good.events()).toMatchObject([['open', {}]])
  })

  test('is decided once', async () => {
    const { wx } = setUp()
    const { events } = connect(wx)

    serverOf(wx).accept()
    serverOf(wx).refuse()
    await settle()

    expect(events()).toEqual([['open', { header: {} }]])
  })

  test.each([
    ['throws', () => Promise.reject(new Error('oh'))],
    ['drops it', (socket: FakeServerSocket) => socket.drop()],
  ])('fails when the server %s', async (_, sockets) => {
    const { wx } = setUp({ sockets })

    const { events } = connect(wx)
    await settle()

    expect(events()).toEqual([['error', { errMsg: 'Underlying Transport Error' }]])
  })

  test('is over when the app gives up, and the server hears of it', async () => {
    const onClose = vi.fn()
    const { wx } = setUp({ sockets: (socket) => socket.onClose(onClose) })
    const { task, events } = connect(wx)

    task.close()
    await settle()
    serverOf(wx).accept()
    await settle()

    expect(events()).toMatchObject([['close', { code: 1000 }]])
    expect(onClose).toHaveBeenCalledOnce()
    expect(serverOf(wx).state).toBe('closed')
  })

  test('comes before what the server has to say', () => {
    const { wx } = setUp({ sockets: () => undefined })
    connect(wx)

    expect(() => serverOf(wx).send('a')).toThrow('accept()')
    expect(() => serverOf(wx).close()).toThrow('accept()')
  })

  test.each([
    ['an address that is none', { url: 'https://api.example.com/chat' }, 600009],
    ['a domain that is not in the list', { url: 'wss://other.example/chat' }, 600002],
    ['plain ws', { url: 'ws://api.example.com/chat' }, 600002],
  ])('does not come to %s', async (_, options, errno) => {
    const { wx } = setUp({ socketDomains: ['wss://API.example.com'] })

    const { task, heard } = connect(wx, options)
    await settle()
    const sent = await send(task, 'a')

    const failed = { errMsg: expect.stringMatching(/^connectSocket:fail /), errno }
    expect(heard).toEqual([
      ['fail', failed],
      ['complete', failed],
    ])
    expect(sent).toMatchObject({ errMsg: expect.stringMatching(/^SocketTask.send:fail/) })
    expect(wx.control.sockets).toEqual([])
  })

  test('passes a domain in the list', async () => {
    const { wx } = setUp({ socketDomains: ['wss://API.example.com'], domains: [] })

    const { events } = connect(wx)
    await settle()

    expect(events()).toMatchObject([['open', {}]])
  })

  test('comes five times at once, and again when a socket is closed', async () => {
    const { wx } = setUp({ sockets: () => undefined })
    const first = connect(wx)
    for (let count = 1; count < 5; count += 1) connect(wx)

    const sixth = connect(wx)
    first.task.close()
    const seventh = connect(wx)
    await settle()

    expect(sixth.heard[0]).toEqual([
      'fail',
      { errMsg: 'connectSocket:fail fail reach max websocket connect count 5', errno: 600007 },
    ])
    expect(seventh.heard[0]).toMatchObject(['success', {}])
  })
})

describe('a socket on order', () => {
  test('is refused, as often as ordered', async () => {
    const { wx } = setUp()
    wx.control.onSocket('/chat', 'refuse', { times: 1 })

    const first = connect(wx)
    const second = connect(wx)
    await settle()

    expect(first.events()).toMatchObject([['error', {}]])
    expect(second.events()).toMatchObject([['open', {}]])
    expect(wx.control.sockets).toHaveLength(2)
  })

  test('fails without a handshake', async () => {
    const { wx } = setUp({ errno: false })
    const fail = { errMsg: 'connectSocket:fail x', errno: 7 }
    wx.control.onSocket(({ protocols }) => protocols.includes('chat'), { fail })

    const { heard } = connect(wx, { protocols: ['chat'] })
    const other = connect(wx)
    await settle()

    const failed = { errMsg: 'connectSocket:fail x' }
    expect(heard).toEqual([
      ['fail', failed],
      ['complete', failed],
    ])
    expect(other.events()).toMatchObject([['open', {}]])
    expect(wx.control.sockets).toHaveLength(1)
  })

  test('throws', () => {
    const { wx } = setUp()
    wx.control.onSocket('/chat', 'throw')

    expect(() => connect(wx)).toThrow('connectSocket:fail')
  })

  test('stays ordered over a restart', async () => {
    const { wx } = setUp()
    wx.control.onSocket('/chat', 'refuse')

    const { events } = connect(wx.control.restart())
    await settle()

    expect(events()).toMatchObject([['error', {}]])
  })
})

describe('a socket in time', () => {
  useFakeTime()

  test.each([
    ['after 60 seconds by itself', {}, 60_000],
    ['when its option says so', { timeout: 100 }, 100],
  ])('gives up an unanswered handshake %s', async (_, options, timeoutMs) => {
    const { wx } = setUp({ sockets: () => undefined })
    const { events } = connect(wx, options)

    await vi.advanceTimersByTimeAsync(timeoutMs - 1)
    const early = events().length
    await vi.advanceTimersByTimeAsync(1)
    serverOf(wx).accept()
    await settle()

    expect(early).toBe(0)
    expect(events()).toEqual([['error', { errMsg: 'connect response time out' }]])
  })

  test('stays open for as long as nobody ends it', async () => {
    const { wx } = setUp()
    const { events } = connect(wx, { timeout: 100 })

    await vi.advanceTimersByTimeAsync(3_600_000)

    expect(events()).toMatchObject([['open', {}]])
    expect(vi.getTimerCount()).toBe(0)
  })

  test('can hang until the app closes it', async () => {
    const { wx } = setUp()
    wx.control.onSocket('/chat', 'hang')
    const { task, events } = connect(wx, { timeout: 100 })

    await vi.advanceTimersByTimeAsync(3_600_000)
    wx.control.offline()
    await settle()
    const early = events().length
    task.close()
    await settle()

    expect(early).toBe(0)
    expect(events()).toMatchObject([['close', { code: 1000 }]])
    expect(wx.control.sockets).toEqual([])
  })

  test('hears the server for 5 seconds in the background, then it is closed', async () => {
    const { wx } = setUp()
    const onClose = vi.fn()
    const { events } = connect(wx)
    serverOf(wx).onClose(onClose)

    wx.control.hide()
    await vi.advanceTimersByTimeAsync(4_999)
    serverOf(wx).send('in time')
    await settle()
    const hidden = events().length
    await vi.advanceTimersByTimeAsync(600_000)
    serverOf(wx).send('too late')
    await settle()
    const suspended = events().length
    wx.control.show()
    await settle()

    expect([hidden, suspended]).toEqual([2, 2])
    expect(events().slice(1)).toEqual([
      ['message', { data: 'in time' }],
      ['close', { code: 1000, reason: 'interrupted' }],
    ])
    expect(onClose).toHaveBeenCalledOnce()
  })

  test('fails in the background before its handshake is answered', async () => {
    const { wx } = setUp({ sockets: () => undefined })
    const { events } = connect(wx)

    wx.control.hide()
    await vi.advanceTimersByTimeAsync(5_000)
    wx.control.show()
    await settle()

    expect(events()).toEqual([['error', { errMsg: 'interrupted' }]])
  })

  test('is not opened in the background', async () => {
    const { wx } = setUp()
    wx.control.hide()

    const { heard } = connect(wx)
    await settle()

    expect(heard[0]).toEqual(['fail', { errMsg: 'connectSocket:fail interrupted', errno: 600003 }])
    expect(wx.control.sockets).toEqual([])
  })

  test('ends with its process, which hears nothing of it', async () => {
    const { wx } = setUp()
    const onClose = vi.fn()
    const { heard } = connect(wx)
    serverOf(wx).onClose(onClose)
    await settle()
    const before = heard.length

    const restarted = wx.control.restart()
    const late = connect(wx)
    await settle()

    expect(onClose).toHaveBeenCalledOnce()
    expect([heard.length, late.heard.length]).toEqual([before, 0])
    expect(wx.control.sockets).toHaveLength(1)
    expect(restarted.control.sockets).toEqual([])
  })
})
