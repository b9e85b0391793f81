import { readFileSync } from 'node:fs'
import type { Server } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import type { Express } from 'express'
import { expect, onTestFinished, test } from 'vitest'
import { createFakeWeChat } from '../../src/testing/index.js'
import { bundle } from '../platforms/blocks.js'
import { testSecret } from '../set-up.js'
import { website } from './set-up.js'

// Runs the very program that docs/other-apps.md shows.
const guide = readFileSync(new URL('../../../../docs/other-apps.md', import.meta.url), 'utf8')
const [program = ''] = [...guide.matchAll(/^```ts\n([\s\S]*?)^```$/gm)]
  .map(([, code = '']) => code)
  .filter((code) => code.includes("app.get('/wechat/callback'"))

async function start() {
  const wechat = createFakeWeChat({ apps: [website] })
  const require = createRequire(import.meta.url)
  const code = await bundle(program, ['undici', 'express'])
  const env = {
    WEBSITE_APP_ID: website.appId,
    WEBSITE_APP_SECRET: website.appSecret,
    WXLOGIN_SECRET: testSecret,
  }
  const requireOthers = (name: string): unknown => {
    // Without undici the server takes the global `fetch`, which is the emulated WeChat's in there.
    if (name === 'undici') throw new Error('undici is not here')
    return require(name)
  }
  const module: { exports: { app?: Express } } = { exports: {} }
  const names = ['module', 'exports', 'require', 'process', 'fetch', 'console']
  const quiet = { error: () => undefined }
  new Function(...names, code)(module, module.exports, requireOthers, { env }, wechat.fetch, quiet)
  const { app } = module.exports
  if (!app) throw new Error('The program exports no app')
  const server: Server = app.listen(0, '127.0.0.1')
  await new Promise((listening) => server.once('listening', listening))
  onTestFinished(() => void server.close())
  const { port } = server.address() as AddressInfo
  return { wechat, url: `http://127.0.0.1:${port}` }
}

/** A browser, as far as this needs one. */
function createBrowser(url: string) {
  const jar = new Map<string, string>()
  const cookies = () => [...jar].map((pair) => pair.join('=')).join('; ')
  return {
    jar,
    async go(path: string, method = 'GET') {
      const headers = { cookie: cookies() }
      const response = await fetch(url + path, { method, headers, redirect: 'manual' })
      for (const cookie of response.headers.getSetCookie()) {
        const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(cookie) ?? []
        if (value === '') jar.delete(name)
        else jar.set(name, value)
      }
      return response
    },
  }
}

test('the program of the guide logs in, twice at once, renews in two tabs, and signs out', async () => {
  const { wechat, url } = await start()
  const { go, jar } = createBrowser(url)

  expect((await go('/me')).status).toBe(401)
  const { headers } = await go('/wechat?to=/orders')
  const state = new URL(headers.get('location') ?? '').searchParams.get('state')
  const callback = `/wechat/callback?code=${wechat.webCodeFor('alice')}&state=${state}`
  const [first, second] = await Promise.all([go(callback), go(callback)])
  const me = (await (await go('/me')).json()) as { userId: string }
  const renewals = await Promise.all([go('/wechat/refresh', 'POST'), go('/wechat/refresh', 'POST')])
  const again = await (await go('/me')).json()
  const next = await go('/wechat/refresh', 'POST')
  const out = await go('/wechat/logout', 'POST')

  expect([first.status, second.status]).toEqual([302, 302])
  expect(first.headers.get('location')).toBe('/orders')
  expect(me.userId).toMatch(/^[\w-]{22}$/)
  expect(renewals.map(({ status }) => status)).toEqual([204, 204])
  expect(again).toEqual(me)
  expect([next.status, out.status]).toEqual([204, 204])
  expect([...jar.keys()].filter((name) => !name.startsWith('__Host-wxlogin-'))).toEqual([])
  expect((await go('/me')).status).toBe(401)
})

test('a callback that somebody else has begun is refused by it, and a foreign way back too', async () => {
  const { wechat, url } = await start()
  const [attacker, victim] = [createBrowser(url), createBrowser(url)]
  const { headers } = await attacker.go('/wechat')
  const state = new URL(headers.get('location') ?? '').searchParams.get('state')

  const planted = await victim.go(
    `/wechat/callback?code=${wechat.webCodeFor('mallory')}&state=${state}`,
  )
  const foreign = await victim.go('/wechat?to=//evil.example')

  expect([planted.status, foreign.status]).toEqual([400, 400])
  expect(victim.jar.size).toBe(0)
})
