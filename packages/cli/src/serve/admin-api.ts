import { randomUUID } from 'node:crypto'
import { type Auth, AuthError, type AuthEvent, type ErrorBody } from '@wxlogin/server'
import { type Body, malformed, readBody, statuses, type Takes } from './admin-body.js'
import { createKeyCheck } from './admin-key.js'
import { checkMayBeCalled, checkMayBeToldOf } from './wechat-secrets.js'

/** What is used of an `Auth`. */
export type AdministeredAuth = Pick<Auth, 'sessions' | 'sign' | 'tickets' | 'wechat'>

export interface AdminApiOptions {
  readonly auth: AdministeredAuth
  /** Of 32 bytes or more, ASCII without spaces; any of them passes. */
  readonly keys: readonly string[]
  /** Hears of what could not be served, as a `failure` (status 500 and above). */
  readonly onEvent?: (event: AuthEvent) => void
}

/** An answer: JSON, or a file of WeChat's. */
type Answer = object | { readonly bytes: Uint8Array; readonly type: string }

interface Route {
  readonly takes: Takes
  run(body: Body): Promise<Answer>
}

/** Which session is meant: the `sub` and the `sid` of its access token. */
const session: Takes = { user_id: 'id', session_id: 'text' }

const call: Takes = {
  app_id: 'text?',
  method: 'text',
  path: 'text',
  query: 'texts?',
  body: 'object?',
}

/**
 * The API for the operator's own backend, in whatever language: it ends sessions, asks whose they are, signs, issues and
 * redeems tickets, and calls WeChat. It makes no tokens, so who has its key can end sessions, and cannot become a user;
 * and no answer holds a `session_key` or an access token. Every route is a POST of a JSON object, so that no id of a user
 * stands in a path, where it would be escaped wrongly, or logged.
 *
 * What it returns never rejects.
 */
export function adminApi({
  auth,
  keys,
  onEvent,
}: AdminApiOptions): (request: Request) => Promise<Response> {
  const hasKey = createKeyCheck(keys)
  const routes = routesOf(auth)

  async function answer(request: Request): Promise<Response> {
    const { pathname, search } = new URL(request.url)
    const route = routes.get(pathname)
    if (!route) throw malformed('The admin API has no such route', 'no_route')
    if (request.method !== 'POST') throw malformed('This route accepts POST only', 'method')
    if (search !== '') {
      throw malformed('No route takes a query: what is in one ends up in logs. Use the body')
    }
    const told = await route.run(await readBody(request, route.takes))
    if ('bytes' in told && told.bytes instanceof Uint8Array) {
      return new Response(Buffer.from(told.bytes), {
        headers: { ...safeHeaders, 'content-type': told.type },
      })
    }
    return json(200, told)
  }

  return async (request) => {
    // Before anything else is looked at: whoever has no key does not learn which routes there are.
    if (!hasKey(request.headers.get('authorization'))) return withoutKey(request)
    try {
      return await answer(request)
    } catch (error) {
      return refuse(error, request, onEvent)
    }
  }
}

function routesOf(auth: AdministeredAuth): ReadonlyMap<string, Route> {
  const sessionIn = (body: Body) => ({ id: body.text('session_id'), userId: idOf(body) })

  const routes: Readonly<Record<string, Route>> = {
    '/sessions/list': {
      takes: { user_id: 'id' },
      async run(body) {
        const devices = await auth.sessions.list(body.id('user_id'))
        return {
          sessions: devices.map(
            ({ id, appId, kind, method, device, createdAt, lastRefreshAt }) => ({
              session_id: id,
              app_id: appId,
              kind,
              method,
              device,
              created_at: createdAt,
              last_refresh_at: lastRefreshAt,
            }),
          ),
        }
      },
    },

    '/sessions/revoke': {
      takes: {
        user_id: 'id',
        session_id: 'text?',
        all: 'true?',
        except: 'text?',
        reason: 'text?',
      },
      async run(body) {
        const [sessionId, except, reason] = ['session_id', 'except', 'reason'].map(
          body.optionalText,
        )
        // A variable that is not set must not sign a user out everywhere.
        if ((sessionId === undefined) === (body.flag('all') === undefined)) {
          throw malformed('Either "session_id" says which session, or "all" is true')
        }
        if (sessionId !== undefined && except !== undefined) {
          throw malformed('"except" goes with "all", not with "session_id"')
        }
        const revoked = await auth.sessions.revoke({
          userId: body.id('user_id'),
          ...(sessionId !== undefined && { sessionId }),
          ...(except !== undefined && { except }),
          ...(reason !== undefined && { reason }),
        })
        return { revoked }
      },
    },

    '/sessions/account': {
      takes: session,
      async run(body) {
        const { appId, kind, openid, unionid } = await auth.sessions.account(sessionIn(body))
        return { app_id: appId, kind, openid, unionid }
      },
    },

    '/sessions/sign': {
      takes: { ...session, text: 'string', check_key: 'flag?' },
      async run(body) {
        const checkKey = body.flag('check_key') ?? false
        return { signature: await auth.sign(sessionIn(body), body.text('text'), { checkKey }) }
      },
    },

    '/users/forget': {
      takes: { user_id: 'id' },
      async run(body) {
        return { sessions: await auth.sessions.forget(body.id('user_id')) }
      },
    },

    '/tickets/issue': {
      takes: { ...session, audience: 'text', ttl_seconds: 'seconds?' },
      async run(body) {
        const ttlSeconds = body.number('ttl_seconds') ?? 60
        const audience = body.text('audience')
        const ticket = await auth.tickets.issue(sessionIn(body), { audience, ttlSeconds })
        return { ticket, expires_in: ttlSeconds }
      },
    },

    '/tickets/redeem': {
      takes: { ticket: 'text', audience: 'text' },
      async run(body) {
        const { userId, sessionId, account, claims, authenticatedAt } = await auth.tickets.redeem(
          body.text('ticket'),
          { audience: body.text('audience') },
        )
        const { appId, kind, openid, unionid } = account
        return {
          user_id: userId,
          session_id: sessionId,
          authenticated_at: authenticatedAt,
          account: { app_id: appId, kind, openid, unionid },
          claims,
        }
      },
    },

    '/wechat/call': {
      takes: call,
      async run(body) {
        const { method, path, options } = callIn(body)
        const wechat = auth.wechat(body.optionalText('app_id'))
        // A copy, for what it is: it hides from logs what the caller has asked for.
        const answer = { ...(await wechat.call(method, path, options)) }
        checkMayBeToldOf(JSON.stringify(answer), await tokenOf(wechat))
        return answer
      },
    },

    '/wechat/file': {
      takes: { ...call, max_bytes: 'bytes?' },
      async run(body) {
        const { method, path, options } = callIn(body)
        const maxBytes = body.number('max_bytes')
        const wechat = auth.wechat(body.optionalText('app_id'))
        const file = await wechat.callFile(method, path, {
          ...options,
          ...(maxBytes !== undefined && { maxBytes }),
        })
        // What is no picture may be a text.
        const text = file.type.startsWith('image/')
          ? ''
          : Buffer.from(file.bytes).toString('latin1')
        checkMayBeToldOf(text, await tokenOf(wechat))
        return file
      },
    },
  }
  return new Map(Object.entries(routes))
}

