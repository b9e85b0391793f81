import type { FakeNetworkRequest, FakeNetworkResponse } from '@wxlogin/client/testing'
import type { AuthEvent } from '@wxlogin/server'
import { delaysUnderWay } from '../../../server/test/model/fake-delay.js'
import type { Server } from './server.js'

export const baseUrl = 'https://api.example.com'

type Request = Omit<FakeNetworkRequest, 'signal'>

export type Backend = ReturnType<typeof createBackend>

/** The server's routes, and somebody beside them who writes down what an honest client never does. */
export function createBackend({
  server,
  count,
}: {
  server: Server
  count: (what: string) => void
}) {
  const { auth } = server
  const violations: string[] = []
  /** The sessions whose tokens a client has learned, and can end. */
  const learned = new Set<string>()
  /** Refresh token by access token, as they were answered together. */
  const pairs = new Map<string, string>()
  /** The key that a refresh token came with. */
  const keys = new Map<string, string>()
  const askedAs = new Map<string, string>()
  let lastServed: Promise<void> = Promise.resolve()
  let isServing = false
  server.listen(judge)

  function violate(what: string): void {
    violations.push(what)
  }

  function judge(event: AuthEvent): void {
    if (event.type !== 'login' && event.type !== 'refresh') return
    count(`${event.type} ${event.outcome}`)
    if (event.outcome === 'reused') violate('an honest client is taken for a thief')
    if (event.outcome === 'code_reused') violate('one code came with two keys')
  }

  async function serveAuth(path: string, { method, header, body }: Request) {
    const parsed = JSON.parse(String(body))
    const { refresh_token: token } = parsed
    const key = header['idempotency-key'] ?? ''
    if (path === '/refresh') {
      if ((keys.get(token) ?? key) !== key) violate('one refresh token came with two keys')
      keys.set(token, key)
    }
    const {
      status,
      headers,
      body: answer,
    } = await auth.handle({
      method,
      path,
      header: (name) => header[name.toLowerCase()],
      body: { parsed },
    })
    const { access_token, refresh_token } = JSON.parse(answer ?? '{}')
    if (status === 200) pairs.set(access_token, refresh_token)
    return { statusCode: status, header: headers, body: answer ?? '' }
  }

  /** A route of the app: who is asking? A request, however often it comes, is of one user. */
  async function serveApp({ url, header }: Request): Promise<FakeNetworkResponse> {
    const { response, session } = {
      session: undefined,
      ...(await auth.guard(
        header.authorization,
        url.includes('/pay') ? { maxAgeSeconds: 600 } : {},
      )),
    }
    if (response) {
      count(response.body.includes('insufficient_user') ? 'login too old' : 'request refused')
      return { statusCode: response.status, header: response.headers, body: response.body ?? '' }
    }
    const user = session?.userId ?? 'nobody'
    const person = await server.personOf(session?.id ?? '')
    if (person && !url.includes(`person=${person}&`)) {
      violate('a request of one WeChat user went out with the session of another')
    }
    if ((askedAs.get(url) ?? user) !== user) violate('a request was sent again as another user')
    askedAs.set(url, user)
    return { statusCode: 200, header: {}, body: JSON.stringify({ user }) }
  }

  return {
    violations,
    violate,
    pairs,
    keys,
    learned,

    /** What is asked for under this url is meant for this user and no other. */
    expectUser(url: string, user: string): void {
      askedAs.set(url, user)
    },

    /** One request at a time, so that a seed repeats a run. */
    async serve(request: Request): Promise<FakeNetworkResponse> {
      const before = lastServed
      let done = () => {}
      lastServed = new Promise((resolve) => {
        done = resolve
      })
      await before
      isServing = true
      try {
        const path = request.url.slice(baseUrl.length)
        return await (path.startsWith('/wx/')
          ? serveAuth(path.slice(3), request)
          : serveApp(request))
      } catch (error) {
        violate(`the test itself broke: ${error}`)
        throw error
      } finally {
        isServing = false
        done()
      }
    },

    /** Whether the server works, and does not wait for the clock. */
    isBusy: () => isServing && delaysUnderWay() === 0,
  }
}

/** The session that an access token is of. */
export function sessionOf(accessToken: string): string {
  const [, payload = ''] = accessToken.split('.')
  return JSON.parse(Buffer.from(payload, 'base64url').toString()).sid
}
