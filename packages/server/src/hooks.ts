import type { Json } from '@wxlogin/shared'
import { AuthError } from './errors.js'
import { checkFunctions } from './option-checks.js'
import type { Account, Session } from './session.js'

/** What `onLogin` learns about a login besides the account. */
export interface LoginContext {
  /** What the client sent along with the login (`loginInput`). It comes from outside: check it. */
  readonly input: unknown
  readonly device?: string
  /** The session that this login replaces, where the client still had a live one. Use it to merge a guest's data. */
  readonly previous?: PreviousSession
}

export type PreviousSession = Pick<Session, 'id' | 'userId' | 'appId'>

/** What `onLogin` returns. */
export interface LoginDecision {
  /** Your own id of the user. Without it the user gets a stable opaque id made from AppID and openid. */
  userId?: string | number
  /** Sent to the client with the tokens. */
  data?: Json
}

/** What `onPhoneNumber` learns. The number comes from WeChat, for a code that only this account's tap can give. */
export interface PhoneContext<Claims extends object = object> {
  /** Without the country code. */
  readonly phoneNumber: string
  /** `'86'` for example. */
  readonly countryCode: string
  readonly session: Session<Claims>
  readonly account: Account
}

/** What `onPhoneNumber` returns. */
export interface PhoneDecision {
  /** Whose number it is. Another user than the session's moves the session to that user. */
  userId?: string | number
  /** Sent to the client with the number. */
  data?: Json
}

/** What `onPrefetch` learns of a mini program that is being opened. All but session and account comes from outside. */
export interface PrefetchContext {
  readonly session: Pick<Session, 'id' | 'userId' | 'appId'>
  readonly account: Account
  /** The page that is being opened. */
  readonly path: string
  /** The query of that page, as text. */
  readonly query: string
  /** WeChat's number of the place that it is opened from. */
  readonly scene: number
}

/** The app's own functions. */
export interface HookOptions<Claims extends object = object> {
  /**
   * Links the WeChat account to your user. It may run again for the same login, so make it an upsert. To refuse a
   * user, throw `new AuthError('access_denied', message, { reason })`; anything else that is thrown is a 500.
   */
  onLogin?: (
    account: Account,
    context: LoginContext,
    // biome-ignore lint/suspicious/noConfusingVoidType: a hook that returns nothing is the usual one
  ) => LoginDecision | undefined | void | Promise<LoginDecision | undefined | void>
  /**
   * What goes into the access token, asked at login and at every refresh, so it is never older than one access life.
   * Throwing `access_denied` ends the session.
   */
  claims?: (user: { readonly userId: string; readonly appId: string }) => Claims | Promise<Claims>
  /**
   * Called when a signed-in user gave the phone number (`POST /phone`). Return the `userId` of the user whose number it
   * is, and the session moves there. Throw `access_denied` to refuse.
   */
  onPhoneNumber?: (
    context: PhoneContext<Claims>,
    // biome-ignore lint/suspicious/noConfusingVoidType: a hook that returns nothing is the usual one
  ) => PhoneDecision | undefined | void | Promise<PhoneDecision | undefined | void>
  /**
   * Serves WeChat's data pre-fetch (数据预拉取) at `GET /prefetch`, so that a mini program can be logged in before its
   * code has loaded. What it returns is handed to the mini program with the tokens, up to 256 KB in all; it may be
   * `undefined`. Without it there is no such route.
   */
  onPrefetch?: (context: PrefetchContext) => Json | undefined | Promise<Json | undefined>
}

/** The app's own functions as the rest calls them. What they return has been looked at, and is a copy. */
export interface Hooks<Claims extends object> {
  onLogin(account: Account, context: LoginContext): Promise<LoginDecision>
  claims(user: { readonly userId: string; readonly appId: string }): Promise<Claims>
  /** Without the option the claims of a user cannot have changed. */
  readonly hasClaims: boolean
  onPhoneNumber(context: PhoneContext<Claims>): Promise<PhoneDecision>
  onPrefetch?(context: PrefetchContext): Promise<Json | undefined>
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

    async onLogin(account, context) {
      return decisionOf('onLogin', await callHook('onLogin', () => onLogin?.(account, context)))
    },

    async claims({ userId, appId }) {
      // Without the option nothing is promised about the claims, so their type is the empty one.
      if (!claims) return {} as Claims
      return checkClaims(await callHook('claims', () => claims({ userId, appId })))
    },

    async onPhoneNumber(context) {
      return decisionOf(
        'onPhoneNumber',
        await callHook('onPhoneNumber', () => onPhoneNumber?.(context)),
      )
    },

    ...(onPrefetch && {
      async onPrefetch(context) {
        const data = await callHook('onPrefetch', () => onPrefetch(context))
        return data === undefined ? undefined : jsonCopy(data, 'The data that onPrefetch returns')
      },
    }),
  }
}

/** Runs a hook of the app: it may refuse or report an outage; whatever else it throws is a bug of the app. */
export async function callHook<T>(name: string, hook: () => T | Promise<T>): Promise<T> {
  try {
    return await hook()
  } catch (cause) {
    if (cause instanceof AuthError && (cause.code === 'access_denied' || cause.status >= 500))
      throw cause
    throw new AuthError('server_error', `The ${name} option threw; see cause`, { cause })
  }
}

function decisionOf(
  name: string,
  // biome-ignore lint/suspicious/noConfusingVoidType: a hook that returns nothing is the usual one
  decision: LoginDecision | PhoneDecision | undefined | void,
): LoginDecision {
  const { userId, data } = decision ?? {}
  return {
    ...(userId !== undefined && { userId }),
    ...(data !== undefined && { data: jsonCopy(data, `The data that ${name} returns`) }),
  }
}

// With the other claims and a signature they fit into a token of 4,096 characters, which is all that is verified.
const maxClaimsLength = 2048

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
])

/** The app's claims, checked: a plain object that survives JSON and names nothing that the token itself says. */
export function checkClaims<Claims extends object>(claims: Claims): Claims {
  const copy = jsonCopy(claims, 'What the claims option returns')
  if (typeof copy !== 'object' || copy === null || Array.isArray(copy)) {
    throw new AuthError('server_error', 'The claims option must return an object of JSON values')
  }
  if (JSON.stringify(copy).length > maxClaimsLength) {
    throw new AuthError(
      'server_error',
      `The claims option returned more than ${maxClaimsLength} characters of JSON; every request carries them`,
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
 * A copy that nobody else holds, with exactly what JSON keeps of a value that the app returned.
 * Throws `server_error` for what JSON cannot hold, a circle or a bigint.
 */
function jsonCopy<T>(value: T, what: string): T {
  try {
    return JSON.parse(JSON.stringify(value))
  } catch (cause) {
    throw new AuthError('server_error', `${what} must be made of JSON values`, { cause })
  }
}
