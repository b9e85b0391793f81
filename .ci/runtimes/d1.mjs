// node d1.mjs <bundle> <tools>: the Worker of docs/platforms.md in miniflare, which has D1, on a Node that runs it. It
// stands in a project that has the tarball.
import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { createFakeWeChat } from '@wxlogin/server/testing'
import { playFlow } from './flow.mjs'

const [bundle, tools] = process.argv.slice(2)
const { Miniflare } = createRequire(`${tools}/`)('miniflare')
const wechat = createFakeWeChat()
const worker = new Miniflare({
  host: '127.0.0.1',
  port: 0,
  modules: true,
  scriptPath: bundle,
  compatibilityDate: '2026-04-01',
  compatibilityFlags: ['nodejs_compat'],
  d1Databases: ['DB'],
  bindings: {
    WX_APP_ID: wechat.app.appId,
    WX_APP_SECRET: wechat.app.appSecret,
    WXLOGIN_SECRET: 'h7Qm2xV9cKp4Tz8wRb3yLn6sDf1gJa5u',
  },
  // Whatever the Worker asks of the internet.
  async outboundService(request) {
    assert.equal(new URL(request.url).origin, 'https://api.weixin.qq.com')
    const { method, url } = request
    const body = method === 'POST' ? await request.text() : undefined
    const signal = AbortSignal.timeout(5000)
    const headers = Object.fromEntries(request.headers)
    const answer = await wechat.fetch(url, { method, headers, body, redirect: 'manual', signal })
    return new (createRequire(`${tools}/`)('miniflare').Response)(
      await new Response(answer.body).text(),
      { status: answer.status },
    )
  },
})
try {
  const { origin } = await worker.ready
  await playFlow(origin, wechat, { isFresh: false })
  const { cases, failures } = await (await fetch(`${origin}/store-cases`)).json()
  assert.deepEqual(failures, [])
  console.log(`login, request, refresh, logout; ${cases} cases of stores on D1`)
} finally {
  await worker.dispose()
}
