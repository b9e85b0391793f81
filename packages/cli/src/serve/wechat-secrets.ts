import { AuthError } from '@wxlogin/server'

/** What gives out a key or a token. Whoever needs one of them needs the AppSecret too, which is here. */
const closed: ReadonlySet<string> = new Set([
  '/cgi-bin/token',
  '/cgi-bin/stable_token',
  '/cgi-bin/gettoken',
  '/sns/jscode2session',
  '/sns/component/jscode2session',
  '/sns/oauth2/access_token',
  '/sns/oauth2/refresh_token',
  '/wxa/resetusersessionkey',
  // The request of an earlier call, with its query and its answer.
  '/cgi-bin/openapi/rid/get',
])

/** Throws `insufficient_scope` for an API of WeChat whose answer would be a secret. */
export function checkMayBeCalled(path: string): void {
  if (!closed.has(path.toLowerCase().replace(/\/+$/, ''))) return
  throw new AuthError(
    'insufficient_scope',
    'What this API of WeChat answers is a secret, which is not given out; the service calls it itself where it is needed',
  )
}

// As a member of the answer, or of a text in it that is JSON, a query or XML.
const secret = /(session|access|refresh)([_-]|%5f)?(key|token)(\\*"\s*:|=|%3d|>)/i

/**
 * Throws `insufficient_scope` for an answer with a key or a token in it, wherever it stands, and for one with the
 * current access token, whatever it is called.
 */
export function checkMayBeToldOf(text: string, accessToken: string | undefined): void {
  if (!secret.test(text) && (accessToken === undefined || !text.includes(accessToken))) return
  throw new AuthError(
    'insufficient_scope',
    'WeChat has done what it was asked, and its answer holds a key or a token, which is not given out',
  )
}
