import { createClient } from '@wxlogin/client'
import { createFakeWx } from '@wxlogin/client/testing'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { json, refusal } from '../backend.js'
import { baseUrl, outcomes, setUp } from '../set-up.js'

// Stories that the interleavings of the model found, told without chance.

beforeEach(() => {
  vi.useFakeTimers()
})

afterEach(() => {
  vi.useRealTimers()
})

/** Another instance of the mini program on the same storage. */
function setUpTwo(options?: Parameters<typeof setUp>[0]) {
  const setting = setUp(options)
  const { backend, wx } = setting
  const otherWx = createFakeWx({
    storage: wx.control.storage,
    wechat: backend.wechat,
    network: backend.network,
  })
  return { ...setting, other: createClient({ baseUrl, wx: otherWx }) }
}

test('a login that still waits for another does not undo a logout that came after it', async () => {
  const { client, wx, backend } = setUp()
  wx.control.onLogin({ afterMs: 1_000 })
  const logins = [client.login({ force: true }), client.login({ input: 'again' })]

  await client.logout()

  const settled = outcomes(logins)
  await vi.advanceTimersByTimeAsync(5_000)
  expect(await settled).toEqual(['signed_out', 'signed_out'])
  expect(client.session()).toBeUndefined()
  expect(backend.seen('/wx/login').map(({ body }) => body.input)).not.toContain('again')
})

test('a login whose code is refused after a logout does not try again', async () => {
  const { client, wx, backend } = setUp()
  wx.control.onRequest('/wx/login', { delayMs: 1_000 })
  backend.answer('/wx/login', refusal(400, 'invalid_code'), { times: 1 })
  const login = outcomes([client.login()])
  await vi.advanceTimersByTimeAsync(500)

  await client.logout()

  await vi.advanceTimersByTimeAsync(5_000)
  expect(await login).toEqual(['invalid_code'])
  expect(client.session()).toBeUndefined()
})

test('a login holds although the logout before it is answered meanwhile', async () => {
  const { client, wx } = setUp()
  await client.launch()
  wx.control.onRequest('/wx/logout', { delayMs: 1_000 })
  wx.control.onLogin({ afterMs: 2_000 })
  const signedOut = client.logout()

  const login = outcomes([client.login()])

  await vi.advanceTimersByTimeAsync(3_000)
  await signedOut
  expect(await login).toEqual(['ok'])
  expect(client.session()?.userId).toBe('user-1')
})

test('who logged out stays so when storage fails as the server answers', async () => {
  const { client, wx, start } = setUp()
  await client.launch()
  wx.control.onRequest('/wx/logout', { delayMs: 1_000 })
  const signedOut = client.logout()
  wx.control.failStorage('set', { times: 1 })
  await vi.advanceTimersByTimeAsync(1_000)
  await signedOut

  const restarted = start(wx.control.restart())

  expect(await outcomes([restarted.request({ url: '/orders' })])).toEqual(['signed_out'])
})

test('an instance that could not write hears of a logout in another', async () => {
  const { client, wx, other } = setUpTwo()
  wx.control.failStorage('set', { times: 1 })
  await client.launch()

  await other.logout()

  expect(client.session()).toBeUndefined()
  expect(await outcomes([client.request({ url: '/orders' })])).toEqual(['signed_out'])
})

// With right clocks a pair is not renewed so soon; with one that is set back it is.
test('a refresh token that another instance has used up is not sent again', async () => {
  const { client, wx, other, backend } = setUpTwo({ loginTimeoutMs: 20_000 })
  await client.launch()
  await vi.advanceTimersByTimeAsync(900_000)
  wx.control.onRequest('/wx/refresh', { delayMs: 8_000 }, { times: 1 })
  const renewed = outcomes([client.request({ url: '/orders' })])
  await vi.advanceTimersByTimeAsync(100)
  wx.control.hide()
  await vi.advanceTimersByTimeAsync(6_000)

  for (const _ of [1, 2]) {
    await other.ready()
    vi.setSystemTime(Date.now() - 86_400_000)
  }
  wx.control.show()

  await vi.advanceTimersByTimeAsync(5_000)
  expect(await renewed).toEqual(['ok'])
  expect(backend.seen('/wx/login')).toHaveLength(1)
})

test('a login that a logout has overtaken is ended', async () => {
  const { client, wx, backend } = setUp()
  wx.control.onRequest('/wx/login', { delayMs: 1_000 })
  const login = outcomes([client.login()])
  await vi.advanceTimersByTimeAsync(500)

  await client.logout()
  await vi.advanceTimersByTimeAsync(500)

  expect(await login).toEqual(['signed_out'])
  expect(backend.livingSessions()).toBe(0)
})

test('of two instances that start cold one session is left, and both hold it', async () => {
  const { client, wx, other, backend } = setUpTwo()
  wx.control.onRequest('/wx/login', { delayMs: 500 })
  const both = outcomes([client.request({ url: '/orders' }), other.request({ url: '/orders' })])

  await vi.advanceTimersByTimeAsync(1_000)

  expect(await both).toEqual(['ok', 'ok'])
  expect(backend.livingSessions()).toBe(1)
  await vi.advanceTimersByTimeAsync(900_000)
  const again = [client.request({ url: '/orders' }), other.request({ url: '/orders' })]
  expect(await outcomes(again)).toEqual(['ok', 'ok'])
  expect(backend.seen('/wx/login')).toHaveLength(2)
})

test('a login whose answer cannot be used is ended by the token in it', async () => {
  const { client, backend } = setUp()
  backend.answer('/wx/login', () =>
    json(200, { ...backend.prefetchFor('user-1'), access_token: 5 }),
  )

  expect(await outcomes([client.login()])).toEqual(['http'])
  await vi.advanceTimersByTimeAsync(0)

  expect(backend.livingSessions()).toBe(0)
})
