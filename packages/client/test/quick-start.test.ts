import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import type { Server } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { parseEnv } from 'node:util'
import * as clientModule from '@wxlogin/client'
import { createFakeWx } from '@wxlogin/client/testing'
import * as serverModule from '@wxlogin/server'
import * as expressAdapter from '@wxlogin/server/express'
import { createFakeWeChat } from '@wxlogin/server/testing'
import { transformSync } from 'esbuild'
import { afterEach, describe, expect, test } from 'vitest'
import { blockOf, run } from './documented.js'

// Copies the blocks of a quick start as they stand there, and runs them: the backend against the emulated WeChat, the
// mini program on the fake phone.

/** What the blocks use of Express, which is installed beside the server. */
interface Application {
  listen(port: number, host: string, onListening?: (error?: Error) => void): Server
}

const express: () => Application = createRequire(
  new URL('../../server/package.json', import.meta.url),
)('express')

const languages = ['.md', '.zh-CN.md']
const servers: Server[] = []

afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections()
    server.close()
    await once(server, 'close')
  }
})

describe.each(languages)('copied from README%s', (ending) => {
  test('both sides run, and the page has its data', async () => {
    const phone = await setUp(`README${ending}`)

    const page = await phone.open({ page: 'Page({' })

    expect(page.data).toEqual({ userId: expect.stringMatching(/^.{20,}$/) })
    expect(phone.asked).toEqual(['POST /wx/login 200', 'GET /me 200'])
  })
})

describe.each(languages)('copied from packages/*/README%s', (ending) => {
  test('both sides run, and the page has its data', async () => {
    const phone = await setUp(`packages/server/README${ending}`, `packages/client/README${ending}`)

    const page = await phone.open({ client: 'export const client', page: 'Page({' })

    expect(page.data).toEqual({ userId: expect.stringMatching(/^.{20,}$/) })
    expect(phone.asked).toEqual(['POST /wx/login 200', 'GET /me 200'])
  })
})

describe.each(languages)('copied from docs/quick-start%s', (ending) => {
  test('both sides run, the app starts, and the page has the orders of its user', async () => {
    const phone = await setUp(`docs/quick-start${ending}`)

    const page = await phone.open({ client: 'export const client', app: 'App({', page: 'Page({' })

    expect(page.data).toEqual({ orders: [{ id: '1', title: 'The first order of user 1' }] })
    expect(phone.asked).toEqual(['POST /wx/login 200', 'GET /orders 200'])
  })

  test('and each user has their own', async () => {
    const phone = await setUp(`docs/quick-start${ending}`)
    const blocks = { client: 'export const client', page: 'Page({' }

    const first = await phone.open(blocks)
    const second = await phone.open(blocks, 'another')

    expect(JSON.stringify([first.data, second.data])).toMatch(/user 1.*user 2/)
  })
})

describe.each(languages)('the .env file of docs/quick-start%s', (ending) => {
  const document = `docs/quick-start${ending}`

  test('has a line for each variable that the backend reads, to be filled in', () => {
    expect(envOf(document)).toEqual({ WX_APP_ID: '', WX_APP_SECRET: '', WXLOGIN_SECRET: '' })
  })

  test.each([
    ['WX_APP_ID', /appId .*is the environment variable set\?/],
    ['WX_APP_SECRET', /appSecret .*is the environment variable set\?/],
    ['WXLOGIN_SECRET', /^secret .*is the environment variable set\?/],
  ])('without %s the start says what is missing', async (name, sentence) => {
    const env = { ...filledIn(), [name]: envOf(document)[name] }

    await expect(start(document, env, createFakeWeChat().fetch)).rejects.toThrow(sentence)
  })
})

