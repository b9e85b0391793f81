export const loginMs = 30
export const requestMs = 20

/** The `WWW-Authenticate` and the body of a 401, for everybody alike. */
const unauthorized = {
  statusCode: 401,
  header: { 'WWW-Authenticate': 'Bearer error="invalid_token"' },
  data: { error: 'invalid_token', error_description: 'The access token has expired.' },
}

/** What many backends say with a status of 200. */
const inBody = { data: { code: 401, msg: '登录已过期', data: null } }

/**
 * A backend that speaks to each library as that expects it, see `dialects`. It knows the newest token only as long as
 * it is not told to forget it.
 */
export function createBackend({ dialect }) {
  const {
    isLogin,
    login,
    tokenOf,
    expired = () => unauthorized,
    ok = (data) => ({ data }),
  } = dialect
  const living = new Set()
  const arrived = new Set()
  let used = new Set()
  const asked = new Map()
  let tokens = 0
  let hasFailedLogin = false
  let isStaggered = false
  let isAlwaysExpired = false
  let isStatus401 = false
  let isStatus200 = false

  function serveLogin(request) {
    if (hasFailedLogin) return { statusCode: 500, data: {} }
    const token = `token-${++tokens}`
    const answer = login(token, request)
    // Refused, as a dead refresh token is.
    if (answer.statusCode !== undefined && answer.statusCode !== 200) return answer
    living.add(token)
    return { statusCode: 200, ...answer, onArrival: () => arrived.add(token) }
  }

  function serveOrder(path, request) {
    const index = Number(path.slice('/orders/'.length))
    const times = (asked.get(path) ?? 0) + 1
    asked.set(path, times)
    const delayMs = isStaggered && times === 1 ? 10 + 25 * index : requestMs
    if (!isAlwaysExpired && living.has(tokenOf(request))) {
      const onArrival = () => used.add(tokenOf(request))
      return { statusCode: 200, ...ok({ order: path }), delayMs, onArrival }
    }
    const refusal = isStatus401
      ? unauthorized
      : isStatus200 && !dialect.expired
        ? inBody
        : expired()
    return { statusCode: 200, ...refusal, delayMs }
  }

  return {
    serve(request) {
      const path = request.url.replace(/^https:\/\/[^/]+/, '').replace(/\?.*/, '')
      if (isLogin(path)) return { ...serveLogin(request), delayMs: loginMs }
      if (path === '/logout') {
        living.delete(tokenOf(request))
        return { statusCode: 204, data: '', delayMs: requestMs }
      }
      return serveOrder(path, request)
    },
    /** Those that live, and of which a phone has heard. */
    sessions: () => [...living].filter((token) => arrived.has(token)),
    /** With which requests have been served since this was asked before. */
    used() {
      const before = used
      used = new Set()
      return before
    },
    forgetSessions: () => {
      living.clear()
      asked.clear()
    },
    failLogins: () => {
      hasFailedLogin = true
    },
    /** The first answer to the i-th order comes after 10 + 25·i ms, so that some refusals come after the new token. */
    stagger: () => {
      isStaggered = true
    },
    alwaysSayExpired: () => {
      isAlwaysExpired = true
    },
    /** Says it in the body, to each as it expects it there. */
    sayItWith200: () => {
      isStatus200 = true
    },
    /** Says it with a status, also to who expects it in the body. */
    sayItWith401: () => {
      isStatus401 = true
    },
  }
}
