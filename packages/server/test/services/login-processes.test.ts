import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { createAuth } from '../../src/index.js'
import { createFakeWeChat } from '../../src/testing/index.js'
import { bundleProcess, type ProcessBundle } from '../bundle-process.js'
import { newKey, testSecret } from '../set-up.js'
import type { Order, Report } from './login-process.js'
import { clear, openStore, storePlaces } from './stores.js'

let bundle: ProcessBundle
const processes: ChildProcess[] = []

beforeAll(async () => {
  bundle = await bundleProcess(new URL('login-process.ts', import.meta.url))
  for (let n = 0; n < 4; n++) processes.push(fork(bundle.path, { execArgv: [] }))
})

afterAll(async () => {
  for (const child of processes) {
    child.disconnect()
    if (child.exitCode === null) await once(child, 'exit')
  }
  await bundle.remove()
})

async function order(child: ChildProcess, order: Order): Promise<Report> {
  child.send(order)
  const [report]: Report[] = await once(child, 'message')
  if (!report || report.failure !== undefined) throw new Error(report?.failure ?? 'No report')
  return report
}

const orderAll = (given: Order) => Promise.all(processes.map((child) => order(child, given)))

const places = storePlaces(inject('services'))

describe.each(places)('$name', (place) => {
  afterAll(() => clear(place))

  test('a code that four processes log in with makes one session, which all four get', async () => {
    const wechat = createFakeWeChat()
    const server = await wechat.listen()
    const code = wechat.codeFor('alice')
    await orderAll({ type: 'open', place })

    const reports = await orderAll({
      type: 'login',
      app: wechat.app,
      wechatUrl: server.url,
      code,
      idempotencyKey: newKey(),
    })

    await orderAll({ type: 'close' })
    expect(new Set(reports.map(({ refreshToken }) => refreshToken)).size).toBe(1)
    expect(reports.map(({ outcome }) => outcome).sort()).toEqual([
      'created',
      'retried',
      'retried',
      'retried',
    ])
    const { store, close } = await openStore(place)
    const auth = createAuth({ apps: [wechat.app], secret: testSecret, store })
    const refreshed = await auth.refresh({ refreshToken: reports[0]?.refreshToken ?? '' })
    expect(await auth.sessions.list(refreshed.user_id)).toHaveLength(1)
    await close()
    await server.close()
  })
})
