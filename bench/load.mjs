// What becomes of logins while WeChat is slow but healthy: `npm run load`. Everything is on this machine, WeChat is
// the emulated one, and backend and WeChat have a thread each. Takes about two minutes; fails if logins collapse.
//   node bench/load.mjs phones   only this one of slow, ceiling and phones
import { once } from 'node:events'
import { availableParallelism, loadavg } from 'node:os'
import { setTimeout as delay } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { Agent, request } from 'undici'

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
  const { login, report, close } = await start({ maxLoginsInFlight: places })
  const served = Array.from({ length: seconds + 12 }, () => 0)
  const statuses = {}
  const all = []
  const startedMs = performance.now()
  const second = () => Math.floor((performance.now() - startedMs) / 1000)
  const track = async () => {
    const { status } = await login({ ...(await login.next()), timeoutMs: 10_000 })
    statuses[status] = (statuses[status] ?? 0) + 1
    if (status === 200) served[second()] += 1
  }
  await login.prepare(perSecond * seconds)
  for (let begun = 0; begun < perSecond * seconds; ) {
    const due = Math.min(perSecond * seconds, ((performance.now() - startedMs) / 1000) * perSecond)
    for (; begun < due; begun++) all.push(track())
    await delay(5)
  }
  await Promise.all(all)

  // The first two seconds fill the places, and in the last one the logins run out.
  const steadily = served.slice(2, seconds - 1)
  const mean = steadily.reduce((sum, count) => sum + count, 0) / steadily.length
  const { openings, outcomes, meanCallMs } = await report()
  // On a busy machine an answer takes longer to arrive than WeChat to give it.
  const ceiling = Math.min(perSecond, (places * 1000) / meanCallMs)
  console.log(
    [
      `\n${title}, WeChat answers after ${latencyMs} ms`,
      `  logins a second: ${mean.toFixed(0)} on average, ${Math.min(...steadily)} in the worst second (seconds 3 to ${seconds - 1}), which is ${percent(mean / ceiling)} of what can be`,
      `  a call took ${meanCallMs.toFixed(0)} ms on average`,
      `  answers: ${list(statuses)} · calls: ${list(outcomes)} · breaker openings: ${openings}`,
    ].join('\n'),
  )
  if (mean < ceiling * 0.8 || openings > 0) failures.push(title)
  await close()
}

/** Phones that are opened at once, and each try until they are in. */
async function crowd({ phones, withinMs, seconds }) {
  const { login, report, close } = await start()
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

/** A WeChat, a backend before it, and phones' way to it. */
async function start(options = {}) {
  const wechat = new Worker(new URL('emulator.mjs', import.meta.url), { workerData: { latencyMs } })
  const [{ app, url: wechatUrl }] = await once(wechat, 'message')
  const backend = new Worker(new URL('load-backend.mjs', import.meta.url), {
    workerData: { app, wechatUrl, options },
  })
  const [{ url }] = await once(backend, 'message')
  const agent = new Agent({ pipelining: 1, keepAliveTimeout: 30_000 })
  const ask = async (worker, question) => {
    worker.postMessage(question)
    return (await once(worker, 'message'))[0]
  }

  let codes = []
  let keys = 0
  const login = async ({ code, key, timeoutMs }) => {
    try {
      const { statusCode, headers, body } = await request(`${url}/login`, {
        method: 'POST',
        dispatcher: agent,
        headers: { 'content-type': 'application/json', 'idempotency-key': key },
        body: JSON.stringify({ code, app_id: app.appId }),
        signal: AbortSignal.timeout(timeoutMs),
      })
      await body.dump()
      return { status: statusCode, retryAfterSeconds: Number(headers['retry-after']) || undefined }
    } catch {
      return { status: 'none' }
    }
  }
  login.prepare = async (count) => {
    codes.push(...(await ask(wechat, { codes: count })))
  }
  let fetching
  login.next = async () => {
    while (codes.length === 0) {
      fetching ??= login.prepare(500).finally(() => {
        fetching = undefined
      })
      await fetching
    }
    return { code: codes.pop(), key: `key-${String(keys++).padStart(22, '0')}` }
  }

  return {
    login,
    report: async () => ({ ...(await ask(backend, 'report')), ...(await ask(wechat, 'report')) }),
    close: async () => {
      await agent.destroy()
      await Promise.all([backend.terminate(), wechat.terminate()])
      codes = []
    },
  }
}
