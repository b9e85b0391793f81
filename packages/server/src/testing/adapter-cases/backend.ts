import { randomBytes } from 'node:crypto'
import type { Auth } from '../../auth.js'
import type { GuardOptions } from '../../guard-options.js'
import type { AuthOptions } from '../../options.js'
import type { Session } from '../../session.js'
import type { Credentials } from '../../sessions/authenticate.js'
import { createFakeWeChat, type FakeWeChat } from '../fake-wechat/fake-wechat.js'
import { type Answer, type Piece, type Sent, send, sendRaw } from './exchange.js'

/** The claims of everybody who signs in during the cases. */
export interface AdapterClaims {
  readonly role?: string
}

/** A route of the backend under test, behind `requireAuth(auth, options)`. */
export interface GuardedRoute {
  readonly path: string
  readonly options: GuardOptions<AdapterClaims>
  /**
   * What to answer, as JSON: call it with `maybeSessionOf(request, auth)` and with the JSON that came as the body. For
   * `/broken` it throws, which is the framework's to handle.
   */
  answer(session: Session<AdapterClaims> | undefined, body: unknown): object
}

/** What a case asks a backend to serve; see {@link StartAdapter}. */
export interface AdapterBackend {
  /** For `authRoutes`, `requireAuth`, `sessionOf` and `maybeSessionOf`. */
  readonly auth: Auth<AdapterClaims>
  /** Where to mount `authRoutes(auth)`: `/wx` in most cases. */
  readonly basePath: string
  readonly guarded: readonly GuardedRoute[]
}

/** A backend that runs. */
export interface AdapterServer {
  /** Such as `http://127.0.0.1:3000`, without a path. */
  readonly url: string
  /** The same backend over HTTP/2 without TLS, where the framework speaks it. Without it no case does. */
  readonly http2Url?: string
  /** What has reached the framework's error handler so far. Without it no case looks there. */
  readonly errors?: readonly unknown[]
  /** Stops it, open connections included. */
  close(): Promise<void>
}

/**
 * Starts a backend that uses the adapter under test:
 *
 * - `authRoutes(auth)` at `basePath`;
 * - each of `guarded` at its `path`, for any method, behind `requireAuth(auth, options)`;
 * - `/unguarded`, without a guard, which answers `sessionOf(request, auth)` as JSON;
 * - where the adapter lets other paths go on: everything else, answered with `{ method, url, body }` of the request as
 *   JSON, where `url` has path and query, and `body` is the JSON that came;
 * - an error handler that answers 500 and keeps the error for `errors`.
 */
export type StartAdapter = (backend: AdapterBackend) => Promise<AdapterServer>

export type CreateAuth = (options: AuthOptions<AdapterClaims>) => Auth<AdapterClaims>

/** A backend under test, and what a case does with it. */
export interface Backend {
  readonly url: string
  readonly http2Url: string | undefined
  readonly errors: readonly unknown[] | undefined
  readonly auth: Auth<AdapterClaims>
  readonly wechat: FakeWeChat
  send(method: string, path: string, sent?: Sent): Promise<Answer>
  /** JSON, with an idempotency key of its own. */
  post(path: string, body: unknown, headers?: Readonly<Record<string, string>>): Promise<Answer>
  get(path: string, authorization?: string): Promise<Answer>
  /** Everything that comes back until the other end closes the connection. */
  sendRaw(...pieces: readonly Piece[]): Promise<string>
  loginBody(): { readonly code: string; readonly app_id: string }
}

/** Parts of an `auth`. An implementation of `guard` has one signature, whatever `optional` is. */
export interface AlteredAuth extends Partial<Omit<Auth<AdapterClaims>, 'guard'>> {
  guard?: (
    credentials: Credentials,
    options?: GuardOptions<AdapterClaims>,
    // The wider of its two results.
  ) => ReturnType<Auth<AdapterClaims>['guard']>
}

