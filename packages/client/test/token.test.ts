import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { outcomes, setUp, times } from './set-up.js'

beforeEach(() => {
  vi.useFakeTimers()
})

afterEach(() => {
  vi.useRealTimers()
})

test('token() gives the access token, after a login if needed', async () => {
  const { client, backend } = setUp()

  const tokens = await Promise.all(times(10, () => client.token()))

  expect(new Set(tokens).size).toBe(1)
  expect(backend.userOf(tokens[0])).toBe('user-1')
  expect(backend.seen('/wx/login')).toHaveLength(1)
})

test('token() gives a renewed one when the old one is over', async () => {
  const { client, backend } = setUp()
  const first = await client.token()
  vi.advanceTimersByTime(900_000)

  const second = await client.token()

  expect(second).not.toBe(first)
  expect(backend.seen('/wx/refresh')).toHaveLength(1)
})

test('token() rejects for who is signed out', async () => {
  const { client } = setUp()
  await client.logout()

  await expect(client.token()).rejects.toMatchObject({ code: 'signed_out', reason: 'logout' })
})

test('ten callers whose token was refused share one renewal', async () => {
  const { client, backend } = setUp()
  const old = await client.token()
  vi.advanceTimersByTime(60_000)

  const tokens = await Promise.all(times(10, () => client.refused(old)))

  expect(new Set(tokens).size).toBe(1)
  expect(tokens[0]).not.toBe(old)
  expect(backend.seen('/wx/refresh')).toHaveLength(1)
})

test('a token that has been replaced meanwhile is answered with the current one', async () => {
  const { client, backend } = setUp()
  const old = await client.token()
  vi.advanceTimersByTime(60_000)
  const current = await client.refused(old)

  expect(await client.refused(old)).toBe(current)
  expect(backend.seen('/wx/refresh')).toHaveLength(1)
})

test('a token that another instance has replaced in storage is answered with that one', async () => {
  const { client, start } = setUp()
  const old = await client.token()
  vi.advanceTimersByTime(60_000)
  const theirs = await start().refused(old)

  expect(await client.refused(old)).toBe(theirs)
})

test('a young token that is refused is no reason to renew', async () => {
  const { client, backend } = setUp()
  const token = await client.token()
  vi.advanceTimersByTime(19_000)

  expect(await outcomes([client.refused(token)])).toEqual(['invalid_token'])
  expect(backend.seen('/wx/refresh')).toEqual([])
})

test('a token of somebody else is not answered with that of who is logged in now', async () => {
  const { client, wx, backend } = setUp()
  const old = await client.token()
  backend.expireAccess()
  vi.advanceTimersByTime(60_000)
  const renewed = await client.refused(old)
  await client.logout()
  wx.control.switchUser('user-2')
  await client.login()

  expect(await outcomes([client.refused(old), client.refused(renewed)])).toEqual([
    'user_changed',
    'user_changed',
  ])
  expect(await client.refused('of an older version')).toBe(await client.token())
})

test('refused() without a session logs in', async () => {
  const { client } = setUp()

  expect(await client.refused('of an older version')).toMatch(/^access-/)
})
