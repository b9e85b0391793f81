// What becomes of logins while WeChat is slow but healthy: `npm run load`. Everything is on this machine, WeChat is
// the emulated one, and backend and WeChat have a thread each. Takes about two minutes; fails if logins collapse.
//   node bench/load.mjs phones   only this one of slow, ceiling and phones
import { availableParallelism, loadavg } from 'node:os'
import { setTimeout as delay } from 'node:timers/promises'
import { start, steadyLogins } from './logins.mjs'

const latencyMs = 500
const failures = []

const wanted = process.argv.slice(2)
const isWanted = (name) => wanted.length === 0 || wanted.includes(name)

console.log(
  `${availableParallelism()} cores, load ${loadavg()[0].toFixed(1)} before; the less idle, the less these figures say`,
)

if (isWanted('slow')) {
  await steady({ title: '400 logins a second', perSecond: 400, seconds: 15, places: 512 })
}

for (const factor of isWanted('ceiling') ? [1, 2, 4] : []) {
  await steady({
    title: `${factor} × the ceiling of 64 places, 128 a second`,
    perSecond: 128 * factor,
    seconds: 12,
    places: 64,
  })
}

if (isWanted('phones')) await crowd({ phones: 3000, withinMs: 2000, seconds: 15 })

if (failures.length > 0) {
  console.error(`\nfailed: ${failures.join(', ')}`)
  process.exitCode = 1
}

/** Logins that come evenly, each of which is tried once. */
async function steady({ title, perSecond, seconds, places }) {
  const { mean, worst, ceiling, meanCallMs, statuses, outcomes, openings } = await steadyLogins({
    perSecond,
    seconds,
    places,
    latencyMs,
  })
  console.log(
    [
      `\n${title}, WeChat answers after ${latencyMs} ms`,
      `  logins a second: ${mean.toFixed(0)} on average, ${worst} in the worst second (seconds 3 to ${seconds - 1}), which is ${percent(mean / ceiling)} of what can be`,
      `  a call took ${meanCallMs.toFixed(0)} ms on average`,
      `  answers: ${list(statuses)} · calls: ${list(outcomes)} · breaker openings: ${openings}`,
    ].join('\n'),
  )
  if (mean < ceiling * 0.8 || openings > 0) failures.push(title)
}

/** Phones that are opened at once, and each try until they are in. */
async function crowd({ phones, withinMs, seconds }) {
  const { login, report, close } = await start({ latencyMs })
  const doneMs = []
  const statuses = {}
  const startedMs = performance.now()
  let attempts = 0

  const send = async (attempt) => {
    attempts += 1
    const answer = await login(attempt)
    statuses[answer.status] = (statuses[answer.status] ?? 0) + 1
    return answer
  }

  /** As the client does it: sent again when no answer came, a new code at once when it is refused, a pause otherwise. */
  const phone = async () => {
    await delay(Math.random() * withinMs)
    for (let pauseMs = 500; ; ) {
      let attempt = { ...(await login.next()), timeoutMs: 5000 }
      let answer = await send(attempt)
      if (answer.status === 'none') answer = await send(attempt)
      if (answer.status === 400) {
        attempt = { ...(await login.next()), timeoutMs: 5000 }
        answer = await send(attempt)
      }
      if (answer.status === 200) break
      pauseMs = Math.min(60_000, pauseMs * (1.5 + Math.random()))
      await delay(answer.retryAfterSeconds ? answer.retryAfterSeconds * 1000 : pauseMs)
    }
    doneMs.push(performance.now() - startedMs)
  }
  await login.prepare(phones * 2)
  await Promise.all(Array.from({ length: phones }, phone))

  const { openings, outcomes, exchanged } = await report()
  const burnt = exchanged - phones
  const after = (share) => (doneMs[Math.ceil(doneMs.length * share) - 1] / 1000).toFixed(1)
  console.log(
    [
      `\n${phones} phones within ${withinMs / 1000} s, WeChat answers after ${latencyMs} ms`,
      `  in: half after ${after(0.5)} s, 99 % after ${after(0.99)} s, all after ${after(1)} s`,
      `  attempts: ${attempts} · codes burnt: ${burnt} · breaker openings: ${openings}`,
      `  answers: ${list(statuses)} · calls: ${list(outcomes)}`,
    ].join('\n'),
  )
  if (after(1) > seconds || burnt > 0 || openings > 0) failures.push(`${phones} phones`)
  await close()
}

function percent(share) {
  return `${(share * 100).toFixed(0)} %`
}

function list(counts) {
  return Object.entries(counts)
    .map(([name, count]) => `${name} ${count}`)
    .join(', ')
}
