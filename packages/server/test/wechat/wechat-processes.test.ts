import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { rm } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createFakeWeChat } from '../../src/testing/index.js'
import { listen } from './set-up.js'
import type { Order, Report } from './wechat-process.js'

const path = (name: string) => fileURLToPath(new URL(name, import.meta.url))

// Within node_modules, so that it is nobody's source and finds what it imports.
const bundle = path(`../../node_modules/.wxlogin/wechat-process-${process.pid}.mjs`)

const processes: ChildProcess[] = []

beforeAll(async () => {
  await build({
    entryPoints: [path('wechat-process.ts')],
    outfile: bundle,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    packages: 'external',
    alias: { '@wxlogin/shared': path('../../../shared/src/index.ts') },
    logLevel: 'error',
  })
  for (let n = 0; n < 4; n++) processes.push(fork(bundle, { execArgv: [] }))
})

afterAll(async () => {
  for (const child of processes) {
    child.disconnect()
    if (child.exitCode === null) await once(child, 'exit')
  }
  await rm(bundle, { force: true })
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
