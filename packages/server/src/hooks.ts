import { createHash } from 'node:crypto'
import type { Json } from '@wxlogin/shared'
import { withDeadline } from './deadline.js'
import { AuthError } from './errors.js'
import { checkFunctions, kindOf } from './option-checks.js'
import type { RequestHeaders } from './request.js'
import { type Account, readUserId, type Session, type UserId } from './session.js'

/**
 * The request that a hook runs for: material for a risk control or a log, of which this library believes and keeps
 * nothing. Every header is the caller's own word, unless a proxy of yours sets it.
 */
export interface HookRequest {
  /** A header by its name, which is case-insensitive. */
  header(name: string): string | undefined
  /**
   * The address that it came from, where the adapter knows it. Behind a proxy it is the proxy's, unless the framework was
   * told which proxies to trust.
   */
  readonly ip?: string
}

/** What every hook may get to know besides what it is called for. */
export interface HookContext {
  /**
   * Names this call, in 22 characters: the same when the same login or refresh comes again, after a lost answer for
   * example, and another for every other call. It is no secret. For a hook that asks another service, as its idempotency key.
   */
  readonly callId: string
  /** Missing if there is none, for example where the app itself called `auth.login`. */
  readonly request?: HookRequest
}

/** What `onLogin` gets to know about a login besides the account. */
export interface LoginContext extends HookContext {
  /** What the client sent with the login (`loginInput`). It is untrusted: validate it. */
  readonly input: unknown
  readonly device?: string
  /** The session that this login replaces, if the client still had a live one. Use it to merge a guest's data. */
  readonly previous?: PreviousSession
}

export type PreviousSession = Pick<Session, 'id' | 'userId' | 'appId'>

/** What `onLogin` returns. */
export interface LoginDecision {
  /**
   * Your own id of the user: a string, a whole number or a bigint. Without it the user gets a stable opaque id, derived
   * from AppID and openid; one that is there and `undefined` is a `server_error`.
   */
  readonly userId?: UserId
  /** Sent to the client with the tokens. */
  readonly data?: Json
}

/** What `onPhoneNumber` gets to know. The number comes from WeChat, for a code that only this account can get. */
export interface PhoneContext<Claims extends object = object> extends HookContext {
  /** Without the country code. */
  readonly phoneNumber: string
  /** For example `'86'`. */
  readonly countryCode: string
  readonly session: Session<Claims>
  readonly account: Account
}

/** What `onPhoneNumber` returns. */
export interface PhoneDecision {
  /** Whose number it is. If it is another user's, a session of that user takes the place of this one. */
  readonly userId?: UserId
  /** Sent to the client with the number. */
  readonly data?: Json
}

/**
 * What `onPrefetch` gets to know about a mini program being opened. All but `session` and `account` is untrusted; the
 * `request` is WeChat's, not the phone's, and `onLogin` and `claims` do not get it.
 */
export interface PrefetchContext extends HookContext {
  readonly session: Pick<Session, 'id' | 'userId' | 'appId'>
  readonly account: Account
  /** The page that is being opened. */
  readonly path: string
  /** The query string of that page. */
  readonly query: string
  /** WeChat's scene value (场景值), which says where it is opened from. */
  readonly scene: number
}

/** The app's own functions. */
export interface HookOptions<Claims extends object = object> {
  /**
   * Links the WeChat account to your user. It may run again for the same login, so make it an upsert. To refuse a
   * user, throw `new AuthError('access_denied', message, { reason })`, and for a wrong password or SMS code with the
   * scope `attempt`, which costs nobody the session that was there. If what it asks cannot answer now, throw
   * `new AuthError('temporarily_unavailable', message, { retryAfterSeconds })`: there is no session then, and the phone
   * comes back with a new code. What WeChat refuses (`invalid_code`, `rate_limited`, `user_blocked`) may be let through;
   * anything else thrown is a 500, and so is whatever has not settled within 15 seconds, here and in every other function
   * of yours.
   */
  onLogin?: (
    account: Account,
    context: LoginContext,
    // biome-ignore lint/suspicious/noConfusingVoidType: a hook that returns nothing is the usual one
  ) => LoginDecision | undefined | void | Promise<LoginDecision | undefined | void>
  /**
   * The claims of the access token, asked for at login and at every refresh, so they are never older than the lifetime
   * of one access token. Throwing `access_denied` ends the session, unless its scope is `attempt`; after
   * `temporarily_unavailable` the same refresh token gets in later.
   */
  claims?: (
    user: { readonly userId: string; readonly appId: string },
    context: HookContext,
  ) => Claims | Promise<Claims>
  /**
   * Called when a signed-in user shares their phone number (`POST /phone`). Return the `userId` of the user whose
   * number it is; a session of that user then takes the place of this one. Throw `access_denied` to refuse, and
   * `temporarily_unavailable` if that cannot be said now: the code of the button is used up all the same.
   */
  onPhoneNumber?: (
    context: PhoneContext<Claims>,
    // biome-ignore lint/suspicious/noConfusingVoidType: a hook that returns nothing is the usual one
  ) => PhoneDecision | undefined | void | Promise<PhoneDecision | undefined | void>
  /**
   * Serves WeChat's data pre-fetch (数据预拉取) at `GET /{prefetchPath}/prefetch`, so that a mini program can be logged
   * in before its code has loaded. Its result, which may be `undefined`, goes to the mini program with the tokens, up
   * to 256 KB in total. Without this option there is no such route.
   */
  onPrefetch?: (context: PrefetchContext) => Json | undefined | Promise<Json | undefined>
}

