/**
 * Mistakes that a team may make in a server of its own: each is a switch of `faulty-server.ts`. The list was written down
 * before the scenarios, and some of it needs a clock or a history that nobody outside a server has.
 */
export const faults = {
  'login-without-key': 'A login needs no Idempotency-Key',
  'keys-of-any-form': 'An Idempotency-Key of four letters is taken',
  'code-again-new-session': 'The same code with another key logs in again',
  'login-retry-refused': 'The same login again, after a lost answer, is refused as a used code',
  'stolen-code-keeps-session':
    'A code that comes with two keys leaves the session that it opened alive',
  'double-tap-refused': 'Of two equal logins at the same time one is refused',
  'session-key-answered': 'The answer to a login has the session_key',
  'openid-answered': 'The answer to a login has the openid',
  'user-id-changes': 'Each login of a person gives another user_id',
  'app-id-unread': 'Any app_id is served',
  'expires-in-text': 'expires_in is a string',
  'token-type-jwt': 'token_type is JWT',
  'no-store-missing': 'Tokens are answered without Cache-Control: no-store',
  'unknown-code-as-503': 'A code that WeChat does not know is wechat_unavailable',
  'used-code-as-500': 'A code that was used before is server_error',
  'blocked-as-invalid-code': 'A user whom WeChat blocks is invalid_code',
  'busy-without-wait': 'The limit of WeChat is rate_limited without Retry-After',
  'down-as-401': 'While WeChat is down a login is invalid_token',
  'wrong-secret-as-invalid-code': 'An AppSecret that WeChat refuses is invalid_code',
  'errmsg-described': 'error_description is what WeChat said',
  'app-secret-described':
    'error_description has the address of the call to WeChat, with the AppSecret',
  'previous-lives-on': 'The session that a login replaces lives on',
  'previous-ended-early': 'The session that a login would replace ends although the login fails',
  'any-content-type': 'JSON is taken whatever its Content-Type says',
  'new-members-refused': 'A member that the server does not know is a 400',
  'any-size': 'A body of a megabyte is read',
  'any-method': 'GET is served like POST',
  'retry-mints-another': 'A refresh that is repeated with its key gives another refresh token',
  'retry-revokes': 'A refresh that is repeated with its key counts as a theft',
  'no-reuse-detection': 'A refresh token works twice, with two keys',
  'reuse-only-refused':
    'A refresh token that comes with another key is refused, and its session lives on',
  'race-gives-two': 'Two refreshes at the same time with two keys both succeed',
  'dead-token-as-401': 'A dead refresh token is a 401 invalid_token',
  'revoked-not-told': 'A session that the app has ended is unknown',
  'logout-of-unknown-404': 'A logout with a token that is not known is a 404',
  'logout-ends-nothing': 'A session lives on after its logout',
  'everywhere-unread': 'A logout everywhere ends one session',
  'refresh-token-opens': 'A refresh token is accepted as an access token',
  'challenge-missing': 'A 401 has no WWW-Authenticate',
  'expired-token-opens': 'An access token works after its end',
} as const

export type Fault = keyof typeof faults
