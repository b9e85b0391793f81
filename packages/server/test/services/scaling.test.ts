import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { rm } from 'node:fs/promises'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { idempotencyHeader, type TokenAnswer } from '@wxlogin/shared'
import { build } from 'esbuild'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { createFakeWeChat } from '../../src/testing/index.js'
import { newKey } from '../set-up.js'
import type { Listening, Place } from './scaling-process.js'
import { clear, demand, storePlaces } from './stores.js'

const path = (name: string) => fileURLToPath(new URL(name, import.meta.url))

// Within node_modules, so that it is nobody's source and finds what it imports.
const folder = path(`../../node_modules/.wxlogin/scaling-${process.pid}`)
const bundles = { server: `${folder}/server.mjs`, example: `${folder}/example.mjs` }

beforeAll(async () => {
  await build({
    entryPoints: {
      server: path('scaling-process.ts'),
      example: path('../../../../examples/express/app.ts'),
    },
    outdir: folder,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    packages: 'external',
    alias: {
      '@wxlogin/shared': path('../../../shared/src/index.ts'),
      '@wxlogin/server/express': path('../../src/adapters/express.ts'),
      '@wxlogin/server': path('../../src/index.ts'),
    },
    logLevel: 'error',
  })
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const places = storePlaces(inject('services')).filter(({ name }) =>
  ['Redis with redis 6', 'PostgreSQL'].includes(name),
)

describe.each(places)('two example servers on one $name', (store) => {
  const wechat = createFakeWeChat()
  const servers: ExampleServer[] = []
  let place: Place
  let closeWeChat: () => Promise<void>
  beforeAll(async () => {
    demand(store)
    const { url: wechatUrl, close } = await wechat.listen()
    closeWeChat = close
    place = { store, app: wechat.app, wechatUrl }
    servers.push(...(await Promise.all([startServer(place), startServer(place)])))
  })
  afterAll(async () => {
    for (const server of servers) await server.kill()
    await closeWeChat?.()
    await clear(store)
  })

  function bothServers(): readonly [ExampleServer, ExampleServer] {
    const [here, there] = servers
    if (!here || !there) throw new Error('The servers have not started')
    return [here, there]
  }

  const logInAt = (server: ExampleServer, user: string, device: string) =>
    server.post('/wx/login', { code: wechat.codeFor(user), app_id: wechat.app.appId, device })

  test('a device that is signed out at one is out at the other', async () => {
    const [here, there] = bothServers()
    const lost = await logInAt(here, 'bob', 'iPad')
    const kept = await logInAt(here, 'bob', 'iPhone')

    const status = await there.signOut(kept, lost)

    expect(status).toBe(204)
    expect(await here.devices(kept)).toEqual(['iPhone'])
    expect(await here.refuses('/wx/refresh', { refresh_token: lost.refresh_token })).toEqual({
      status: 400,
      error: 'invalid_grant',
      reason: 'revoked',
    })
  })

  test('a user who logged in at one goes on at the other, whichever is killed', async () => {
    const [here, there] = bothServers()

    const login = await logInAt(here, 'alice', 'iPhone')
    expect(await there.devices(login)).toEqual(['iPhone'])
    const second = await there.post('/wx/refresh', { refresh_token: login.refresh_token })

    // The answer to this one is lost with its server, so the client sends it again.
    const refresh = { refresh_token: second.refresh_token }
    const key = newKey()
    const lost = await here.post('/wx/refresh', refresh, key)
    await here.kill()
    const third = await there.post('/wx/refresh', refresh, key)
    expect(third.refresh_token).toBe(lost.refresh_token)
    expect(await there.devices(third)).toEqual(['iPhone'])

    const restarted = await startServer(place)
    servers.push(restarted)
    await there.kill()
    expect(await restarted.devices(third)).toEqual(['iPhone'])
    const fourth = await restarted.post('/wx/refresh', { refresh_token: third.refresh_token })
    expect(await restarted.devices(fourth)).toEqual(['iPhone'])
    expect(fourth.user_id).toBe(login.user_id)
  })
})

type ExampleServer = Awaited<ReturnType<typeof startServer>>

async function startServer(place: Place) {
  const child = fork(bundles.server, [pathToFileURL(bundles.example).href], { execArgv: [] })
  child.send(place)
  const url = await new Promise<string>((resolve, reject) => {
    child.once('message', ({ url }: Listening) => resolve(url))
    child.once('exit', () => reject(new Error('The example server does not start')))
  })

  const send = (route: string, body: object, key = newKey()) =>
    fetch(`${url}${route}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', [idempotencyHeader]: key },
      body: JSON.stringify(body),
    })

  return {
    kill: () => kill(child),

    async signOut({ access_token }: TokenAnswer, device: TokenAnswer): Promise<number> {
      const response = await fetch(`${url}/devices/${sessionIdOf(device)}`, {
        method: 'DELETE',
        headers: { authorization: `Bearer ${access_token}` },
      })
      return response.status
    },

    async post(route: string, body: object, key?: string): Promise<TokenAnswer> {
      const response = await send(route, body, key)
      expect(response.status).toBe(200)
      return (await response.json()) as TokenAnswer
    },

    async refuses(route: string, body: object) {
      const response = await send(route, body)
      const { error, reason } = (await response.json()) as { error: string; reason?: string }
      return { status: response.status, error, reason }
    },

    /** What the user's devices are called. */
    async devices({ access_token }: TokenAnswer): Promise<readonly string[]> {
      const response = await fetch(`${url}/devices`, {
        headers: { authorization: `Bearer ${access_token}` },
      })
      expect(response.status).toBe(200)
      const devices = (await response.json()) as readonly { device: string }[]
      return devices.map(({ device }) => device)
    },
  }
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, 'exit')
  child.kill('SIGKILL')
  await exited
}

function sessionIdOf({ access_token }: TokenAnswer): string {
  const [, payload = ''] = access_token.split('.')
  return JSON.parse(Buffer.from(payload, 'base64url').toString()).sid
}