/** What the rest knows of a hook's context; of the request a hook gets no more than {@link HookRequest} says. */
type Known<Context extends HookContext> = Omit<Context, 'request' | 'callId'>

/** What a hook is called for: of which session which tokens, and the request that makes them. */
export interface HookCall {
  readonly id: string
  readonly generation: number
  readonly idempotencyKeyHash: string
}

/** The app's own functions as the rest calls them. What they return is checked and copied. */
export interface Hooks<Claims extends object> {
  onLogin(
    account: Account,
    context: Known<LoginContext>,
    call: HookCall,
    request: RequestHeaders | undefined,
  ): Promise<LoginDecision>
  claims(
    user: { readonly userId: string; readonly appId: string },
    call: HookCall,
    request: RequestHeaders | undefined,
  ): Promise<Claims>
  /** Without the option the claims of a user never change. */
  readonly hasClaims: boolean
  onPhoneNumber(
    context: Known<PhoneContext<Claims>>,
    call: HookCall,
    request: RequestHeaders | undefined,
  ): Promise<PhoneDecision>
  onPrefetch?(
    context: Known<PrefetchContext>,
    call: HookCall,
    request: RequestHeaders,
  ): Promise<Json | undefined>
}

/** A request as a hook sees it. Only an address that is there: frameworks have empty ones for closed connections. */
function contextOf(
  hook: keyof HookOptions,
  call: HookCall,
  request: RequestHeaders | undefined,
): HookContext {
  const callId = callIdOf(hook, call)
  if (!request) return { callId }
  const { ip } = request
  return {
    callId,
    request: {
      header: (name) => request.header(name),
      ...(typeof ip === 'string' && ip && { ip }),
    },
  }
}

function callIdOf(hook: string, { id, generation, idempotencyKeyHash }: HookCall): string {
  return createHash('sha256')
    .update(['wxlogin:hook', hook, id, generation, idempotencyKeyHash].join(':'))
    .digest('base64url')
    .slice(0, 22)
}

export function createHooks<Claims extends object>({
  onLogin,
  claims,
  onPhoneNumber,
  onPrefetch,
}: HookOptions<Claims>): Hooks<Claims> {
  checkFunctions({ onLogin, claims, onPhoneNumber, onPrefetch })

  return {
    hasClaims: claims !== undefined,

    async onLogin(account, known, call, request) {
      return decisionOf(
        'onLogin',
        await callHook('onLogin', () =>
          onLogin?.(account, { ...known, ...contextOf('onLogin', call, request) }),
        ),
      )
    },

    async claims({ userId, appId }, call, request) {
      // Without the option nothing is known about the claims, so their type is the empty one.
      if (!claims) return {} as Claims
      return checkClaims(
        await callHook('claims', () =>
          claims({ userId, appId }, contextOf('claims', call, request)),
        ),
      )
    },

    async onPhoneNumber(known, call, request) {
      return decisionOf(
        'onPhoneNumber',
        await callHook('onPhoneNumber', () =>
          onPhoneNumber?.({ ...known, ...contextOf('onPhoneNumber', call, request) }),
        ),
      )
    },

    ...(onPrefetch && {
      async onPrefetch(known, call, request) {
        const data = await callHook('onPrefetch', () =>
          onPrefetch({ ...known, ...contextOf('onPrefetch', call, request) }),
        )
        return data === undefined ? undefined : jsonCopy(data, 'The data that onPrefetch returns')
      },
    }),
  }
}

// What a hook may say to the client: its own refusal, and what WeChat said when the hook asked it.
const passed: ReadonlySet<string> = new Set(['access_denied', 'rate_limited', 'user_blocked'])

/** Longer than anybody waits for a database, and short enough for the phone to hear of it before it gives up. */
const hookTimeoutMs = 15_000

/**
 * Runs a hook of the app: it may refuse or report an outage; anything else that it throws is a bug in the app, and so is
 * that it does not settle within 15 seconds.
 */