describe.each(languages)('copied from docs/mini-program%s', (ending) => {
  test('the five steps run beside the backend of the quick start', async () => {
    const phone = await setUp(`docs/quick-start${ending}`, `docs/mini-program${ending}`)

    const page = await phone.open({ client: "authPath: '/wx'", app: 'App({', page: 'Page({' })

    expect(page.data).toEqual({ orders: [{ id: '1', title: 'The first order of user 1' }] })
  })
})

interface PageOptions {
  readonly data: object
  onLoad(): Promise<void>
}

/** The backend of a document, and phones for the mini program of the same or another one. */
async function setUp(document: string, ofMiniProgram = document) {
  const env = filledIn()
  const wechat = createFakeWeChat({
    apps: [{ appId: env.WX_APP_ID, appSecret: env.WX_APP_SECRET }],
  })
  const server = await start(document, env, wechat.fetch)
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const asked: string[] = []

  async function open(blocks: Readonly<Record<string, string>>, user = 'someone') {
    const wx = createFakeWx({
      appId: env.WX_APP_ID,
      wechat,
      user,
      async network({ url, method, header, body }) {
        const { pathname } = new URL(url)
        const response = await fetch(origin + pathname, {
          method,
          headers: header,
          body: body ?? null,
        })
        asked.push(`${method} ${pathname} ${response.status}`)
        const answer = await response.text()
        return {
          statusCode: response.status,
          header: Object.fromEntries(response.headers),
          body: answer,
        }
      },
    })
    let shown: PageOptions | undefined
    let launched: { onLaunch(options: object): void } | undefined
    await run(ofMiniProgram, blocks, {
      globals: {
        Page: (options: PageOptions) => {
          shown = options
        },
        App: (options: typeof launched) => {
          launched = options
        },
      },
      modules: {
        '@wxlogin/client': {
          ...clientModule,
          createClient: (options: clientModule.ClientOptions) =>
            clientModule.createClient({ ...options, wx }),
        },
      },
    })
    launched?.onLaunch(wx.control.launch())
    const page = { ...shown, data: { ...shown?.data }, setData }
    await shown?.onLoad.call(page as never)
    return page
  }

  return { asked, open }
}

function setData(this: { data: object }, data: object): void {
  Object.assign(this.data, data)
}

/** What a reader has in the end: any mini program, and a secret. */
function filledIn() {
  return {
    WX_APP_ID: 'wx00000000000000aa',
    WX_APP_SECRET: '0'.repeat(32),
    WXLOGIN_SECRET: randomBytes(48).toString('base64'),
  }
}

/** The document's own `.env`, as it is pasted. */
function envOf(document: string): NodeJS.Dict<string> {
  const text = readFileSync(new URL(`../../../${document}`, import.meta.url), 'utf8')
  const [, shown = ''] = /^```ini\n([\s\S]*?)^```$/m.exec(text) ?? []
  return parseEnv(shown)
}

/** Starts the backend of a document, at a port that is free. */
async function start(
  document: string,
  env: object,
  fetch: serverModule.FetchLike,
): Promise<Server> {
  const text = 'app.listen(3000'
  // It is saved as server.js.
  transformSync(blockOf(document, text), { loader: 'js' })
  await run(
    document,
    { server: text },
    {
      globals: { process: { env }, console: { log() {} } },
      modules: {
        '@wxlogin/server': {
          ...serverModule,
          createAuth: (options: serverModule.AuthOptions) =>
            serverModule.createAuth({ ...options, fetch, onEvent() {} }),
        },
        '@wxlogin/server/express': expressAdapter,
        express: () => listening(express()),
      },
    },
  )
  const [server] = servers.slice(-1)
  if (!server) throw new Error(`${document} starts no server`)
  if (!server.listening) await once(server, 'listening')
  return server
}

function listening(app: Application) {
  const listen = app.listen.bind(app)
  return Object.assign(app, {
    listen(_port: number, onListening?: (error?: Error) => void) {
      const server = listen(0, '127.0.0.1', onListening)
      servers.push(server)
      return server
    },
  })
}
