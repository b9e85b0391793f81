import fc from 'fast-check'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { type Auth, AuthError } from '../../src/index.js'
import { bodyOf, send } from '../http/set-up.js'
import { createRaces, failureOf } from './races.js'
import { createFigures, runsOf, takeOverTime } from './runs.js'

vi.mock('node:timers/promises', () => import('./fake-delay.js'))

const races = createRaces()
const figures = createFigures('A ban that falls between any two steps')

beforeAll(takeOverTime)
afterAll(() => {
  figures.show()
  vi.useRealTimers()
})

const key = 'k'.repeat(22)

const ways = [
  'login',
  'login again',
  'refresh',
  'refresh again',
  'phone',
  'gateway',
  'gateway login',
  'app',
] as const

type Way = (typeof ways)[number]

const isShared: ReadonlySet<Way> = new Set(['login again', 'gateway'])

/** Alice of the gateway, whose headers nobody can forge. */
const gateway = (appId: string) => ({
  'x-wx-openid': 'alice',
  'x-wx-appid': appId,
  'x-wx-source': 'wx_client',
})

// The mark comes first, then the revocation: whoever was let in before it is found by the one or stopped by the other.
test('where claims reads the mark nobody is in after a ban, whichever steps it falls between', async () => {
  await fc.assert(
    fc.asyncProperty(
      races.scheduler(),
      fc.array(fc.constantFrom(...ways), { minLength: 1, maxLength: 4, size: 'max' }),
      fc.nat(16),
      async (scheduler, operations, stepsBefore) => {
        const banned = new Set<string>()
        const race = races.begin(scheduler, {
          options: {
            cloudHosting: { public: false },
            onLogin: (_account, { input }) => ({ userId: input === 'guest' ? 'guest' : 'member' }),
            claims: ({ userId }) => {
              if (banned.has(userId)) throw new AuthError('access_denied', 'This user is banned')
              return {}
            },
          },
        })
        const { auths, wechat, memory } = race
        const [left, right] = auths
        const code = wechat.codeFor('alice')
        const first = await left.login({ code, idempotencyKey: key })
        const used = await left.login({ code: wechat.codeFor('alice') })
        const again = { refreshToken: used.refresh_token, idempotencyKey: key }
        await left.refresh(again)
        const guest = await left.login({ code: wechat.codeFor('alice'), input: 'guest' })
        const session = await left.authenticate(`Bearer ${guest.access_token}`)
        const phoneCode = wechat.phoneCodeFor('alice')
        const headers = gateway(wechat.app.appId)

        const run: Record<Way, (auth: Auth) => Promise<unknown>> = {
          login: (auth) => auth.login({ code: wechat.codeFor('alice') }),
          'login again': (auth) => auth.login({ code, idempotencyKey: key }),
          refresh: (auth) => auth.refresh({ refreshToken: first.refresh_token }),
          'refresh again': (auth) => auth.refresh(again),
          phone: (auth) => auth.phone({ session, code: phoneCode }),
          gateway: (auth) =>
            auth.authenticate({ header: (name) => new Map(Object.entries(headers)).get(name) }),
          'gateway login': async (auth) => {
            const request = { headers: { ...headers, 'Idempotency-Key': key }, body: {} }
            const { error } = bodyOf(await send(auth, '/login', request))
            if (error) throw new AuthError('access_denied', String(error))
          },
          app: (auth) => auth.sessions.create({ account: { openid: 'alice' }, userId: 'member' }),
        }

        race.closeGate()
        let isBanned = false
        operations.forEach((way, n) => {
          const perform = async () => {
            const isLate = isBanned
            const outcome = await run[way](n % 2 ? left : right).then(() => 'in', failureOf)
            figures.count(`${way}: ${outcome === 'in' ? 'in' : 'out'}`)
            if (isLate) expect(outcome, `${way} after the ban`).not.toBe('in')
          }
          // In one process the second of these waits for the first.
          race.start(way, perform, isShared.has(way) ? `${way} ${n % 2}` : {})
        })
        race.start('ban', async () => {
          await race.linger(stepsBefore)
          banned.add('member')
          await right.sessions.revoke({ userId: 'member', reason: 'banned' })
          isBanned = true
        })
        await race.finish()

        const live = (await memory.list('member')).filter(({ revokedAt }) => !revokedAt)
        expect(live).toEqual([])
      },
    ),
    runsOf(70, 0.1),
  )

  for (const way of ways) {
    for (const end of ['in', 'out']) {
      expect(figures.of(`${way}: ${end}`), `${way}: ${end}`).toBeGreaterThan(0)
    }
  }
}, 3_600_000)
