import { stat } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { createMemoryStore } from '../../src/index.js'
import type { FetchLike } from '../../src/wechat/index.js'
import { setUp } from '../set-up.js'
import { setUpWeChat } from './set-up.js'

/** Something else keeps the only thread: what arrives meanwhile is handled afterwards, and timers come first. */
function block(ms: number): void {
  const startedMs = performance.now()
  while (performance.now() - startedMs < ms);
}

/** Until everything that needs no waiting is done. */
const begun = () => new Promise<void>((resolve) => process.nextTick(resolve))

/** Takes a moment outside of the thread, like a socket. */
const arrival = () => stat('.')

test('an answer of WeChat that came in time is not late because this process was busy', async () => {
  const fetch: FetchLike = async () => {
    await arrival()
    return Response.json({ openid: 'oAlice', session_key: 'k' })
  }
  const { wechat } = await setUpWeChat({ fetch, wechatTimeoutMs: 50 })

  const login = wechat.code2Session('code-1')
  await begun()
  block(100)

  await expect(login).resolves.toMatchObject({ openid: 'oAlice' })
})

test('nor is an answer of the store', async () => {
  const memory = createMemoryStore()
  const store = {
    ...memory,
    list: async (userId: string) => {
      await arrival()
      return memory.list(userId)
    },
  }
  const { auth } = setUp({ store, storeTimeoutMs: 50 })

  const list = auth.sessions.list('7')
  await Promise.resolve()
  block(100)

  await expect(list).resolves.toEqual([])
})

test('nor has a login waited too long for a place that was free in time', async () => {
  const fetch: FetchLike = async () => {
    await arrival()
    return Response.json({ openid: 'oAlice', session_key: 'k' })
  }
  const { wechat } = await setUpWeChat({ fetch, maxLoginsInFlight: 1 })

  const logins = [wechat.code2Session('code-1'), wechat.code2Session('code-2')]
  await begun()
  block(600)

  await expect(Promise.all(logins)).resolves.toHaveLength(2)
})
