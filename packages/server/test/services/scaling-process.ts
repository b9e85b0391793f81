import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { AuthOptions } from '../../src/index.js'
import type { FakeWeChatApp } from '../../src/testing/index.js'
import { testSecret } from '../set-up.js'
import { openStore, type StorePlace } from './stores.js'

// One example server, in a process of its own: it is told where its store is, and says where it listens.

export interface Place {
  readonly store: StorePlace
  readonly app: FakeWeChatApp
  readonly wechatUrl: string
}

export interface Listening {
  readonly url: string
}

/** The example's own `createBackend`. */
interface Example {
  createBackend(options: Omit<AuthOptions, 'onLogin'>): {
    readonly app: { listen(port: number, host: string, ready: () => void): Server }
  }
}

const [, , example = ''] = process.argv

process.once('message', async ({ store: place, app: wechatApp, wechatUrl }: Place) => {
  const { createBackend }: Example = await import(example)
  const { store } = await openStore(place)
  const { app } = createBackend({
    apps: [wechatApp],
    secret: testSecret,
    store,
    wechatHosts: [wechatUrl],
  })
  const server = app.listen(0, '127.0.0.1', () => {
    const { port } = server.address() as AddressInfo
    process.send?.({ url: `http://127.0.0.1:${port}` } satisfies Listening)
  })
})
