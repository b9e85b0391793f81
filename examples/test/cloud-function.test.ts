import { type ChildProcess, fork } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createClient } from '@wxlogin/client/full'
import { createFakeWx, type FakeFunctionCall } from '@wxlogin/client/testing'
import { createFakeWeChat } from '@wxlogin/server/testing'
import { build } from 'esbuild'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { sources } from '../../.ci/entries.mjs'

// The folder as it is uploaded, on a stand-in for the platform: an instance in a process of its own, whose wx-server-sdk
// reads the context where the real one does.

const root = fileURLToPath(new URL('../../', import.meta.url))
const appId = 'wx0000000000000001'
const folder = mkdtempSync(join(tmpdir(), 'wxlogin-function-'))
let instance: ChildProcess
let calls = 0

beforeAll(async () => {
  // As `npm run pack` does, with the packages of this workspace.
  await build({
    entryPoints: [`${root}examples/cloud-function/index.js`],
    outfile: join(folder, 'index.js'),
    bundle: true,
    platform: 'node',
    target: 'node20',
    external: ['wx-server-sdk'],
    alias: Object.fromEntries([...sources()].map(([name, file]) => [name, root + file])),
    nodePaths: [`${root}packages/server/node_modules`],
    logLevel: 'error',
  })
  const sdk = join(folder, 'node_modules/wx-server-sdk')
  mkdirSync(sdk, { recursive: true })
  writeFileSync(join(sdk, 'package.json'), '{ "main": "index.cjs" }')
  copyFileSync(`${root}examples/test/platform/wx-server-sdk.cjs`, join(sdk, 'index.cjs'))

  instance = fork(`${root}examples/test/platform/run-function.mjs`, [join(folder, 'index.js')], {
    // What is set in the console of the function; no AppSecret.
    env: { WX_APP_ID: appId, WXLOGIN_SECRET: 'a secret for tests, 32 bytes and more' },
    execArgv: [],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  await new Promise((resolve, reject) => {
    instance.once('message', resolve)
    instance.once('exit', () => reject(new Error('the function did not load')))
  })
}, 30_000)

afterAll(() => {
  instance?.kill()
  rmSync(folder, { recursive: true })
})

/** A call as the platform makes it. */
function call({ event, context }: Pick<FakeFunctionCall, 'event' | 'context'>): Promise<unknown> {
  const id = ++calls
  return new Promise((resolve, reject) => {
    const onMessage = (answer: { id: number; result?: unknown; error?: string }) => {
      if (answer.id !== id) return
      instance.off('message', onMessage)
      if (answer.error === undefined) resolve(answer.result)
      else reject(new Error(answer.error))
    }
    instance.on('message', onMessage)
    instance.send({ id, event, context })
  })
}

function setUp() {
  const wechat = createFakeWeChat({
    apps: [{ appId, appSecret: 'd1f3a9c47be28056e1d4f7a2b9c83065' }],
  })
  const wx = createFakeWx({ appId, wechat, cloudFunction: call })
  return { wechat, wx, client: createClient({ cloudFunction: { name: 'api' }, wx }) }
}

const context = { OPENID: 'openid-of-alice', APPID: appId, SOURCE: 'wx_client' }

test('a phone logs in, asks, and logs out, without a domain, a code and an AppSecret', async () => {
  const { client, wx } = setUp()

  const session = await client.launch()
  const me = await client.request<{ userId: string }>({ url: '/me' })
  const orders = await client.request<{ orders: string[] }>({ url: '/orders?page=2' })
  await client.logout()

  expect(session).toMatchObject({ appId, userId: expect.any(String) })
  expect(me.data).toEqual({ userId: session?.userId })
  expect(orders.data).toEqual({ orders: [`an order of ${session?.userId}`] })
  expect(wx.control.calls).toMatchObject({ login: 0, request: 0, callFunction: 4 })
})

test('two users are two users, however often they ask', async () => {
  const me = (OPENID: string) => call({ event: { path: '/me' }, context: { ...context, OPENID } })

  const [alice, bob, again] = await Promise.all([me('alice'), me('bob'), me('alice')])

  expect(alice).toEqual({ userId: expect.any(String) })
  expect(again).toEqual(alice)
  expect(bob).not.toEqual(alice)
})

test('a call that names somebody else is by whom the platform says', async () => {
  const event = { path: '/me', openid: 'bob', userInfo: { openId: 'bob' }, OPENID: 'bob' }

  const named = await call({ event, context })

  expect(named).toEqual(await call({ event: { path: '/me' }, context }))
})

test.each(['wx_http', 'wx_trigger', 'scf', 'wx_unknown'])(
  'a call by %s is nobody',
  async (SOURCE) => {
    const answer = await call({ event: { path: '/me' }, context: { ...context, SOURCE } })

    expect(answer).toMatchObject({ statusCode: 401, data: { error: 'invalid_token' } })
  },
)

test.each([undefined, '', '/', '/__proto__', '/constructor', '/wx', '/wx/other'])(
  'the path %j is none of the function',
  async (path) => {
    expect(await call({ event: { path }, context })).toMatchObject({ statusCode: 404 })
  },
)
