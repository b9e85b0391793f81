import { expect, test, vi } from 'vitest'
import { createAuth } from '../../src/index.js'
import { createFakeWeChat } from '../../src/testing/index.js'
import { testSecret } from '../set-up.js'

// As on Bun, which puts its own module in the place of undici.
vi.mock('undici', async (importOriginal) => {
  const undici = await importOriginal<typeof import('undici')>()
  class Agent extends undici.Agent {
    override close: never = undefined as never
  }
  return { ...undici, Agent }
})

test('auth.close() resolves where agents have no close', async () => {
  const wechat = createFakeWeChat()
  const server = await wechat.listen()
  const auth = createAuth({ apps: [wechat.app], secret: testSecret, wechatHosts: [server.url] })
  await auth.login({ code: wechat.codeFor('alice') })

  await expect(auth.close()).resolves.toBeUndefined()

  await server.close()
})
