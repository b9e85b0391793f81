import express from 'express'
import { expect, test } from 'vitest'
import * as onExpress from '../../src/adapters/express.js'
import {
  type Auth,
  type AuthRefusal,
  type AuthRequest,
  type AuthResponse,
  createAuth,
  type OptionalGuardResult,
  type Session,
} from '../../src/index.js'
import type { AlteredAuth } from '../../src/testing/adapter-cases/backend.js'
import {
  type AdapterCasesOptions,
  type AdapterClaims,
  adapterCases,
  type StartAdapter,
} from '../../src/testing/index.js'
import { newKey } from '../set-up.js'
import { onExpressBackend, onFetchBackend, onNodeBackend } from './backends.js'

interface Mutant {
  /** Every case of such a name has to fail. */
  caughtBy: RegExp
  start: StartAdapter
  options?: Omit<AdapterCasesOptions, 'createAuth'>
}

type Adapter = typeof onExpress
type Request = Parameters<ReturnType<Adapter['authRoutes']>>[0]
type CaseAuth = Auth<AdapterClaims>

/** Hands the adapter of Express an `auth` that does in its place what a wrong adapter would do. */
const withAuth =
  (change: (auth: CaseAuth) => AlteredAuth): StartAdapter =>
  (backend) => {
    const altered = change(backend.auth) as Partial<CaseAuth>
    return onExpressBackend()({ ...backend, auth: { ...backend.auth, ...altered } })
  }

/** Asks `auth.handle` for something else than was asked. */
const asking = (change: (request: AuthRequest) => Partial<AuthRequest>) =>
  withAuth((auth) => ({
    handle: (request) => auth.handle({ ...request, ...change(request) }),
  }))

/** Sends something else than `auth.handle` has said. */
const answering = (change: (answer: AuthResponse) => Partial<AuthResponse>) =>
  withAuth((auth) => ({
    handle: async (request) => {
      const answer = await auth.handle(request)
      return { ...answer, ...change(answer) }
    },
  }))

/** Does something else than `auth.guard` has said. */
const guarding = (
  change: (result: OptionalGuardResult<AdapterClaims>) => OptionalGuardResult<AdapterClaims>,
) =>
  withAuth((auth) => ({
    guard: async (credentials, options) => change(await auth.guard(credentials, options)),
  }))

const refusing = (change: (response: AuthRefusal) => Partial<AuthRefusal>) =>
  guarding((result) =>
    result.response ? { response: { ...result.response, ...change(result.response) } } : result,
  )

const withAdapter = (change: Partial<Adapter>) =>
  onExpressBackend({ adapter: { ...onExpress, ...change } })

/** A request as the adapter sees it, with some of it changed. */
const messageOf = (request: Request, change: Partial<Request>): Request => ({
  method: request.method,
  url: request.url,
  httpVersionMajor: request.httpVersionMajor,
  headers: request.headers,
  readableDidRead: request.readableDidRead,
  iterator: (options) => request.iterator(options),
  body: request.body,
  ...change,
})

/** Finds the login routes at the root by a rule of its own, which gives the path below the mount path. */
const routing =
  (below: (url: string) => string): StartAdapter =>
  (backend) =>
    withAdapter({
      authRoutes: (auth) => (request, response, next) => {
        const message = messageOf(request, { url: below(request.url ?? '') })
        return onExpress.authRoutes(auth)(message, response, next)
      },
    })({ ...backend, basePath: '/' })

/** Reads headers by a rule of its own from the list of names and values that came. */
const withHeaders = (read: (list: readonly string[], name: string) => string | undefined) =>
  withAdapter({
    requireAuth: (auth, options) => (request, response, next) => {
      const list = 'rawHeaders' in request ? (request.rawHeaders as string[]) : []
      for (const name of ['authorization', 'x-wx-openid']) {
        Object.assign(request.headers, { [name]: read(list, name) })
      }
      return onExpress.requireAuth(auth, options)(request, response, next)
    },
  })

