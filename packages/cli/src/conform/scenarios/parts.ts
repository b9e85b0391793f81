import type { Expected, Member, Send } from '../scenario.js'

/** What scenarios are put together from; what comes out of it is data. */

/** A login of a person, kept under the name of its answer. Another login under the same name has the same code and key. */
export function signIn(person: string, as: string, more: Partial<Send> = {}): Send {
  return {
    send: 'POST /login',
    as,
    key: `$key.${as}Login`,
    body: { code: `$code.${person}.${as}`, app_id: '$appId' },
    ...more,
  }
}

/** The refresh token of an earlier answer is used, with a key of that name. */
export function refresh(from: string, key: string, more: Partial<Send> = {}): Send {
  return {
    send: 'POST /refresh',
    key: `$key.${key}`,
    body: { refresh_token: `$${from}.refresh_token` },
    ...more,
  }
}

export function logout(from: string, more: Partial<Send> = {}): Send {
  return { send: 'POST /logout', body: { refresh_token: `$${from}.refresh_token` }, ...more }
}

/** A route for users who are logged in, with an access token. */
export function guarded(token: string, more: Partial<Send> = {}): Send {
  return { send: 'GET guarded', headers: { authorization: `Bearer ${token}` }, ...more }
}

/** An answer with an error, and what else it has to say. */
export function refusal(
  status: number,
  error: string,
  members: Readonly<Record<string, Member>> = {},
): Expected {
  return { status, members: { error: { is: error }, ...members } }
}

export const malformed: Expected = refusal(400, 'invalid_request')

/** A refresh token that no longer works, for one of these reasons. */
export const dead = (...reasons: readonly string[]): Expected =>
  refusal(400, 'invalid_grant', { reason: { oneOf: reasons } })

export const text: Member = { kind: 'text' }

export const succeeds: Expected = {
  status: 200,
  members: { access_token: text, refresh_token: text },
}

/** The very session of an earlier answer. */
export const sameSession = (as: string): Expected => ({
  status: 200,
  members: { refresh_token: { is: `$${as}.refresh_token` }, user_id: { is: `$${as}.user_id` } },
})
