import { Agent } from 'undici'
import { expect, onTestFinished, test } from 'vitest'
import { createAuth } from '../../src/index.js'
import { createFakeWeChat } from '../../src/testing/index.js'
import { testSecret } from '../set-up.js'

/** As on Bun, which puts its own module in the place of undici. */
function takeCloseFromAgents(): void {
  Object.defineProperty(Agent.prototype, 'close', { value: undefined, configurable: true })
  onTestFinished(() => {
    Reflect.deleteProperty(Agent.prototype, 'close')
  })
}

test('auth.close() resolves where agents have no close', async () => {
  takeCloseFromAgents()
  const wechat = createFakeWeChat()
  const server = await wechat.listen()
  const auth = createAuth({ apps: [wechat.app], secret: testSecret, wechatHosts: [server.url] })
  await auth.login({ code: wechat.codeFor('alice') })

  await expect(auth.close()).resolves.toBeUndefined()

  await server.close()
})