export async function callHook<T>(name: string, hook: () => T | Promise<T>): Promise<T> {
  try {
    const given = hook()
    if (!isPromise(given)) return given
    return await withDeadline(
      hookTimeoutMs,
      () => hangs(name),
      () => Promise.resolve(given),
    )
  } catch (cause) {
    if (cause instanceof AuthError && cause.code === 'invalid_code') throw phoneCodeRefused(cause)
    if (cause instanceof AuthError && (passed.has(cause.code) || cause.status >= 500)) throw cause
    throw new AuthError('server_error', `The ${name} option threw; see cause`, { cause })
  }
}

const isPromise = <T>(given: T | Promise<T>): given is Promise<T> =>
  typeof Object(given).then === 'function'

function hangs(name: string): AuthError {
  return new AuthError(
    'server_error',
    `The ${name} option has not settled within ${hookTimeoutMs / 1000} seconds; give what it waits for a deadline of its own, below that`,
  )
}

/** Not the code of the login, which was good or the hook would not have run: a new one of that kind mends nothing. */
function phoneCodeRefused(cause: AuthError): AuthError {
  const { description, errcode, rid } = cause
  return new AuthError('invalid_code', description, {
    cause,
    reason: 'phone_code',
    ...(errcode !== undefined && { errcode }),
    ...(rid !== undefined && { rid }),
  })
}

/**
 * Checks what a hook is about to return, for one that got it from elsewhere and can say more about a mistake than that
 * it was made. Throws `server_error`, which is what comes of returning it.
 */
export function checkHookAnswer(
  hook: 'onLogin' | 'claims' | 'onPhoneNumber',
  answer: unknown,
): void {
  if (hook === 'claims') checkClaims(Object(answer) === answer ? (answer as object) : [])
  else decisionOf(hook, answer)
}

/** What says nothing that is understood, a row of a table of users for example, would make a stranger of everybody. */
function decisionOf(name: string, decision: unknown): LoginDecision {
  if (decision === undefined) return {}
  const isObject = typeof decision === 'object' && decision !== null && !Array.isArray(decision)
  if (!isObject) throw misunderstood(name, kindOf(decision))
  const hasData = 'data' in decision && decision.data !== undefined
  if (!('userId' in decision || hasData || isEmpty(decision))) {
    throw misunderstood(name, 'an object with neither of the two')
  }
  return {
    ...('userId' in decision && {
      userId: readUserId(decision.userId, (what) =>
        misunderstood(name, `a userId that is ${what}`),
      ),
    }),
    ...(hasData && { data: jsonCopy(decision.data as Json, `The data that ${name} returns`) }),
  }
}

/** A Map or a Date has no members of its own either, and says something all the same. */
function isEmpty(decision: object): boolean {
  const prototype = Object.getPrototypeOf(decision)
  const isPlain = prototype === null || Object.getPrototypeOf(prototype) === null
  return isPlain && Object.keys(decision).every((name) => name === 'data')
}

function misunderstood(name: string, what: string): AuthError {
  return new AuthError(
    'server_error',
    `The ${name} option returned ${what}; return { userId } with an id of your own, { data } without one, or nothing`,
  )
}

// With the other claims and a signature they fit into a token of 4,096 characters; longer ones are not verified.
// Counted in UTF-8, which is what a token is made of.
const maxClaimsBytes = 2048

const reservedClaims: ReadonlySet<string> = new Set([
  'iss',
  'aud',
  'client_id',
  'sub',
  'iat',
  'exp',
  'nbf',
  'jti',
  'sid',
  'auth_time',
])

/** The app's claims, checked: a plain object that survives JSON, without claims that the token itself sets. */
export function checkClaims<Claims extends object>(claims: Claims): Claims {
  const copy = jsonCopy(claims, 'What the claims option returns')
  if (typeof copy !== 'object' || copy === null || Array.isArray(copy)) {
    throw new AuthError('server_error', 'The claims option must return an object of JSON values')
  }
  if (Buffer.byteLength(JSON.stringify(copy)) > maxClaimsBytes) {
    throw new AuthError(
      'server_error',
      `The claims option returned more than ${maxClaimsBytes} bytes of JSON; every request carries them`,
    )
  }
  for (const name of Object.keys(copy)) {
    if (reservedClaims.has(name)) {
      throw new AuthError(
        'server_error',
        `The claims option returned the reserved claim "${name}"; rename it`,
      )
    }
  }
  return copy
}

/**
 * A private copy of a value that the app returned, with exactly what JSON keeps of it.
 * Throws `server_error` for what JSON cannot represent, such as a cycle, a bigint or a Map, of which it keeps nothing.
 */
function jsonCopy<T>(value: T, what: string): T {
  try {
    return JSON.parse(JSON.stringify(value, refuseEmptied))
  } catch (cause) {
    throw new AuthError('server_error', `${what} must be JSON`, { cause })
  }
}

function refuseEmptied(_name: string, value: unknown): unknown {
  if (!(value instanceof Map || value instanceof Set)) return value
  throw new TypeError('JSON keeps nothing of a Map or a Set; use Object.fromEntries or a list')
}
