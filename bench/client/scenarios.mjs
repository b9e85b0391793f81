import { createBackend } from './backend.mjs'
import { createClock } from './clock.mjs'
import { startApp } from './phone.mjs'

const parallel = 10
const hourMs = 3_600_000

/** What should come out, whoever does it. */
export const ideal = [
  { title: 'cold start', outcome: '1 → 10 ok' },
  { title: 'expired, staggered', outcome: '1 → 10 ok' },
  { title: 'HTTP 401', outcome: '1 → 10 ok' },
  { title: 'login fails', outcome: '1 → 10 rejected' },
  { title: 'wx.login is silent', outcome: '1 → 10 rejected' },
  { title: 'always expired', outcome: '1 → 10 rejected' },
]

const scenarios = [
  {},
  { isUsed: true, prepare: ({ backend }) => backend.stagger() },
  { isUsed: true, prepare: ({ backend }) => backend.sayItWith401() },
  { prepare: ({ backend }) => backend.failLogins() },
  // Longer than the others, because a deadline for a login has to let slow networks pass.
  { prepare: ({ app }) => app.silenceLogin(), watchedMs: 15_000 },
  { isUsed: true, prepare: ({ backend }) => backend.alwaysSayExpired() },
]

/** Runs every scenario in a fresh world; gives what came out, in the order of {@link ideal}. */
export async function runScenarios({ code, dialect }) {
  const outcomes = []
  for (const scenario of scenarios) outcomes.push(await runScenario(scenario, { code, dialect }))
  return outcomes
}

async function runScenario({ isUsed, prepare, watchedMs = 4_000 }, { code, dialect }) {
  const clock = createClock()
  const backend = createBackend({ dialect })
  const app = startApp({ code, clock, serve: backend.serve })
  if (isUsed) {
    // It was logged in an hour ago, and the server knows nothing of it any more.
    app.request('/orders/0')
    await clock.pass(hourMs)
    backend.forgetSessions()
  }
  prepare?.({ app, backend })
  const loginsBefore = app.logins()

  const settled = Array.from({ length: parallel }, () => 'hung')
  for (const index of settled.keys()) follow(index)
  await clock.pass(watchedMs)

  function follow(index) {
    const path = `/orders/${index}`
    Promise.resolve(app.request(path)).then(
      (data) => {
        settled[index] = data?.order === path ? 'ok' : 'wrong data'
      },
      () => {
        settled[index] = 'rejected'
      },
    )
  }

  const kinds = [...new Set(settled)].sort()
  const counted = kinds.map((kind) => `${settled.filter((one) => one === kind).length} ${kind}`)
  const logins = app.logins() - loginsBefore
  return `${logins}${app.isStillLoggingIn() ? '+' : ''} → ${counted.join(', ')}`
}

/** What a start costs in synchronous storage calls, and how long requests are rejected after three minutes offline. */
export async function measurePhone({ code, dialect }) {
  const clock = createClock()
  const backend = createBackend({ dialect })
  const app = startApp({ code, clock, serve: backend.serve })
  const ask = () =>
    Promise.all(
      Array.from({ length: parallel }, (_, index) =>
        Promise.resolve(app.request(`/orders/${index}`)).then(
          () => true,
          () => false,
        ),
      ),
    )
  ask()
  await clock.pass(4_000)
  const cold = app.storageCalls()
  ask()
  await clock.pass(4_000)
  const atOnce = app.storageCalls() - cold

  const outage = createClock()
  const other = createBackend({ dialect })
  const phone = startApp({ code, clock: outage, serve: other.serve })
  const askOnce = () =>
    Promise.resolve(phone.request('/orders/0')).then(
      () => true,
      () => false,
    )
  phone.setOffline(true)
  for (let second = 0; second < 180; second++) {
    askOnce()
    await outage.pass(1_000)
  }
  phone.setOffline(false)
  let seconds = 0
  let isBack = false
  for (; seconds < 60 && !isBack; seconds++) {
    askOnce().then((isOk) => {
      isBack ||= isOk
    })
    await outage.pass(1_000)
  }
  return { cold, atOnce, recovery: isBack ? `${seconds - 1} s` : 'not within 60 s' }
}
