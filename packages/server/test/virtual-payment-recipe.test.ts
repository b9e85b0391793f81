import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import express from 'express'
import ts from 'typescript'
import { describe, expect, onTestFinished, test } from 'vitest'
import * as adapter from '../src/adapters/express.js'
import * as server from '../src/index.js'
import { createFakeWeChat } from '../src/testing/index.js'
import { testSecret } from './set-up.js'

interface Orders {
  open(order: { id: string; userId: string; openid: string }): Promise<void>
  grant(id: string): Promise<boolean>
  takeBack(id: string): Promise<boolean>
  unanswered(): Promise<readonly { id: string; openid: string }[]>
}

type SellMemberships = (
  app: express.Express,
  auth: server.Auth,
  orders: Orders,
  shop: object,
) => () => Promise<void>

/** The recipe of a page, as it is printed there. */
function recipeOf(page: string): SellMemberships {
  const text = readFileSync(new URL(`../../../docs/${page}`, import.meta.url), 'utf8')
  const code = /^```ts\n([\s\S]*?)^```$/m.exec(text)?.[1] ?? ''
  const { outputText } = ts.transpileModule(code, {
    compilerOptions: {
      module: ts.ModuleKind.CommonJS,
      target: ts.ScriptTarget.ES2022,
      esModuleInterop: true,
    },
  })
  const modules: Readonly<Record<string, unknown>> = {
    '@wxlogin/server': server,
    '@wxlogin/server/express': adapter,
    express,
  }
  const load = createRequire(import.meta.url)
  const exported: { sellMemberships?: SellMemberships } = {}
  new Function('require', 'exports', outputText)(
    (name: string) => modules[name] ?? load(name),
    exported,
  )
  if (!exported.sellMemberships) throw new Error(`${page} has no sellMemberships`)
  return exported.sellMemberships
}

const push = {
  token: 'pushtoken123',
  encodingAesKey: 'abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG',
}

/** A table in memory, with the conditional write that the page asks for, and how often it was made. */
function createOrders() {
  const rows = new Map<string, { id: string; openid: string; state: string }>()
  const grants: string[] = []
  const orders: Orders = {
    open: async ({ id, openid }) => void rows.set(id, { id, openid, state: 'open' }),
    async grant(id) {
      const row = rows.get(id)
      if (row?.state !== 'open') return false
      row.state = 'granted'
      grants.push(id)
      return true
    },
    async takeBack(id) {
      const row = rows.get(id)
      if (row?.state !== 'granted') return false
      row.state = 'refunded'
      return true
    },
    unanswered: async () => [...rows.values()].filter(({ state }) => state === 'open'),
  }
  return { orders, grants, stateOf: (id: string) => rows.get(id)?.state }
}

async function setUp(page: string) {
  const wechat = createFakeWeChat()
  const wechatServer = await wechat.listen()
  wechat.publishGoods('vip_year', 9900)
  const { offerId, appKey } = wechat.shopOf()
  const auth = server.createAuth({
    apps: [wechat.app],
    secret: testSecret,
    wechatHosts: [wechatServer.url],
    onEvent: () => {},
  })
  const app = express()
  const table = createOrders()
  const reconcile = recipeOf(page)(app, auth, table.orders, { offerId, appKey, env: 0, ...push })
  const listening = app.listen(0, '127.0.0.1')
  await new Promise((started) => listening.once('listening', started))
  onTestFinished(async () => {
    listening.closeAllConnections()
    listening.close()
    await auth.close()
    await wechatServer.close()
  })
  const url = `http://127.0.0.1:${(listening.address() as AddressInfo).port}`
  await wechat.setPush({ url: `${url}/wechat/push`, ...push })

  async function buy(): Promise<string> {
    const { access_token } = await auth.login({ code: wechat.codeFor('alice') })
    const response = await fetch(`${url}/membership`, {
      method: 'POST',
      headers: { authorization: `Bearer ${access_token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ code: wechat.codeFor('alice') }),
    })
    const request = (await response.json()) as server.VirtualPaymentArguments
    expect(wechat.requestVirtualPayment('alice', request).errCode).toBe(0)
    return JSON.parse(request.signData).outTradeNo
  }
  return { wechat, reconcile, buy, auth, appKey, ...table }
}

describe.each(['virtual-payment.md', 'virtual-payment.zh-CN.md'])('the shop of %s', (page) => {
  test('grants what was paid when the notification comes', async () => {
    const { wechat, buy, grants } = await setUp(page)
    const id = await buy()

    expect(grants).toEqual([])
    expect(await wechat.deliverPushes()).toMatchObject([{ status: 200, isAccepted: true }])
    expect(grants).toEqual([id])
  })

  test('grants once what is told twice at once', async () => {
    const { wechat, buy, grants } = await setUp(page)
    const id = await buy()
    const { url, method, headers, body } = wechat.pushFor(id)

    await Promise.all([1, 2].map(() => fetch(url, { method, headers, body })))

    expect(grants).toEqual([id])
  })

  test('grants what WeChat never told, and nothing that nobody paid for', async () => {
    const { wechat, buy, grants, orders, reconcile } = await setUp(page)
    const id = await buy()
    wechat.losePushes()
    await orders.open({ id: 'nobody-paid-0001', userId: '1', openid: wechat.openidOf('alice') })

    await reconcile()
    await reconcile()

    expect(grants).toEqual([id])
    expect(wechat.calls.filter(({ path }) => path === '/xpay/notify_provide_goods')).toHaveLength(1)
  })

  test('takes back what was refunded', async () => {
    const { wechat, buy, auth, appKey, stateOf } = await setUp(page)
    const id = await buy()
    await wechat.deliverPushes()
    await auth
      .wechat()
      .virtualPayment({ appKey })
      .refundOrder({
        openid: wechat.openidOf('alice'),
        order_id: id,
        refund_order_id: 'refund-0001',
        left_fee: 9900,
        refund_fee: 9900,
        biz_meta: '',
        refund_reason: '3',
        req_from: '1',
      })

    await wechat.deliverPushes()

    expect(stateOf(id)).toBe('refunded')
  })
})
