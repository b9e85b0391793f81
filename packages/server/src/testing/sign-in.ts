import type { Auth } from '../auth.js'
import { checkNames, type OptionNames } from '../option-checks.js'
import type { UserId } from '../session.js'

export interface SignInOptions<Claims extends object = object> {
  /** Who signs in; any string will do. */
  openid: string
  unionid?: string
  /** May be left out if there is just one mini program. */
  appId?: string
  /** Your own id of the user; without it the user gets the same id as in a login without `onLogin`. */
  userId?: UserId
  /** In place of the `claims` option. */
  claims?: Claims
}

const names: OptionNames<SignInOptions> = {
  openid: true,
  unionid: true,
  appId: true,
  userId: true,
  claims: true,
}

export interface SignedIn {
  /** To send with a request: `{ authorization: 'Bearer …' }`. */
  readonly headers: { readonly authorization: string }
  readonly accessToken: string
  readonly refreshToken: string
  readonly userId: string
}

/**
 * Signs a user in for a test of your own routes, without WeChat.
 *
 * @example
 * const { headers } = await signIn(auth, { openid: 'alice', userId: 7 })
 * await request(app).get('/orders').set(headers).expect(200)
 */
export async function signIn<Claims extends object>(
  auth: Auth<Claims>,
  options: SignInOptions<Claims>,
): Promise<SignedIn> {
  if (typeof auth?.sessions?.create !== 'function') {
    throw new TypeError('signIn takes what createAuth returned, and then whom to sign in')
  }
  checkNames('signIn', options, names)
  const { openid, unionid, appId, claims } = options
  const answer = await auth.sessions.create({
    account: {
      openid,
      ...(unionid !== undefined && { unionid }),
      ...(appId !== undefined && { appId }),
    },
    // As it is: sessions.create refuses one that is there and undefined.
    ...('userId' in options && { userId: options.userId }),
    ...(claims !== undefined && { claims }),
  })
  return {
    headers: { authorization: `Bearer ${answer.access_token}` },
    accessToken: answer.access_token,
    refreshToken: answer.refresh_token,
    userId: answer.user_id,
  }
}