function destroy(request: Request): void {
  if ('destroy' in request && typeof request.destroy === 'function') request.destroy()
}

const valuesOf = (list: readonly string[], name: string) =>
  list.filter((_value, n) => n % 2 === 1 && list[n - 1]?.toLowerCase() === name.toLowerCase())

async function textOf(body: AuthRequest['body'], encoding?: BufferEncoding): Promise<string> {
  let text = ''
  if (body && Symbol.asyncIterator in body) {
    for await (const piece of body) text += Buffer.from(piece).toString(encoding)
  }
  return text
}

const mutants: Readonly<Record<string, Mutant>> = {
  'loses a header': {
    caughtBy: /^a user logs in|^a repeated refresh/,
    start: asking(({ header }) => ({
      header: (name) => (/^idempotency-key$/i.test(name) ? undefined : header(name)),
    })),
  },
  'makes up the idempotency key where there is none': {
    caughtBy: /^a missing idempotency key/,
    start: asking(({ header }) => ({
      header: (name) => header(name) ?? (/^idempotency-key$/i.test(name) ? newKey() : undefined),
    })),
  },
  'has one idempotency key for all requests': {
    caughtBy: /^a repeated refresh/,
    start: asking(({ header }) => ({
      header: (name) => (/^idempotency-key$/i.test(name) ? 'x'.repeat(22) : header(name)),
    })),
  },
  'keeps the Authorization header from the routes': {
    caughtBy: /phone number$/,
    start: asking(({ header }) => ({
      header: (name) => (/^authorization$/i.test(name) ? undefined : header(name)),
    })),
  },
  'swallows the query': {
    caughtBy: /^WeChat's data pre-fetch|^a phone lets a device in/,
    start: asking(({ path }) => ({ path: path.replace(/\?.*/, '') })),
  },
  'serves POST alone': {
    caughtBy: /^the public keys|^(GET|HEAD|PUT|DELETE) .* is a 405$/,
    start: withAdapter({
      authRoutes: (auth) => (request, response, next) =>
        request.method === 'POST'
          ? onExpress.authRoutes(auth)(request, response, next)
          : Promise.resolve(next()),
    }),
  },
  'takes every method for POST': {
    caughtBy: /is a 405$|^the public keys/,
    start: asking(() => ({ method: 'POST' })),
  },
  'looks for headers in the case in which it wants them': {
    caughtBy: /^headers count however/,
    start: withHeaders((list, name) => list[list.indexOf(name) + 1]),
  },
  'takes the last of several headers': {
    caughtBy: /^a second Authorization|says two things$/,
    start: withHeaders((list, name) => valuesOf(list, name).at(-1)),
  },
  'takes the first of several headers': {
    caughtBy: /says two things$/,
    start: withHeaders((list, name) => valuesOf(list, name)[0]),
  },
  'answers 404 in place of going on': {
    caughtBy: /is no business of the login routes$/,
    start: (backend) =>
      withAdapter({
        authRoutes: (auth) => (request, response) =>
          onExpress.authRoutes(auth)(request, response, () => {
            response.writeHead(404, {})
            response.end('{}')
          }),
      })({ ...backend, basePath: '/' }),
  },
  'goes on without the body': {
    caughtBy: /is no business of the login routes$/,
    start: (backend) =>
      withAdapter({
        authRoutes: (auth) => async (request, response, next) => {
          const body = await textOf(request.iterator({ destroyOnReturn: false }))
          Object.assign(request, { body })
          return onExpress.authRoutes(auth)(request, response, next)
        },
      })({ ...backend, basePath: '/' }),
  },
  'does not mind a slash that is missing': {
    caughtBy: /^POST \/wxlogin is no/,
    start: routing((url) => url.replace(/^\/wx\/?/, '/')),
  },
  'decodes the path first': {
    caughtBy: /^POST \/wx%2flogin is no/,
    start: routing((url) => decodeURIComponent(url).replace(/^\/wx\//, '/')),
  },
  'looks at the end of the path': {
    caughtBy: /\/wx\/login is no|nowhere else$/,
    start: routing((url) => url.replace(/^.*(?=\/)/, '')),
  },
  'knows no targets in absolute form': {
    caughtBy: /^POST https?:.* is the login$/i,
    start: withAdapter({
      authRoutes: (auth) => async (request, response, next) =>
        request.url?.startsWith('/') ? onExpress.authRoutes(auth)(request, response, next) : next(),
    }),
  },
  'takes a host for a part of the path': {
    caughtBy: /^POST http:\/\/wx\/login is no/,
    start: routing((url) => url.replace(/^https?:\//i, '').replace(/^\/wx\//, '/')),
  },
  'looks at the beginning of the path': {
    caughtBy: /^POST \/wx\/login\/x is no/,
    start: routing((url) => url.replace(/^\/wx(\/\w+).*/, '$1')),
  },
  'finds its routes by their exact text': {
    caughtBy: /^POST \/wx\/login(\/|\?|\/\?).* is the login$/,
    start: asking(({ path }) => ({ path: path === '/login' ? path : '/other' })),
  },
  'is at one place, wherever it is mounted': {
    caughtBy: /nowhere else$/,
    start: (backend) => onExpressBackend()({ ...backend, basePath: '/wx' }),
  },
  'writes the JSON anew': {
    caughtBy: /^an answer goes out as it is/,
    start: answering(({ body, headers }) => {
      const text = body && JSON.stringify(JSON.parse(body))
      return {
        body: text,
        headers: { ...headers, 'content-length': String(Buffer.byteLength(text ?? '')) },
      }
    }),
  },
  'drops the headers of answers': {
    caughtBy: /^answers carry|^an answer goes out|is a 405$/,
    start: answering(() => ({ headers: {} })),
  },
  'forgets the length': {
    caughtBy: /^answers carry/,
    start: answering(({ headers: { 'content-length': _, ...headers } }) => ({ headers })),
  },
  'caches answers': {
    caughtBy: /^answers carry/,
    start: answering(({ headers }) => ({ headers: { ...headers, 'cache-control': 'private' } })),
  },
  'wraps answers': {
    caughtBy: /^a user logs in|phone number$|^a repeated refresh/,
    start: answering(({ body, headers: { 'content-length': _, ...headers } }) => ({
      headers,
      body: `{"code":0,"data":${body ?? null}}`,
    })),
  },
  'answers 200 whatever happens': {
    caughtBy:
      /^a user logs in|is a (400|405|415)$|413|^an answer goes out|^requests go on after one that was refused/,
    start: answering(() => ({ status: 200 })),
  },
  'throws refusals at the error handler': {
    caughtBy: /is a (400|405|415)$|413|^a repeated refresh/,
    start: withAdapter({
      authRoutes: (auth) => async (request, response, next) => {
        const throwing = {
          ...auth,
          handle: async (asked: AuthRequest) => {
            const answer = await auth.handle(asked)
            if (answer.status >= 400 && answer.status !== 404) throw new Error('refused')
            return answer
          },
        }
        return onExpress.authRoutes(throwing)(request, response, next)
      },
    }),
  },
  'answers 200 to whom the guard refuses': {
    caughtBy:
      /is a 40[13]|still a 401$|^a refusal goes out|^a rule|^a fresh route|^a route for a new|^a second Auth/,
    start: refusing(() => ({ status: 200 })),
  },
  'runs the route though the guard refuses': {
    caughtBy:
      /is a 40[13]|still a 401$|^a refusal goes out|^a rule|^a fresh route|^a route for a new|^a second Auth/,
    start: guarding((result) => (result.response ? { session: undefined } : result)),
  },
  'loses WWW-Authenticate': {
    caughtBy: /^a request without a token|^a route for|^a refusal goes out/,
    start: refusing(({ headers: { 'www-authenticate': _, ...headers } }) => ({ headers })),
  },
  'says 401 whatever the guard says': {
    caughtBy: /^a refusal goes out|^a route for another|^a rule that throws|^a rule lets in/,
    start: refusing(() => ({ status: 401 })),
  },
  'takes a token from the query': {
    caughtBy: /^a session is not taken from/,
    start: withAdapter({
      requireAuth: (auth, options) => (request, response, next) => {
        const [, token] = /access_token=([^&]+)/.exec(request.url ?? '') ?? []
        if (token) Object.assign(request.headers, { authorization: `Bearer ${token}` })
        return onExpress.requireAuth(auth, options)(request, response, next)
      },
    }),
  },
  'forgets the options of the guard': {
    caughtBy: /^an optional session|^a route for|^a fresh route|^a rule/,
    start: withAuth((auth) => ({ guard: (credentials) => auth.guard(credentials) })),
  },
  'hands the guard the Authorization header alone': {
    caughtBy: /^the gateway of cloud hosting says who asks/,
    start: withAuth((auth) => ({
      guard: (credentials, options) =>
        auth.guard(
          typeof credentials === 'object' ? credentials.header('authorization') : credentials,
          options,
        ),
    })),
  },
  'hands the routes no headers but its own': {
    caughtBy: /^the gateway of cloud hosting says who asks/,
    start: asking(({ header }) => ({
      header: (name) => (name.startsWith('x-wx-') ? undefined : header(name)),
    })),
  },
  'throws the failure of a rule at the error handler': {
    caughtBy: /^a rule that throws/,
    start: withAuth((auth) => ({
      guard: async (credentials, options) => {
        const result = await auth.guard(credentials, options)
        if (result.response && result.response.status >= 500) throw new Error('the rule is broken')
        return result
      },
    })),
  },
  'loses the claims': {
    caughtBy: /^a rule lets in whom it allows/,
    start: guarding((result) =>
      result.session ? { session: { ...result.session, claims: {} } } : result,
    ),
  },
  'has no words where there is no session': {
    caughtBy: /^sessionOf on a route without/,
    start: withAdapter({
      sessionOf: (request, auth) => {
        const session = onExpress.maybeSessionOf(request, auth)
        if (!session) throw new Error('undefined is not an object')
        return session
      },
    }),
  },
  'makes up a session where there is none': {
    caughtBy: /^sessionOf on a route without/,
    start: withAdapter({
      sessionOf: <Claims extends object>(request: object, auth: Auth<Claims>) =>
        onExpress.maybeSessionOf(request, auth) ?? ({} as Session<Claims>),
    }),
  },
  'keeps what a route throws to itself': {
    caughtBy: /reaches the error handler once$/,
    start: (backend) =>
      onExpressBackend()({
        ...backend,
        guarded: backend.guarded.map((route) => ({
          ...route,
          answer(session, body) {
            try {
              return route.answer(session, body)
            } catch {
              return {}
            }
          },
        })),
      }),
  },
  'reads the body of guarded routes': {
    caughtBy: /^a guarded route gets its body/,
    start: withAdapter({
      requireAuth: (auth, options) => async (request, response, next) => {
        await textOf(request.iterator({ destroyOnReturn: false }))
        return onExpress.requireAuth(auth, options)(request, response, next)
      },
    }),
  },
  'keeps the session in a variable': {
    caughtBy: /^requests at the same time/,
    start: (backend) => {
      let latest: Session<AdapterClaims> | undefined
      const altered: AlteredAuth = {
        guard: async (credentials, options) => {
          const result = await backend.auth.guard(credentials, options)
          latest = result.session
          return result
        },
      }
      const auth = { ...backend.auth, ...(altered as Partial<CaseAuth>) }
      const guarded = backend.guarded.map((route) => ({
        ...route,
        answer: (_session: unknown, body: unknown) => route.answer(latest, body),
      }))
      return onExpressBackend()({ ...backend, auth, guarded })
    },
  },
  'says that a body is malformed which was only read before': {
    caughtBy: /^a user logs in|^the text of a body|^a body may arrive in pieces/,
    options: { hasParser: true },
    start: (backend) =>
      onExpressBackend({ addParser: (app) => app.use(express.json()) })({
        ...backend,
        auth: {
          ...backend.auth,
          handle: (request) => backend.auth.handle({ ...request, body: undefined }),
        },
      }),
  },
  'reads bodies as Latin-1': {
    caughtBy: /^the text of a body/,
    start: withAuth((auth) => ({
      handle: async (request) =>
        auth.handle({ ...request, body: { parsed: await textOf(request.body, 'latin1') } }),
    })),
  },
  'makes text of each piece by itself': {
    caughtBy: /^a body may arrive in pieces/,
    start: withAuth((auth) => ({
      handle: async (request) =>
        auth.handle({ ...request, body: { parsed: await textOf(request.body) } }),
    })),
  },
  'takes the first piece for all of it': {
    caughtBy: /^a body may arrive in pieces/,
    start: withAuth((auth) => ({
      handle: async (request) => {
        const { body } = request
        if (!body || 'parsed' in body) return auth.handle(request)
        const { value } = await body[Symbol.asyncIterator]().next()
        return auth.handle({ ...request, body: { parsed: value } })
      },
    })),
  },
  'takes every body for JSON': {
    caughtBy: /is a 415$/,
    start: asking(({ header }) => ({
      header: (name) => (/^content-type$/i.test(name) ? 'application/json' : header(name)),
    })),
  },
  'breaks the connection off where a body is too much': {
    caughtBy: /gets a 413|sends megabytes|^requests go on after one that was refused/,
    start: withAdapter({
      authRoutes: (auth) => async (request, _response, next) => {
        const answer = await auth.handle({
          method: request.method ?? '',
          path: request.url ?? '',
          header: (name) => String(request.headers[name.toLowerCase()] ?? ''),
          body: request.iterator({ destroyOnReturn: true }),
        })
        if (answer.status !== 413 && answer.status !== 415) return next()
        destroy(request)
      },
    }),
  },
  'closes every connection': {
    caughtBy: /^the connection is kept/,
    start: answering(() => ({ closes: true })),
  },
  'destroys a request that is not read to its end': {
    caughtBy: /^the connection is closed after a body that was given up/,
    start: withAdapter({
      authRoutes: (auth) => (request, response, next) => {
        async function* destroying() {
          try {
            yield* request.iterator({ destroyOnReturn: false })
          } finally {
            destroy(request)
          }
        }
        return onExpress.authRoutes(auth)(
          messageOf(request, { iterator: destroying }),
          response,
          next,
        )
      },
    }),
  },
  'answers what is not its own': {
    caughtBy: /is no business of the login routes$|nowhere else$/,
    options: { hasNext: false, hasConnection: false },
    start: (backend) =>
      onFetchBackend({
        ...backend,
        auth: {
          ...backend.auth,
          handle: async (request) => {
            const answer = await backend.auth.handle(request)
            return answer.status === 404 ? { ...answer, status: 200 } : answer
          },
        },
      }),
  },
  // These keep their cases waiting, all of them at the same time.
  'never answers': {
    caughtBy: /^a user logs in/,
    start: withAuth(() => ({ handle: () => new Promise(() => undefined) })),
  },
  'serves one request after the other': {
    caughtBy: /^requests go on after one that broke off/,
    start: (backend) => {
      let last: Promise<unknown> = Promise.resolve()
      const handle = (request: AuthRequest) => {
        const answer = last.then(async () => {
          const parsed = await textOf(request.body).catch(() => new Promise(() => undefined))
          return backend.auth.handle({ ...request, body: { parsed } })
        })
        last = answer
        return answer
      }
      return onExpressBackend()({ ...backend, auth: { ...backend.auth, handle } })
    },
  },
  'keeps connections that have to be closed': {
    caughtBy: /^the connection is closed/,
    start: answering(() => ({ closes: false })),
  },
  'leaves streams of HTTP/2 open': {
    caughtBy: /^over HTTP\/2/,
    start: (backend) => {
      const handle = async (request: AuthRequest) => ({
        ...(await backend.auth.handle(request)),
        closes: false,
      })
      return onNodeBackend({ ...backend, auth: { ...backend.auth, handle } })
    },
  },
  'reads bodies to their end before it looks at them': {
    caughtBy: /^the connection is closed/,
    start: withAuth((auth) => ({
      handle: async (request) =>
        auth.handle({ ...request, body: { parsed: await textOf(request.body) } }),
    })),
  },
}

test.concurrent.each(Object.entries(mutants))(
  'adapterCases catch an adapter that %s',
  async (_name, { caughtBy, start, options }) => {
    const cases = adapterCases({ createAuth, ...options }).filter(({ name }) => caughtBy.test(name))

    const outcomes = await Promise.all(
      cases.map(async ({ name, run }) => [name, await failureOf(run(start))] as const),
    )

    expect(outcomes).not.toEqual([])
    for (const [name, failure] of outcomes) {
      expect(failure, name).toMatch(/^.+\nAn adapter has to .+\.$/s)
    }
  },
)

test('each case has an adapter that it catches', () => {
  const caught = Object.values(mutants).filter(({ options }) => !options)

  const idle = adapterCases({ createAuth })
    .map(({ name }) => name)
    .filter((name) => !caught.some(({ caughtBy }) => caughtBy.test(name)))

  expect(idle).toEqual([])
})

test('the names of the cases are different', () => {
  const names = adapterCases({ createAuth }).map(({ name }) => name)

  expect(new Set(names).size).toBe(names.length)
})

test('a case that fails says which request, what came, and what an adapter has to do', async () => {
  const { run } = caseNamed('GET /wx/login is a 405')

  const failure = await failureOf(run(answering(() => ({ status: 200 }))))

  expect(failure).toContain('GET /wx/login: expected status 405, got 200 with "{')
  expect(failure).toContain('An adapter has to hand auth.handle requests of every method')
})

test.concurrent('an adapter that hangs is told from one that answers', async () => {
  const { run } = caseNamed('a request without a token is a 401 that says how to get on')

  const failure = await failureOf(
    run(withAuth(() => ({ guard: () => new Promise(() => undefined) }))),
  )

  expect(failure).toContain('GET /orders: no answer, but silence for 4 s')
})

test('a backend is stopped after each case, also when it has failed', async () => {
  const running = new Set<string>()
  const counted =
    (start: StartAdapter): StartAdapter =>
    async (backend) => {
      const server = await start(backend)
      running.add(server.url)
      return {
        ...server,
        close: async () => {
          running.delete(server.url)
          await server.close()
        },
      }
    }
  const { run } = caseNamed('answers carry their headers')

  await run(counted(onExpressBackend()))
  await failureOf(run(counted(answering(() => ({ headers: {} })))))

  expect([...running]).toEqual([])
})

test('a backend that does not start is not blamed on the adapter', async () => {
  const { run } = caseNamed('answers carry their headers')

  await expect(run(() => Promise.reject(new Error('the port is taken')))).rejects.toEqual(
    new Error('the port is taken'),
  )
})

test('without createAuth there are no cases', () => {
  // @ts-expect-error it is required
  expect(() => adapterCases({})).toThrow(
    new TypeError('createAuth must be the createAuth of @wxlogin/server'),
  )
})

function caseNamed(name: string) {
  const found = adapterCases({ createAuth }).find((one) => one.name === name)
  if (!found) throw new Error(`There is no case "${name}"`)
  return found
}

async function failureOf(run: Promise<void>): Promise<string | undefined> {
  return run.then(
    () => undefined,
    (error) => String(error.message),
  )
}