/** The access token that a call was made with. It is kept, so nothing is asked for it. */
async function tokenOf(wechat: ReturnType<Auth['wechat']>): Promise<string | undefined> {
  return wechat.accessToken().then(
    ({ token }) => token,
    () => undefined,
  )
}

/** As tokens have it, whatever JSON had. */
const idOf = (body: Body): string => String(body.id('user_id'))

function callIn(body: Body) {
  const method = body.text('method')
  if (method !== 'GET' && method !== 'POST') throw malformed('"method" must be GET or POST')
  const path = body.text('path')
  checkMayBeCalled(path)
  const [query, sent] = [body.texts('query'), body.object('body')]
  const options = {
    ...(query !== undefined && { query }),
    ...(sent !== undefined && { body: sent }),
  }
  return { method, path, options } as const
}

const safeHeaders = {
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
} as const

function json(status: number, value: object, headers: Readonly<Record<string, string>> = {}) {
  return new Response(JSON.stringify(value).replace(/[\u2028\u2029]/g, escaped), {
    status,
    headers: { ...safeHeaders, ...headers, 'content-type': 'application/json; charset=utf-8' },
  })
}

const escaped = (separator: string) => `\\u${separator.charCodeAt(0).toString(16)}`

/** RFC 6750 §3: without credentials there is no error to speak of. */
function withoutKey({ headers }: Request): Response {
  const error = headers.has('authorization') ? ', error="invalid_token"' : ''
  const body: ErrorBody = {
    error: 'invalid_token',
    error_description: 'The Authorization header must be "Bearer", a space and the admin key',
  }
  return json(401, body, {
    'www-authenticate': `Bearer realm="wxlogin admin"${error}`,
    ...unreadBody,
  })
}

/** What the caller can decide by. A backend of the operator's own may read what is wrong with this one. */
interface AdminErrorBody extends ErrorBody {
  /** WeChat's number, and its name for this call, where it was WeChat that refused. */
  readonly errcode?: number
  readonly rid?: string
}

function refuse(error: unknown, request: Request, onEvent: AdminApiOptions['onEvent']): Response {
  const failure = toAuthError(error)
  const { code, description, reason, errcode, rid, headers } = failure
  const unread = code === 'invalid_request' ? unreadStatuses.get(reason) : undefined
  const status = unread ?? failure.status
  const requestId = status < 500 ? undefined : requestIdOf(request)
  if (requestId !== undefined) onEvent?.({ type: 'failure', code, requestId, error: failure })
  const retryAfter = headers['retry-after']
  const body: AdminErrorBody = {
    error: code,
    error_description: description,
    ...(reason !== undefined && { reason }),
    ...(errcode !== undefined && { errcode }),
    ...(rid !== undefined && { rid }),
    ...(requestId !== undefined && { request_id: requestId }),
  }
  return json(status, body, {
    ...(retryAfter !== undefined && { 'retry-after': retryAfter }),
    ...(status === 405 && { allow: 'POST' }),
    ...(unread !== undefined && unreadBody),
  })
}

/** The statuses of requests whose body was not read to its end. */
const unreadStatuses: ReadonlyMap<string | undefined, number> = new Map(Object.entries(statuses))

const unreadBody = { connection: 'close' } as const

function toAuthError(error: unknown): AuthError {
  // 401 is about the key alone: a session that is over is an answer.
  if (error instanceof AuthError && error.code === 'invalid_token') {
    return new AuthError('invalid_grant', 'This user has no such session, or it has ended', {
      reason: 'unknown',
    })
  }
  if (error instanceof AuthError) return error
  // What the library says of an argument, and what a body may hold of it was checked before.
  if (error instanceof TypeError) return malformed(error.message)
  return new AuthError('server_error', 'Unexpected error; the events say which', { cause: error })
}

function requestIdOf({ headers }: Request): string {
  const given = headers.get('x-request-id') ?? ''
  return /^[\w-]{1,64}$/.test(given) ? given : randomUUID()
}
