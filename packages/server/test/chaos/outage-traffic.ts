import { setTimeout as delay } from 'node:timers/promises'
import { idempotencyHeader, type TokenAnswer } from '@wxlogin/shared'
import type { FakeWeChat } from '../../src/testing/index.js'
import { newKey } from '../set-up.js'

export interface OutageTraffic {
  /** Resolves when every user has a session. */
  begins(): Promise<void>
  /** What becomes of those who have a session. */
  readonly live: { readonly requests: number; readonly refreshes: number; readonly failed: number }
  /** What becomes of those who want one. */
  readonly logins: {
    readonly served: number
    readonly refused: number
    /** Refusals that did not say when to come back. */
    readonly unclear: number
    /** Codes that were on their way when a connection ended: their phones take new ones. */
    readonly lost: number
    readonly other: number
  }
  /** How long each answer took since `forgetTimes`, in milliseconds. */
  readonly times: { readonly live: number[]; readonly refused: number[] }
  forgetTimes(): void
  end(): Promise<void>
}

interface OutageTrafficOptions {
  /** Of the backend: `/wx` has its login, `/orders` wants a session. */
  readonly url: string
  readonly wechat: FakeWeChat
  readonly users: number
  readonly newcomers: number
}

/** Phones of users with sessions, which ask and refresh, and of others, which log in and give up no time to wait. */
export function startOutageTraffic({
  url,
  wechat,
  users,
  newcomers,
}: OutageTrafficOptions): OutageTraffic {
  const live = { requests: 0, refreshes: 0, failed: 0 }
  const logins = { served: 0, refused: 0, lost: 0, unclear: 0, other: 0 }
  const times = { live: [] as number[], refused: [] as number[] }
  const began = new Set<string>()
  let isOver = false

  const logIn = (person: string) =>
    post(`${url}/wx/login`, { code: wechat.codeFor(person), app_id: wechat.app.appId })

  function note({ status, tookMs }: Answer): void {
    if (status !== 200) live.failed++
    times.live.push(tookMs)
  }

  /** Asks again and again, and refreshes every fourth time. */
  async function useSession(person: string): Promise<void> {
    let tokens = tokensIn(await logIn(person))
    began.add(person)
    for (let turn = 1; !isOver; turn++) {
      const headers = { authorization: `Bearer ${tokens.access_token}` }
      note(await send(`${url}/orders`, { headers }))
      live.requests++
      if (turn % 4 === 0) {
        const refreshed = await post(`${url}/wx/refresh`, { refresh_token: tokens.refresh_token })
        note(refreshed)
        live.refreshes++
        tokens = tokensIn(refreshed)
      }
      await delay(20)
    }
  }

  async function tryToLogIn(person: string): Promise<void> {
    while (!isOver) {
      const { status, text, retryAfter, tookMs } = await logIn(person)
      if (status === 200) logins.served++
      else if (status === 503) {
        logins.refused++
        times.refused.push(tookMs)
        if (!(retryAfter > 0)) logins.unclear++
      } else if (status === 400 && JSON.parse(text).reason === 'lost') logins.lost++
      else logins.other++
      await delay(20)
    }
  }

  const people = Promise.all([
    ...Array.from({ length: users }, (_, n) => useSession(`user ${n}`)),
    ...Array.from({ length: newcomers }, (_, n) => tryToLogIn(`newcomer ${n}`)),
  ])
  // Seen by `end`; until then a rejection must not end the process.
  people.catch(() => undefined)

  return {
    async begins() {
      while (began.size < users) await Promise.race([delay(10), people])
    },

    live,
    logins,
    times,

    forgetTimes() {
      times.live.length = 0
      times.refused.length = 0
    },

    async end() {
      isOver = true
      await people
    },
  }
}

interface Answer {
  readonly status: number
  readonly text: string
  readonly retryAfter: number
  readonly tookMs: number
}

async function send(url: string, init?: RequestInit): Promise<Answer> {
  const startedMs = performance.now()
  const response = await fetch(url, init)
  const text = await response.text()
  const tookMs = performance.now() - startedMs
  const retryAfter = Number(response.headers.get('retry-after'))
  return { status: response.status, text, retryAfter, tookMs }
}

const post = (url: string, body: object): Promise<Answer> =>
  send(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', [idempotencyHeader]: newKey() },
    body: JSON.stringify(body),
  })

/** Rejects when the answer is not tokens, which ends the test. */
function tokensIn({ status, text }: Answer): TokenAnswer {
  if (status !== 200) throw new Error(`A user with a session was answered ${status} ${text}`)
  return JSON.parse(text)
}
