import {
  AuthError,
  type AuthOptions,
  checkHookAnswer,
  type HookContext,
  type LoginDecision,
} from '@wxlogin/server'
import { hasRoundedNumber } from './rounded-numbers.js'
import type { Reply, Send } from './webhook-call.js'
import { signatureHeaders } from './webhook-signature.js'

/** The hooks that can be webhooks. */
export const hookNames = ['onLogin', 'claims', 'onPhoneNumber'] as const

type HookName = (typeof hookNames)[number]

/** What the body says it is. */
const types: Readonly<Record<HookName, string>> = {
  onLogin: 'login',
  claims: 'claims',
  onPhoneNumber: 'phone',
}

/** Calls back after a time; what it returns takes that back. */
export type Timer = (delayMs: number, callBack: () => void) => () => void

export interface WebhookOptions {
  /** Where each is sent. What is not named is not called. */
  readonly urls: Readonly<Partial<Record<HookName, string>>>
  readonly secrets: readonly Uint8Array[]
  readonly send: Send
  readonly now: () => number
  readonly timer?: Timer
}

type Hooks = Pick<AuthOptions, HookName>

/** Both attempts and what is between them, in milliseconds: a phone waits for it. */
export const webhookTimeoutMs = 2_000

const pauseMs = 100
const retried: ReadonlySet<number> = new Set([502, 503, 504])

/** The hooks of `createAuth`, each of which asks a backend in whatever language. */
export function createWebhooks({
  urls,
  secrets,
  send,
  now,
  timer = startTimer,
}: WebhookOptions): Hooks {
  /** Asks, and asks once more if there was no answer or a proxy's. Throws what the phone is to hear. */
  async function ask(hook: HookName, url: string, id: string, about: object): Promise<unknown> {
    const body = JSON.stringify({ type: types[hook], ...about })
    const attempt = (signal: AbortSignal) => {
      const sentAt = Math.floor(now() / 1000)
      const headers = {
        'content-type': 'application/json; charset=utf-8',
        'content-length': String(Buffer.byteLength(body)),
        accept: 'application/json',
        'user-agent': 'wxlogin-serve',
        ...signatureHeaders(secrets, { id, sentAt, body }),
      }
      return send(url, headers, body, signal)
    }
    const reply = await within(hook, timer, async (signal) => {
      const first = await attempt(signal).catch((error: unknown) => {
        if (signal.aborted) throw error
        return undefined
      })
      if (first && !retried.has(first.status)) return first
      await pause(timer, signal)
      return attempt(signal)
    })
    return readAnswer(hook, reply)
  }

  const { onLogin, claims, onPhoneNumber } = urls
  return {
    ...(onLogin !== undefined && {
      async onLogin(account, { input, device, previous, callId, request }) {
        const about = { ...account, input: input ?? null, device, previous, ip: request?.ip }
        return (await ask('onLogin', onLogin, callId, about)) as LoginDecision
      },
    }),
    ...(claims !== undefined && {
      async claims({ userId, appId }, { callId, request }: HookContext) {
        const about = { appId, userId, ip: request?.ip }
        return (await ask('claims', claims, callId, about)) as object
      },
    }),
    ...(onPhoneNumber !== undefined && {
      async onPhoneNumber({ phoneNumber, countryCode, session, account, callId, request }) {
        const { id: sessionId, userId } = session
        const about = { ...account, userId, sessionId, phoneNumber, countryCode, ip: request?.ip }
        return (await ask('onPhoneNumber', onPhoneNumber, callId, about)) as LoginDecision
      },
    }),
  }
}

