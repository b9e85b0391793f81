import { createBackend } from './backend.mjs'
import { createClock } from './clock.mjs'
import { badGateway, createLine, slow } from './line.mjs'
import { startApp } from './phone.mjs'

export const parallel = 10
export const hourMs = 3_600_000

const allOk = '1 → 10 ok'
const allRejected = '1 → 10 rejected'

/** Ten parallel requests, each time in a fresh world: what should come out of ours, and how the world is. */
export const scenarios = [
  { title: 'cold start', ideal: allOk },
  {
    title: 'expired, staggered',
    ideal: allOk,
    isUsed: true,
    prepare: ({ backend }) => backend.stagger(),
  },
  {
    title: 'expired, said by HTTP 401',
    ideal: allOk,
    isUsed: true,
    prepare: ({ backend }) => backend.sayItWith401(),
  },
  {
    title: 'expired, said in a 200 body',
    // Without `isUnauthorized` it is an answer of the app's own.
    ideal: '0 → 10 wrong data',
    isUsed: true,
    prepare: ({ backend }) => backend.sayItWith200(),
  },
  {
    title: 'the same, fitted',
    ideal: allOk,
    isFitted: true,
    isUsed: true,
    prepare: ({ backend }) => backend.sayItWith200(),
  },
  { title: 'login fails', ideal: allRejected, prepare: ({ backend }) => backend.failLogins() },
  {
    title: 'first login answered 502',
    ideal: allOk,
    prepare: ({ line, isLogin }) => line.plan(badGateway, isLogin),
  },
  {
    title: 'login takes 12 s',
    // Its deadline is 10 s unless the app says otherwise.
    ideal: allRejected,
    prepare: ({ line, isLogin }) => line.plan(slow(12_000), isLogin),
    watchedMs: 30_000,
  },
  {
    title: 'the same, fitted',
    ideal: allOk,
    isFitted: true,
    prepare: ({ line, isLogin }) => line.plan(slow(12_000), isLogin),
    watchedMs: 30_000,
  },
  {
    title: 'wx.login is silent',
    ideal: allRejected,
    prepare: ({ app }) => app.silenceLogin(),
    // Longer than the others, because a deadline for a login has to let slow networks pass.
    watchedMs: 15_000,
  },
  {
    title: 'always expired',
    ideal: allRejected,
    isUsed: true,
    prepare: ({ backend }) => backend.alwaysSayExpired(),
  },
]

/** What came out, in the order of {@link scenarios}. */
export async function runScenarios(subject) {
  const outcomes = []
  for (const scenario of scenarios) outcomes.push(await runScenario(scenario, subject))
  return outcomes
}

async function runScenario({ isUsed, isFitted, prepare, watchedMs = 4_000 }, subject) {
  const { dialect, code, fittedCode } = subject
  const clock = createClock()
  const backend = createBackend({ dialect })
  const line = createLine(backend.serve)
  const app = startApp({ code: isFitted ? fittedCode : code, clock, serve: line.serve })
  if (isUsed) {
    // It was logged in an hour ago, and the server knows nothing of it any more.
    app.request('/orders/0')
    await clock.pass(hourMs)
    backend.forgetSessions()
  }
  prepare?.({ app, backend, line, isLogin: dialect.isLogin })
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
