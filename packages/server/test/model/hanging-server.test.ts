import fc from 'fast-check'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { createRaces, failureOf, type Trace } from './races.js'
import { createFigures, runsOf, takeOverTime } from './runs.js'

vi.mock('node:timers/promises', () => import('./fake-delay.js'))

const races = createRaces()
const figures = createFigures('An honest phone at a server that hangs')

beforeAll(takeOverTime)
afterAll(() => {
  figures.show()
  vi.useRealTimers()
})

// What the client keeps to: it asks once more after half of its deadline, and uses no token that is younger than this.
const deadlineMs = 10_000
const resendMs = deadlineMs / 2
const youngMs = 20_000
const transitMs = 4_000

const keyOf = (n: number) => String(n).padStart(22, 'k')

/** What the phone does after others have gone first so often, and after so much time. */
const act = fc.record({
  steps: fc.nat(7),
  seconds: fc.constantFrom(1, 5, 6, 11, 21),
  does: fc.constantFrom('goes on', 'goes on', 'goes on', 'goes on', 'logs in'),
})

test('whatever hangs in the server, and for how long, an honest phone is no thief', async () => {
  await fc.assert(
    fc.asyncProperty(
      races.scheduler(),
      fc.array(act, { minLength: 3, maxLength: 9, size: 'max' }),
      // So many steps does the hook take, the first time and so on.
      fc.array(fc.constantFrom(0, 0, 0, 12, 30), { minLength: 9, maxLength: 9 }),
      async (scheduler, acts, hangs) => {
        const race = races.begin(scheduler, {
          options: {
            claims: async () => {
              await race.linger(hangs[calls++] ?? 0)
              return {}
            },
          },
        })
        let calls = 0
        const { auths, wechat } = race
        const traces: Trace[] = []
        const first = await auths[0].login({ code: wechat.codeFor('alice') })
        let record = { token: first.refresh_token, key: keyOf(0), askedMs: Date.now() }
        let attempt: { readonly askedMs: number; copies: number } | undefined
        let keys = 0
        calls = 0
        race.skip(youngMs / 1000)
        race.closeGate()

        /** What has arrived in time is stored, if storage still holds what the phone began with. */
        function receive(
          answer: { refresh_token: string } | string,
          { sent, of }: { sent: typeof record; of: NonNullable<typeof attempt> },
        ): void {
          figures.count(typeof answer === 'string' ? answer : 'answered')
          if (typeof answer === 'string' || record !== sent) return
          if (attempt !== of || Date.now() - of.askedMs > deadlineMs) return
          record = { token: answer.refresh_token, key: keyOf(++keys), askedMs: of.askedMs }
          attempt = undefined
        }

        function send(
          of: NonNullable<typeof attempt>,
          request: (sent: typeof record) => Promise<{ refresh_token: string }>,
        ): void {
          const sent = record
          const sentMs = Date.now()
          of.copies++
          race.start('a copy arrives', async (trace) => {
            traces.push(trace)
            if (Date.now() - sentMs > transitMs) return
            receive(await request(sent).catch(failureOf), { sent, of })
          })
        }

        const refresh = ({ token, key }: typeof record) =>
          auths[1].refresh({ refreshToken: token, idempotencyKey: key })
        const logIn = ({ token, key }: typeof record) =>
          auths[0].login({
            code: wechat.codeFor('alice'),
            previousRefreshToken: token,
            previousIdempotencyKey: key,
          })

        race.start('the phone', async () => {
          for (const { steps, seconds, does } of acts) {
            await race.linger(steps)
            race.skip(seconds)
            const elapsedMs = attempt ? Date.now() - attempt.askedMs : 0
            if (attempt && elapsedMs >= deadlineMs) attempt = undefined
            if (attempt?.copies === 1 && elapsedMs === resendMs) send(attempt, refresh)
            const isOld = Date.now() - record.askedMs >= youngMs
            if (attempt || (does === 'goes on' && !isOld)) continue
            attempt = { askedMs: Date.now(), copies: 0 }
            send(attempt, does === 'logs in' ? logIn : refresh)
            if (does === 'logs in') attempt.copies++
          }
        })
        await race.finish()

        const alarms = traces.flatMap(({ events }) =>
          events.filter(({ type }) => type === 'revoked'),
        )
        expect(alarms).toEqual([])
      },
    ),
    runsOf(120, 0.08),
  )

  for (const what of ['answered', 'store_unavailable']) {
    expect(figures.of(what), what).toBeGreaterThan(0)
  }
}, 3_600_000)
