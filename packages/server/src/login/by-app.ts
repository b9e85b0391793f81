import type { AppKind, TokenAnswer } from '@wxlogin/shared'
import { keyHashOf, randomId } from '../crypto/random-id.js'
import { AuthError } from '../errors.js'
import { checkClaims } from '../hooks.js'
import { type ArgumentRules, checkArguments } from '../option-checks.js'
import { type Account, accountOf, checkUserId, type UserId } from '../session.js'
import type { ServedApps } from '../wechat/apps.js'
import type { OpenSession } from './open-session.js'

/** A session that is created without a code. */
export interface CreateSessionInput<Claims extends object = object> {
  /** `appId` may be left out if there is just one app, and `kind`, which follows from it. */
  readonly account: Omit<Account, 'appId' | 'kind'> & {
    readonly appId?: string
    readonly kind?: AppKind
  }
  readonly userId?: UserId
  readonly device?: string
  /** Used for the first access token in place of the `claims` option. */
  readonly claims?: Claims
}

export interface LoginByAppNeeds<Claims extends object> {
  readonly apps: ServedApps
  readonly openSession: OpenSession<Claims>
  readonly now: () => number
}

/** The app vouches for the account and has already decided whose it is, so `onLogin` is not called. */
export function createLoginByApp<Claims extends object>({
  apps,
  openSession,
  now,
}: LoginByAppNeeds<Claims>): (input: CreateSessionInput<Claims>) => Promise<TokenAnswer> {
  return async (input) => {
    checkArguments('auth.sessions.create', input, rules)
    checkArguments('account', input.account, accountRules)
    const startedMs = now()
    const { openid, unionid, ...account } = input.account
    const { device, claims } = input
    // One that is there and undefined is a mistake, and would be a stranger.
    const userId = 'userId' in input ? checkUserId(input.userId) : undefined
    if (openid === '') throw new TypeError('account.openid must be a non-empty string')
    const { appId, kind } = await apps.of(account.appId, account.kind)
    const opened = await openSession({
      method: 'app',
      id: randomId(),
      account: accountOf({ appId, kind, openid, unionid }),
      idempotencyKeyHash: keyHashOf(),
      canComeAgain: false,
      device,
      known: { userId, ...(claims && { claims: checkClaims(claims) }) },
      startedMs,
    })
    if (opened) return opened.answer
    throw new AuthError('store_unavailable', 'The store rejected a new session with a random id')
  }
}

const rules: ArgumentRules<CreateSessionInput> = {
  account: 'object',
  userId: 'anything',
  device: 'string?',
  claims: 'object?',
}

const accountRules: ArgumentRules<CreateSessionInput['account']> = {
  openid: 'string',
  unionid: 'string?',
  appId: 'string?',
  kind: 'string?',
}