export interface OpenOptions extends Partial<AuthOptions<AdapterClaims>> {
  basePath?: string
  /** What the adapter gets in place of `auth`. */
  alter?: (auth: Auth<AdapterClaims>) => AlteredAuth
}

export type Open = (options?: OpenOptions) => Promise<Backend>

/** A case as it is written down. */
export interface CaseDraft {
  readonly name: string
  /** What an adapter has to do so that the case passes; goes on from "An adapter has to". */
  readonly must: string
  run(open: Open): Promise<void>
}

/** Runs a case with as many backends as it opens, and closes them. */
export async function runCase(
  { must, run }: CaseDraft,
  start: StartAdapter,
  createAuth: CreateAuth,
): Promise<void> {
  const closes: (() => Promise<void>)[] = []
  let isStarting = false

  async function open({
    basePath = '/wx',
    alter = () => ({}),
    ...options
  }: OpenOptions = {}): Promise<Backend> {
    const wechat = createFakeWeChat()
    const made = createAuth({
      apps: [wechat.app],
      secret: randomBytes(32).toString('base64'),
      fetch: wechat.fetch,
      onEvent: () => undefined,
      ...options,
    })
    // The cases call guard as an adapter does, which looks at both members of the result.
    const auth = { ...made, ...(alter(made) as Partial<Auth<AdapterClaims>>) }
    closes.push(() => made.close())
    isStarting = true
    const server = await start({ auth, basePath, guarded })
    isStarting = false
    closes.push(() => server.close())
    const { url, http2Url, errors } = server
    return { ...clientOf(server, wechat), url, http2Url, errors, auth, wechat }
  }

  const close = () => closes.map((end) => end())

  try {
    await run(open)
  } catch (error) {
    // What went wrong first is what counts.
    await Promise.allSettled(close())
    if (isStarting) throw error
    const message = error instanceof Error ? error.message : String(error)
    throw new Error(`${message}\nAn adapter has to ${must}.`, { cause: error })
  }
  await Promise.all(close())
}

function clientOf({ url }: AdapterServer, wechat: FakeWeChat) {
  return {
    send: (method: string, path: string, sent?: Sent) => send(url, method, path, sent),
    post: (path: string, body: unknown, headers: Readonly<Record<string, string>> = {}) =>
      send(url, 'POST', path, {
        headers: { 'content-type': 'application/json', 'idempotency-key': newKey(), ...headers },
        body: typeof body === 'string' ? body : JSON.stringify(body),
      }),
    get: (path: string, authorization?: string) =>
      send(url, 'GET', path, { headers: authorization === undefined ? {} : { authorization } }),
    sendRaw: (...pieces: readonly Piece[]) => sendRaw(url, pieces),
    loginBody: () => ({ code: wechat.codeFor('alice'), app_id: wechat.app.appId }),
  }
}

/** An idempotency key that no other attempt has. */
export const newKey = (): string => randomBytes(16).toString('base64url')

export const guardError = 'the rule is broken'
export const routeError = 'the route is broken'

const answer: GuardedRoute['answer'] = (session) => ({
  userId: session?.userId ?? null,
  role: session?.claims.role ?? null,
})

const guarded: readonly GuardedRoute[] = [
  { path: '/orders', options: {}, answer },
  { path: '/notes', options: {}, answer: (_session, body) => ({ body }) },
  { path: '/guest', options: { optional: true }, answer },
  { path: '/other-app', options: { appIds: ['wx00000000000000ff'] }, answer },
  { path: '/fresh', options: { fresh: true }, answer },
  { path: '/payments', options: { maxAgeSeconds: 300 }, answer },
  { path: '/admin', options: { allow: ({ claims }) => claims.role === 'admin' }, answer },
  {
    path: '/broken-rule',
    options: {
      allow: () => {
        throw new Error(guardError)
      },
    },
    answer,
  },
  {
    path: '/broken',
    options: {},
    answer: () => {
      throw new Error(routeError)
    },
  },
]