/** One deadline over all of it. */
async function within(
  hook: HookName,
  timer: Timer,
  work: (signal: AbortSignal) => Promise<Reply>,
): Promise<Reply> {
  const controller = new AbortController()
  const late = new Promise<never>((_, reject) => {
    controller.signal.addEventListener('abort', () => reject(controller.signal.reason))
  })
  const stop = timer(webhookTimeoutMs, () =>
    controller.abort(unavailable(hook, `has not answered within ${webhookTimeoutMs} ms`)),
  )
  try {
    return await Promise.race([work(controller.signal), late])
  } catch (cause) {
    if (cause instanceof AuthError) throw cause
    // Its reason is the deadline's, even where what was aborted says it otherwise.
    if (controller.signal.aborted) throw controller.signal.reason
    throw unavailable(hook, 'could not be reached; see cause', { cause })
  } finally {
    stop()
  }
}

function pause(timer: Timer, signal: AbortSignal): Promise<void> {
  return new Promise((over) => {
    const stop = timer(pauseMs, over)
    signal.addEventListener('abort', () => {
      stop()
      over()
    })
  })
}

function readAnswer(hook: HookName, { status, retryAfter, body }: Reply): unknown {
  if (body === undefined) throw unavailable(hook, `answered ${status} with too much`)
  if (status === 403) throw refusalIn(hook, body)
  if (status < 200 || status > 299) {
    throw unavailable(hook, `answered ${status}${hintFor(status)}`, {
      retryAfterSeconds: secondsIn(retryAfter),
    })
  }
  // No code that was forgotten, and no connection that broke, says so: each account would be a new user.
  if (body.length === 0 && status !== 204) {
    throw unavailable(
      hook,
      `answered ${status} with nothing; let it answer {} or 204 if it has nothing to say`,
    )
  }
  const text = textIn(body)
  if (text === undefined)
    throw unavailable(hook, `answered ${status} in another encoding than UTF-8`)
  const answer = status === 204 ? {} : parse(text)
  if (typeof answer !== 'object' || answer === null || Array.isArray(answer)) {
    throw unavailable(hook, `answered ${status} with something that is no JSON object`)
  }
  try {
    checkHookAnswer(hook, answer)
  } catch (cause) {
    throw unavailable(hook, 'gave an answer that cannot be used; see cause', { cause })
  }
  if (hasRoundedNumber(text)) {
    throw unavailable(hook, 'gave a whole number that is not exact in JSON; let it send a text')
  }
  return answer
}

function hintFor(status: number): string {
  if (status >= 300 && status < 400) return '; write the address that it redirects to'
  return status === 401
    ? '; does the backend have the same webhooks.secret? Are both clocks right?'
    : ''
}

/** Only what says so in our words: a firewall on the way refuses with the same status, and would sign everybody out. */
function refusalIn(hook: HookName, body: Uint8Array): AuthError {
  const { reason, scope } = Object(parse(textIn(body) ?? ''))
  if (typeof reason !== 'string' || !/^[\w.:-]{1,64}$/.test(reason)) {
    return unavailable(
      hook,
      'answered 403 without { "reason" }, so it may not have been the backend',
    )
  }
  return new AuthError('access_denied', `The webhook ${hook} refused the user`, {
    reason,
    ...(scope === 'attempt' && { scope }),
  })
}

function unavailable(
  hook: HookName,
  what: string,
  {
    cause,
    retryAfterSeconds = 2,
  }: { readonly cause?: unknown; readonly retryAfterSeconds?: number | undefined } = {},
): AuthError {
  return new AuthError('temporarily_unavailable', `The webhook ${hook} ${what}`, {
    retryAfterSeconds,
    ...(cause !== undefined && { cause }),
  })
}

/** What an answer of 429 or 503 asks for, within what a phone may be asked to wait. */
function secondsIn(retryAfter: string | undefined): number | undefined {
  const seconds = /^\d{1,6}$/.test(retryAfter ?? '') ? Number(retryAfter) : Number.NaN
  return seconds > 0 ? Math.min(seconds, 60) : undefined
}

/** What is read as UTF-8 and is none would be the same replacement characters for everybody. */
function textIn(body: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(body)
  } catch {
    return undefined
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function startTimer(delayMs: number, callBack: () => void): () => void {
  const timer = setTimeout(callBack, delayMs)
  return () => clearTimeout(timer)
}
