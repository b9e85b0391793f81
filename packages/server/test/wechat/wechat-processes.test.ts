import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createFakeWeChat } from '../../src/testing/index.js'
import { bundleProcess, type ProcessBundle } from '../bundle-process.js'
import { listen } from './set-up.js'
import type { Order, Report } from './wechat-process.js'

let bundle: ProcessBundle
const processes: ChildProcess[] = []

beforeAll(async () => {
  bundle = await bundleProcess(new URL('wechat-process.ts', import.meta.url))
  for (let n = 0; n < 4; n++) processes.push(fork(bundle.path, { execArgv: [] }))
})

afterAll(async () => {
  for (const child of processes) {
    child.disconnect()
    if (child.exitCode === null) await once(child, 'exit')
  }
  await bundle.remove()
})

async function order(child: ChildProcess | undefined, order: Order): Promise<Report> {
  if (!child) throw new Error('There is no such process')
  child.send(order)
  const [report]: Report[] = await once(child, 'message')
  if (!report || report.failure !== undefined) throw new Error(report?.failure ?? 'No report')
  return report
}

const orderAll = (given: Order) => Promise.all(processes.map((child) => order(child, given)))

test('four processes use one access token without a lock, also after one of them forced a new one', async () => {
  const wechat = createFakeWeChat()
  wechat.codeFor('alice')
  const alice = { openid: wechat.openidOf('alice'), sessionKey: wechat.sessionKeyOf('alice') }
  await orderAll({ type: 'open', app: wechat.app, wechatUrl: await listen(wechat) })

  const first = await orderAll({ type: 'check', ...alice })
  const { token: forced } = await order(processes[0], { type: 'token', force: true })
  const second = await orderAll({ type: 'check', ...alice })
  await orderAll({ type: 'close' })

  const tokens = (reports: readonly Report[]) => new Set(reports.map(({ token }) => token))
  expect(tokens(first).size).toBe(1)
  expect(tokens(first)).not.toContain(forced)
  expect(tokens(second)).toEqual(new Set([forced]))
  expect([...first, ...second].map(({ isCurrent }) => isCurrent)).toEqual(Array(8).fill(true))
  // One each at the start, the forced one, and one each of the three that were surprised by it.
  const asked = wechat.calls.filter((call) => call.path === '/cgi-bin/stable_token')
  expect(asked).toHaveLength(4 + 1 + 3)
})
