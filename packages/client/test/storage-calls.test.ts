import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { outcomes, setUp, setUpFull, times } from './set-up.js'

// Synchronous storage stops the one thread that a phone has.

beforeEach(() => {
  vi.useFakeTimers()
})

afterEach(() => {
  vi.useRealTimers()
})

const entries = [
  ['index', setUp],
  ['full', setUpFull],
] as const

function storageCalls({ control: { calls } }: ReturnType<typeof setUp>['wx']): number {
  return calls.getStorageSync + calls.setStorageSync + calls.removeStorageSync
}

test.each(entries)('%s: a cold start makes at most 4 storage calls', async (_, set) => {
  const { wx, client } = set()

  expect(await outcomes(times(10, () => client.request({ url: '/orders' })))).toEqual(
    times(10, () => 'ok'),
  )

  expect(storageCalls(wx)).toBeLessThanOrEqual(4)
})

test.each(entries)('%s: a start with an old session makes at most 5', async (_, set) => {
  const { wx, client, start, backend } = set()
  await client.launch()
  await vi.advanceTimersByTimeAsync(900_000)
  const again = wx.control.restart()

  const restarted = start(again as never)
  expect(await outcomes(times(10, () => restarted.request({ url: '/orders' })))).toEqual(
    times(10, () => 'ok'),
  )

  expect(backend.seen('/wx/refresh')).toHaveLength(1)
  expect(storageCalls(again)).toBeLessThanOrEqual(5)
})

test.each(entries)('%s: ten requests at once make one, and ten in a row ten', async (_, set) => {
  const { wx, client } = set()
  await client.launch()
  const before = storageCalls(wx)

  await Promise.all(times(10, () => client.request({ url: '/orders' })))
  expect(storageCalls(wx) - before).toBe(1)

  for (const _ of times(10, String)) await client.request({ url: '/orders' })
  expect(storageCalls(wx) - before).toBe(11)
})
