import fc from 'fast-check'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import type { Auth } from '../../src/index.js'
import { bodyOf, send } from '../http/set-up.js'
import { createRaces, failureOf } from './races.js'
import { createFigures, runsOf, takeOverTime } from './runs.js'

vi.mock('node:timers/promises', () => import('./fake-delay.js'))

const races = createRaces()
const figures = createFigures('A store that gives no answer once')

beforeAll(takeOverTime)
afterAll(() => {
  figures.show()
  vi.useRealTimers()
})

/** What becomes of the call that gets no answer: it is lost, it has landed, or it lands within the minute. */
const fates = ['lost', 'landed', 'late'] as const

const ways = ['login', 'phone', 'gateway login', 'app', 'refresh'] as const

const key = 'k'.repeat(22)

// Two calls that fail one after the other may leave a session: so does a process that dies in between.
test('whatever a store does not answer, no session is left that nobody holds', async () => {
  await fc.assert(
    fc.asyncProperty(
      races.scheduler(),
      fc.array(fc.constantFrom(...ways), { minLength: 1, maxLength: 3, size: 'max' }),
      fc.nat(12),
      fc.constantFrom(...fates),
      fc.boolean(),
      async (scheduler, operations, failing, fate, hasClaims) => {
        let calls = 0
        let isRunning = false
        const late: (() => Promise<unknown>)[] = []
        const race = races.begin(scheduler, {
          hasClaims,
          options: { cloudHosting: { public: false } },
          around:
            (verb, call) =>
            async (...args) => {
              const isWrite = verb === 'create' || verb === 'replace'
              if (!isRunning || !isWrite || calls++ !== failing) return call(...args)
              figures.count(`${verb}: ${fate}`)
              if (fate === 'landed') await call(...args)
              if (fate === 'late') late.push(() => call(...args))
              throw new Error('the connection was lost')
            },
        })
        const { auths, wechat, memory } = race
        const [left, right] = auths
        const held = new Map<string, number>()
        const hold = async (auth: Auth, answer: Readonly<Record<string, unknown>>) => {
          const { id } = await auth.authenticate(`Bearer ${answer.access_token}`)
          held.set(id, (held.get(id) ?? 0) + 1)
          return String(answer.refresh_token)
        }
        const guest = await left.login({ code: wechat.codeFor('alice') })
        await hold(left, { ...guest })
        const session = await left.authenticate(`Bearer ${guest.access_token}`)
        const headers = {
          'x-wx-openid': 'alice',
          'x-wx-appid': wechat.app.appId,
          'x-wx-source': 'wx_client',
        }
        const run: Record<(typeof ways)[number], (auth: Auth) => Promise<object>> = {
          login: (auth) => auth.login({ code: wechat.codeFor('alice') }),
          phone: (auth) => auth.phone({ session, code: wechat.phoneCodeFor('alice') }),
          'gateway login': async (auth) =>
            bodyOf(await send(auth, '/login', { headers, body: {} })),
          app: (auth) => auth.sessions.create({ account: { openid: 'alice' }, userId: 'guest' }),
          refresh: (auth) =>
            auth.refresh({ refreshToken: guest.refresh_token, idempotencyKey: key }),
        }

        race.closeGate()
        isRunning = true
        operations.forEach((way, n) => {
          const auth = n % 2 ? left : right
          race.start(way, async () => {
            const answer = await run[way](auth).catch(failureOf)
            if (typeof answer === 'string' || !('access_token' in answer)) return
            await hold(auth, { ...answer })
          })
        })
        race.start('the network', async () => {
          race.skip(30)
        })
        await race.finish()
        isRunning = false
        race.skip(20)
        for (const land of late) await land()

        const records = [...(await memory.list('guest')), ...(await memory.list('member'))]
        for (const { id, revokedAt, method } of records) {
          if (revokedAt === undefined) expect(held.has(id), `${method} is held`).toBe(true)
        }
      },
    ),
    runsOf(130, 0.05),
  )

  for (const verb of ['create', 'replace']) {
    for (const fate of fates) expect(figures.of(`${verb}: ${fate}`), verb).toBeGreaterThan(0)
  }
}, 3_600_000)
