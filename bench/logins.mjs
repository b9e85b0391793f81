// Logins over loopback: an emulated WeChat and a backend, each in a thread of its own, and phones' way to them.
import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { Agent, request } from 'undici'

/**
 * Logins that come evenly, each of which is tried once. `mean` and `worst` are logins a second while they come steadily,
 * `ceiling` is how many can be: what comes, or what the places allow for.
 */
export async function steadyLogins({ perSecond, seconds, places, latencyMs }) {
  const { login, report, close } = await start({ latencyMs, maxLoginsInFlight: places })
  const served = Array.from({ length: seconds + 12 }, () => 0)
  const statuses = {}
  const latencies = []
  const all = []
  const startedMs = performance.now()
  const second = () => Math.floor((performance.now() - startedMs) / 1000)
  const track = async () => {
    const attempt = await login.next()
    const fromMs = performance.now()
    const { status } = await login({ ...attempt, timeoutMs: 10_000 })
    statuses[status] = (statuses[status] ?? 0) + 1
    if (status !== 200) return
    served[second()] += 1
    latencies.push(performance.now() - fromMs)
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
  const { openings, outcomes, exchanged, meanCallMs } = await report()
  await close()
  latencies.sort((a, b) => a - b)
  return {
    mean,
    worst: Math.min(...steadily),
    // On a busy machine an answer takes longer to arrive than WeChat to give it.
    ceiling: Math.min(perSecond, (places * 1000) / meanCallMs),
    meanCallMs,
    statuses,
    outcomes,
    openings,
    burnt: exchanged - (statuses[200] ?? 0),
    latencyMs: (share) => latencies[Math.floor((latencies.length - 1) * share)],
  }
}

/** A WeChat, a backend before it, and phones' way to it. */
export async function start({ latencyMs, ...options } = {}) {
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
