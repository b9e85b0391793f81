import type { FakeNetworkRequest, FakeNetworkResponse } from '@wxlogin/client/testing'
import type { Json } from '@wxlogin/shared'

/** A request as the backend saw it. */
export interface SeenRequest {
  readonly path: string
  readonly header: Readonly<Record<string, string>>
  readonly body: Readonly<Record<string, unknown>>
  /** What came, as text. */
  readonly text: string
}

export type Answer = Omit<FakeNetworkResponse, 'body'> & { readonly body: string }

interface BackendSession {
  readonly id: string
  user: string
  generation: number
  key: string
  reason: string | undefined
}

/** Answers with the wire's shapes, in process; a test can make any answer its own. */
export function createBackend() {
  const seen: SeenRequest[] = []
  const sessions = new Map<string, BackendSession>()
  const logins = new Map<string, { key: string; answer: Answer }>()
  const accessTokens = new Map<string, BackendSession>()
  /** Tokens that looked stolen. */
  const alarms: string[] = []
  const phones = new Map<string, { number: string; movesTo?: string; data?: Json }>()
  const orders: {
    path: string
    times: number
    answer: (request: SeenRequest) => Answer | 'drop' | undefined
  }[] = []
  let codes = 0
  let issued = 0
  let expiresIn = 900
  let data: Json | undefined
  let added: object = {}

  function tokensFor(session: BackendSession, withData?: boolean): Answer {
    const accessToken = `access-${++issued}-${session.id}`
    accessTokens.set(accessToken, session)
    return json(200, {
      access_token: accessToken,
      token_type: 'Bearer',
      expires_in: expiresIn,
      refresh_token: `refresh-${session.generation}-${session.id}`,
      refresh_expires_in: 2_592_000,
      user_id: session.user,
      ...(withData && data !== undefined ? { data } : {}),
      ...added,
    })
  }

  function login({ body, header }: SeenRequest): Answer {
    const code = String(body.code)
    const key = String(header['idempotency-key'])
    const before = logins.get(code)
    if (before) return before.key === key ? before.answer : refusal(400, 'invalid_code')
    const user = /^code-\d+-(.+)$/.exec(code)?.[1]
    if (!user) return refusal(400, 'invalid_code')
    end(body.previous_refresh_token, body.previous_idempotency_key)
    const answer = tokensFor(newSession(user, key), true)
    logins.set(code, { key, answer })
    return answer
  }

  function newSession(user: string, key: string): BackendSession {
    const id = `session${sessions.size + 1}`
    const session = { id, user, generation: 0, key, reason: undefined }
    sessions.set(id, session)
    return session
  }

  /** A session is ended by its newest token, or by the one before it with the key that it was used with. */
  function end(token: unknown, key: unknown): BackendSession | undefined {
    const [, generation, ...id] = String(token).split('-')
    const session = sessions.get(id.join('-'))
    if (!session || session.reason) return undefined
    const age = session.generation - Number(generation)
    if (age > 1 || (age === 1 && key !== session.key)) alarms.push(String(token))
    session.reason = 'unknown'
    return session
  }

  /** A phone number's code works once; one that belongs to somebody else opens a session of theirs in place of this. */
  function bindPhone({ body }: SeenRequest, session: BackendSession): Answer {
    const code = String(body.code)
    const phone = phones.get(code)
    phones.delete(code)
    if (!phone) return refusal(400, 'invalid_code')
    const { number, movesTo, data } = phone
    const answer = { phone_number: number, country_code: '86', ...(data !== undefined && { data }) }
    if (!movesTo) return json(200, answer)
    session.reason = 'unknown'
    return json(200, { ...JSON.parse(tokensFor(newSession(movesTo, 'phone')).body), ...answer })
  }

  function refresh({ body, header }: SeenRequest): Answer {
    const [, generation, id] = String(body.refresh_token).split('-')
    const session = sessions.get(String(id))
    const key = String(header['idempotency-key'])
    if (!session) return refusal(400, 'invalid_grant', { reason: 'unknown' })
    if (session.reason) return refusal(400, 'invalid_grant', { reason: session.reason })
    if (Number(generation) === session.generation) {
      session.generation += 1
      session.key = key
      return tokensFor(session)
    }
    if (Number(generation) === session.generation - 1 && key === session.key)
      return tokensFor(session)
    session.reason = 'reused'
    alarms.push(String(body.refresh_token))
    return refusal(400, 'invalid_grant', { reason: 'reused' })
  }

  function answerTo(request: SeenRequest): Answer {
    if (request.path === '/wx/login') return login(request)
    if (request.path === '/wx/refresh') return refresh(request)
    if (request.path === '/wx/logout') {
      const session = end(request.body.refresh_token, request.header['idempotency-key'])
      if (session && request.body.everywhere) {
        for (const other of sessions.values()) {
          if (other.user === session.user) other.reason ??= 'unknown'
        }
      }
      return { statusCode: 204, header: {}, body: '' }
    }
    const { authorization } = request.header
    if (authorization === undefined) return json(200, { path: request.path, user: 'nobody' })
    const session = accessTokens.get(authorization.replace('Bearer ', ''))
    if (!session || session.reason) {
      return refusal(
        401,
        'invalid_token',
        {},
        { 'WWW-Authenticate': 'Bearer error="invalid_token"' },
      )
    }
    if (request.path === '/wx/phone') return bindPhone(request, session)
    return json(200, { path: request.path, user: session.user })
  }

  /** The user whose access token this is. */
  function userOf(authorization: string | undefined): string | undefined {
    return accessTokens.get(String(authorization).replace('Bearer ', ''))?.user
  }

  return {
    /** For `createFakeWx({ network })`. */
    async network({ url, header, body }: FakeNetworkRequest): Promise<FakeNetworkResponse> {
      const text = typeof body === 'string' ? body : new TextDecoder().decode(body)
      const request: SeenRequest = {
        path: url.replace(/^https?:\/\/[^/?#]+/i, ''),
        header,
        body: text.startsWith('{') ? JSON.parse(text) : {},
        text,
      }
      seen.push(request)
      const order = orders.find(({ path, times }) => times > 0 && request.path.startsWith(path))
      if (order) {
        order.times -= 1
        const answer = order.answer(request)
        if (answer === 'drop') throw new Error('the connection broke')
        if (answer) return answer
      }
      return answerTo(request)
    },
    /** For `createFakeWx({ handshake })`: opens for a token that is known, and for none. */
    handshake: ({ header }: { readonly header: Readonly<Record<string, string>> }): number =>
      header.authorization === undefined || userOf(header.authorization) ? 101 : 401,
    userOf,
    /** A code of the phone button. */
    phoneCode(phone: { number: string; movesTo?: string; data?: Json }): string {
      const code = `phone-${++codes}`
      phones.set(code, phone)
      return code
    },
    /** What `GET /prefetch` answers for this user. */
    prefetchFor(user: string, prefetched?: Json): object {
      const { body } = tokensFor(newSession(user, 'prefetch'), true)
      return { ...JSON.parse(body), ...(prefetched !== undefined && { prefetched }) }
    },
    /** For `createFakeWx({ wechat })`. */
    wechat: {
      codeFor: (user: string) => `code-${++codes}-${user}`,
    },
    seen: (path: string): readonly SeenRequest[] => seen.filter((request) => request.path === path),
    /** Makes the next answers to this path; `undefined` leaves it to the backend, `'drop'` breaks the connection. */
    answer(
      path: string,
      answer: Answer | 'drop' | ((request: SeenRequest) => Answer | 'drop' | undefined),
      { times = Number.POSITIVE_INFINITY } = {},
    ) {
      orders.unshift({ path, times, answer: typeof answer === 'function' ? answer : () => answer })
    },
    /** Forgets the access tokens issued so far. */
    expireAccess: () => accessTokens.clear(),
    /** Ends all sessions for this reason. */
    endSessions(reason: string) {
      accessTokens.clear()
      for (const session of sessions.values()) session.reason = reason
    },
    setExpiresIn(seconds: number) {
      expiresIn = seconds
    },
    setData(value: Json) {
      data = value
    },
    /** What all answers with tokens have besides. */
    addMembers(members: object) {
      added = members
    },
    alarms,
    /** How many sessions still live. */
    livingSessions: () => [...sessions.values()].filter(({ reason }) => !reason).length,
  }
}

export function json(
  statusCode: number,
  body: unknown,
  header: Record<string, string> = {},
): Answer {
  return {
    statusCode,
    header: { 'Content-Type': 'application/json', ...header },
    body: JSON.stringify(body),
  }
}

/** An error as the wire words it. */
export function refusal(
  statusCode: number,
  error: string,
  more: Record<string, unknown> = {},
  header: Record<string, string> = {},
): Answer {
  return json(statusCode, { error, error_description: `${error} it is`, ...more }, header)
}
