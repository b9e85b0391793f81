import { createClient } from '@wxlogin/client'
import { createFakeWx, createTimerPromise } from '@wxlogin/client/testing'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createBackend } from './backend.js'
import { baseUrl, outcomes, setUp, times } from './set-up.js'

beforeEach(() => {
  vi.useFakeTimers()
})

afterEach(() => {
  vi.unstubAllGlobals()
  vi.useRealTimers()
})

test('single-page mode never logs in and sends no token', async () => {
  const { client, wx } = setUp()

  expect(await client.launch(wx.control.launch({ scene: 1154 }))).toBeUndefined()
  const { data } = await client.request<{ user: string }>({ url: '/news' })

  expect(data.user).toBe('nobody')
  expect(await client.ready()).toBeUndefined()
  expect(client.session()).toBeUndefined()
  const logins = [client.login(), client.login({ force: true })]
  expect(await outcomes(logins)).toEqual(['single_page', 'single_page'])
  wx.control.show()
  expect(wx.control.calls.login).toBe(0)
})

test('single-page mode is known without launch too', async () => {
  const { client, wx } = setUp({ phone: { scene: 1154 } })

  const { data } = await client.request<{ user: string }>({ url: '/news' })

  expect(data.user).toBe('nobody')
  expect(wx.control.calls.login).toBe(0)
})

test('a client that is not used makes no login when the phone is shown', async () => {
  const { wx } = setUp()

  wx.control.show()
  await vi.advanceTimersByTimeAsync(1_000)

  expect(wx.control.calls.login).toBe(0)
})

test('onAppShow is registered once', async () => {
  const { client, wx } = setUp()

  await client.request({ url: '/orders' })
  await client.launch()
  await client.launch()

  expect(wx.control.calls.onAppShow).toBe(1)
})

test('a client without the newer members of wx works', async () => {
  const { client } = setUp({
    phone: { omit: ['getRandomValues'], errno: false },
  })

  expect(await outcomes(times(3, () => client.request({ url: '/orders' })))).toEqual(
    times(3, () => 'ok'),
  )
})

test('wx is looked up when the client is created, and not before', async () => {
  expect(() => createClient({ baseUrl })).toThrow('wx is needed')

  const backend = createBackend()
  vi.stubGlobal('wx', createFakeWx({ wechat: backend.wechat, network: backend.network }))

  expect((await createClient({ baseUrl }).launch())?.userId).toBe('user-1')
})

test('promises whose reactions are timers change nothing', async () => {
  vi.useRealTimers()
  vi.stubGlobal('Promise', createTimerPromise(setTimeout))
  const { client, wx, backend, start } = setUp()
  const statuses: number[] = []

  await Promise.all(
    times(10, () =>
      client.request({ url: '/orders' }).then((r) => void statuses.push(r.statusCode)),
    ),
  )
  await client.logout()
  const codes: string[] = []
  await client.request({ url: '/orders' }).catch((error) => codes.push(error.code))
  await client.login()

  expect(statuses).toEqual(times(10, () => 200))
  expect(codes).toEqual(['signed_out'])
  expect(backend.seen('/wx/login')).toHaveLength(2)
  expect(start(wx.control.restart()).session()?.userId).toBe('user-1')
})

test('a listener or a hook that throws breaks nothing', async () => {
  const thrown: unknown[] = []
  const catching = (error: unknown) => thrown.push(error)
  process.on('unhandledRejection', catching)
  const { client } = setUp({
    onEvent() {
      throw new Error('hook')
    },
  })
  client.onChange(() => {
    throw new Error('listener')
  })

  expect((await client.login()).userId).toBe('user-1')
  vi.useRealTimers()
  await new Promise((resolve) => setTimeout(resolve, 0))
  process.off('unhandledRejection', catching)
  expect(thrown.map(String).sort()).toEqual(['Error: hook', 'Error: listener'])
})
