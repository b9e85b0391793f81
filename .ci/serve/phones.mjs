// Phones: the real client on an emulated one, and a script that no killed service makes give up.
import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'

const { createClient } = await import('../../packages/client/dist/index.mjs')
const { createFakeWx } = await import('../../packages/client/dist/testing.mjs')

export function createPhone({ wechat, url, user, trustedOrigins }) {
  const { origin, pathname } = new URL(url)
  const { appId } = wechat.app
  const wx = createFakeWx({ appId, user, wechat })
  return createClient({ baseUrl: origin, authPath: pathname, appId, wx, trustedOrigins })
}

/** Resolves with `{ status, answer }`, or with nothing where the connection broke. */
export async function post(url, body, key = randomUUID()) {
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'idempotency-key': key },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(20_000),
    })
    return { status: response.status, answer: await response.json() }
  } catch {
    return undefined
  }
}

/** Logs in once, and then renews again and again; the same request comes again until there is an answer. */
export function runScript({ wechat, serviceUrl, user, until, lost, count }) {
  const send = async (path, body, key = randomUUID()) => {
    for (;;) {
      const found = await post(serviceUrl() + path, body, key)
      if (found && found.status < 500) return found
      count(found ? `answered ${found.status}` : 'not answered')
      await delay(50)
    }
  }
  const login = async () => {
    for (;;) {
      const body = { code: wechat.codeFor(user), app_id: wechat.app.appId }
      const { status, answer } = await send('/login', body)
      if (status === 200) return answer
      // A code whose answer was lost may be spent; a phone takes another one.
      if (answer.error !== 'invalid_code') throw new Error(`login: ${JSON.stringify(answer)}`)
    }
  }
  return (async () => {
    let { refresh_token, user_id } = await login()
    while (!until()) {
      const { status, answer } = await send('/refresh', { refresh_token })
      if (status !== 200) return lost(`${status} ${JSON.stringify(answer)}`)
      if (answer.user_id !== user_id) return lost('another user')
      refresh_token = answer.refresh_token
      count('refresh')
      await delay(Math.random() * 20)
    }
  })()
}
