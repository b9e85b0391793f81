import fc from 'fast-check'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { bodyOf, send } from '../http/set-up.js'
import { prefetchPath } from '../set-up.js'
import { createRaces, failureOf } from './races.js'
import { createFigures, runsOf, takeOverTime } from './runs.js'

vi.mock('node:timers/promises', () => import('./fake-delay.js'))

const races = createRaces()
const figures = createFigures('More logins than a user may have sessions')

beforeAll(takeOverTime)
afterAll(() => {
  figures.show()
  vi.useRealTimers()
})

const operation = fc.oneof(
  { weight: 4, arbitrary: fc.constant({ kind: 'login' as const }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('refresh' as const), which: fc.nat(9) }) },
  { weight: 3, arbitrary: fc.constant({ kind: 'prefetch' as const }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('adopt' as const), which: fc.nat(9) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('time' as const),
      seconds: fc.constantFrom(1, 61),
    }),
  },
)

// A login is there before what it is too much of is ended, so nobody is ever left with less than the cap allows.
test('logins, refreshes and pre-fetches at once leave exactly the cap, and three pre-fetched sessions', async () => {
  await fc.assert(
    fc.asyncProperty(
      races.scheduler(),
      fc.array(operation, { minLength: 2, maxLength: 7, size: 'max' }),
      fc.constantFrom(1, 2, 3),
      async (scheduler, operations, cap) => {
        const race = races.begin(scheduler, {
          hasClaims: false,
          options: { maxSessionsPerUser: cap, onPrefetch: () => null, prefetchPath },
        })
        const { auths, wechat, memory } = race
        const [left, right] = auths
        const devices: string[] = []
        const prefetched: string[] = []
        // Everybody who was ever a device, adopted pre-fetches among them.
        let adopted = 0
        const logIn = async (auth = left) => {
          // After too long a time nobody waits for it any more.
          const answer = await auth.login({ code: wechat.codeFor('alice') }).catch(failureOf)
          if (typeof answer === 'string') return figures.count(`login: ${answer}`)
          adopted++
          devices.push(answer.refresh_token)
        }
        const prefetch = async (auth = left) => {
          const code = wechat.codeFor('alice')
          const query = new URLSearchParams({ appid: wechat.app.appId, code })
          const path = `/${prefetchPath}/prefetch?${query}`
          const { refresh_token } = bodyOf(await send(auth, path, { method: 'GET' }))
          if (refresh_token !== undefined) prefetched.push(String(refresh_token))
        }
        for (let n = 0; n < cap; n++) await logIn()
        for (let n = 0; n < 3; n++) await prefetch()

        race.closeGate()
        operations.forEach((operation, n) => {
          const auth = n % 2 ? left : right
          race.start(JSON.stringify(operation), async () => {
            const { kind } = operation
            if (kind === 'login') await logIn(auth)
            if (kind === 'prefetch') await prefetch(auth)
            if (kind === 'time') race.skip(operation.seconds)
            if (kind === 'refresh' || kind === 'adopt') {
              const tokens = kind === 'refresh' ? devices : prefetched
              // Each token once.
              const [refreshToken] = tokens.splice(operation.which % tokens.length, 1)
              if (refreshToken === undefined) return
              const outcome = await auth.refresh({ refreshToken }).then(({ refresh_token }) => {
                if (kind === 'adopt') adopted++
                devices.push(refresh_token)
                return 'done'
              }, failureOf)
              figures.count(`${kind}: ${outcome}`)
            } else figures.count(kind)
          })
        })
        await race.finish()

        const records = (await memory.list('guest')).filter(({ revokedAt }) => !revokedAt)
        const waiting = records.filter(
          ({ method, generation }) => method === 'prefetch' && generation === 0,
        )
        expect(adopted).toBeGreaterThanOrEqual(cap)
        expect(records.length - waiting.length).toBe(cap)
        expect(waiting.length).toBeLessThanOrEqual(3)
      },
    ),
    runsOf(80, 0.05),
  )

  for (const what of ['login', 'prefetch', 'refresh: done', 'refresh: unknown', 'adopt: done']) {
    expect(figures.of(what), what).toBeGreaterThan(0)
  }
}, 3_600_000)

test('with one session per user the newest login stays, whoever refreshes at the same time', async () => {
  await fc.assert(
    fc.asyncProperty(
      races.scheduler(),
      fc.integer({ min: 1, max: 4 }),
      async (scheduler, refreshes) => {
        const race = races.begin(scheduler, {
          hasClaims: false,
          options: { maxSessionsPerUser: 1 },
        })
        const { auths, wechat, memory } = race
        const [left, right] = auths
        let { refresh_token: refreshToken } = await left.login({ code: wechat.codeFor('alice') })
        race.skip(3600)
        race.closeGate()
        const logins: string[] = []
        race.start('login', async () => {
          const { access_token } = await right.login({ code: wechat.codeFor('alice') })
          logins.push(access_token)
        })
        race.start('old device', async () => {
          for (let n = 0; n < refreshes; n++) {
            const next = await left.refresh({ refreshToken }).catch(failureOf)
            if (typeof next === 'string') return
            refreshToken = next.refresh_token
          }
        })
        await race.finish()
        race.openGate()

        expect(await memory.list('guest')).toHaveLength(1)
        await expect(
          right.authenticate(`Bearer ${logins[0]}`, { fresh: true }),
        ).resolves.toBeDefined()
      },
    ),
    runsOf(40, 0.02),
  )
}, 3_600_000)
