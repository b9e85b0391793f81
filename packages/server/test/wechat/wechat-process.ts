import type { FakeWeChatApp } from '../../src/testing/index.js'
import { AuthError, createWeChat, type OwnWeChat } from '../../src/wechat/index.js'

// One instance of a backend, in a process of its own: it calls WeChat when told to.

export type Order =
  | { readonly type: 'open'; readonly app: FakeWeChatApp; readonly wechatUrl: string }
  | { readonly type: 'token'; readonly force: boolean }
  | { readonly type: 'check'; readonly openid: string; readonly sessionKey: string }
  | { readonly type: 'close' }

export interface Report {
  /** The access token that this process uses after the order. */
  readonly token?: string
  readonly isCurrent?: boolean
  readonly failure?: string
}

let wechat: OwnWeChat | undefined

process.on('message', (order: Order) => {
  carryOut(order).then(
    (report) => process.send?.(report),
    (error: unknown) => process.send?.({ failure: describe(error) }),
  )
})

async function carryOut(order: Order): Promise<Report> {
  if (order.type === 'open') {
    wechat = createWeChat({ ...order.app, wechatHosts: [order.wechatUrl] })
    return {}
  }
  if (!wechat) throw new Error('There is no WeChat yet')
  switch (order.type) {
    case 'token':
      return { token: (await wechat.accessToken({ force: order.force })).token }
    case 'check': {
      const { openid, sessionKey } = order
      const isCurrent = await wechat.checkSessionKey({ openid, sessionKey })
      return { isCurrent, token: (await wechat.accessToken()).token }
    }
    case 'close':
      await wechat.close()
      return {}
  }
}

const describe = (error: unknown) =>
  error instanceof AuthError ? error.code : error instanceof Error ? error.message : String(error)
