import { AuthError, createAuth } from '../../src/index.js'
import type { FakeWeChatApp } from '../../src/testing/index.js'
import { testSecret } from '../set-up.js'
import { type OpenStore, openStore, type StorePlace } from './stores.js'

// One instance of a backend, in a process of its own: it opens its store, says so, and logs in when told to.

export type Order =
  | { readonly type: 'open'; readonly place: StorePlace }
  | {
      readonly type: 'login'
      readonly app: FakeWeChatApp
      readonly wechatUrl: string
      readonly code: string
      readonly idempotencyKey: string
    }
  | { readonly type: 'close' }

export interface Report {
  readonly done: Order['type']
  readonly refreshToken?: string
  readonly outcome?: string
  readonly failure?: string
}

let opened: OpenStore | undefined

process.on('message', (order: Order) => {
  carryOut(order).then(
    (report) => process.send?.(report),
    (error: unknown) => process.send?.({ done: order.type, failure: describe(error) }),
  )
})

async function carryOut(order: Order): Promise<Report> {
  switch (order.type) {
    case 'open':
      opened = await openStore(order.place)
      return { done: 'open' }
    case 'login': {
      if (!opened) throw new Error('There is no store yet')
      let outcome: string | undefined
      const auth = createAuth({
        apps: [order.app],
        secret: testSecret,
        store: opened.store,
        storeTimeoutMs: 10_000,
        wechatHosts: [order.wechatUrl],
        onLogin: ({ openid }) => ({ userId: `user of ${openid}` }),
        onEvent: (event) => {
          if (event.type === 'login') outcome = event.outcome
        },
      })
      const { code, idempotencyKey } = order
      const answer = await auth.login({ code, idempotencyKey })
      await auth.close()
      return {
        done: 'login',
        refreshToken: answer.refresh_token,
        ...(outcome !== undefined && { outcome }),
      }
    }
    case 'close':
      await opened?.close()
      opened = undefined
      return { done: 'close' }
  }
}

const describe = (error: unknown) =>
  error instanceof AuthError ? error.code : error instanceof Error ? error.message : String(error)
