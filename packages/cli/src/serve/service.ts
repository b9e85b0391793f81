import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import type { Auth } from '@wxlogin/server'
import { authRoutes } from '@wxlogin/server/node'
import { callerAddress } from './caller-address.js'
import type { Config } from './config.js'
import type { RequestLine } from './json-log.js'
import { type Listener, startListener } from './listener.js'
import { metricsContentType } from './metrics.js'
import { webListener } from './web-listener.js'

export interface ServiceOptions extends Pick<Config, 'listen' | 'basePath' | 'trustedProxies'> {
  readonly auth: Auth
  readonly admin: {
    readonly listen: Config['admin']['listen']
    /** The admin API. Missing where it has no key. */
    readonly api: ((request: Request) => Promise<Response>) | undefined
    /** In the text format of Prometheus. */
    readonly metrics: () => string
  }
  /** Told of each request but those of probes and scrapers. */
  readonly onAnswered: (line: RequestLine) => void
  /** Told once of an `X-Forwarded-For` that is not read. */
  readonly onUnreadAddress: () => void
}

export interface Service {
  readonly url: string
  readonly adminUrl: string
  /** Ends within so many milliseconds; resolves with whether everything that was in flight was answered. */
  stop(withinMs: number): Promise<boolean>
}

/** Starts both listeners: the public one, and the one for operators. */
export async function startService({
  auth,
  basePath,
  listen,
  trustedProxies,
  admin,
  onAnswered,
  onUnreadAddress,
}: ServiceOptions): Promise<Service> {
  let isStopping = false
  let isAddressRead = trustedProxies > 0
  const health = healthRoutes({
    isReady: async () => !isStopping && (await auth.check()).store.ok,
  })
  const routes = authRoutes(auth, { basePath })
  const forUsers: RequestListener = (request, response) => {
    if (health(request, response)) return
    watch(request, response, onAnswered)
    if (!isAddressRead && request.headers['x-forwarded-for'] !== undefined) {
      isAddressRead = true
      onUnreadAddress()
    }
    void routes(
      Object.assign(request, { ip: callerAddress(request, trustedProxies) }),
      response,
      () => sendJson(response, 404, { error: 'not_found' }),
    )
  }
  const api = admin.api && webListener(admin.api)
  const forOperators: RequestListener = (request, response) => {
    if (health(request, response)) return
    if (pathOf(request) === '/metrics' && isRead(request)) {
      response.writeHead(200, { 'content-type': metricsContentType })
      response.end(admin.metrics())
      return
    }
    watch(request, response, onAnswered)
    if (api) api(request, response)
    else sendJson(response, 404, { error: 'not_found' })
  }

  const operators = await startListener(admin.listen, 'admin.listen', forOperators)
  const users = await startListener(listen, 'listen', forUsers).catch(async (error: unknown) => {
    await operators.stop(0)
    throw error
  })

  return {
    url: users.url,
    adminUrl: operators.url,
    async stop(withinMs) {
      isStopping = true
      const endsMs = performance.now() + withinMs
      const isDone = await users.stop(withinMs)
      // Last, so that what is in flight can be watched to its end.
      await stopSoon(operators, endsMs)
      return isDone
    },
  }
}

/** A scraper may be on a connection right now. */
function stopSoon(listener: Listener, endsMs: number): Promise<boolean> {
  return listener.stop(Math.max(endsMs - performance.now(), 500))
}

/** Whether the process lives, and whether it should get requests. Both listeners have them. */
function healthRoutes({ isReady }: { readonly isReady: () => Promise<boolean> }) {
  // Anybody may ask, and each asks the store: those at the same time ask once.
  let asking: Promise<boolean> | undefined
  const askOnce = () => {
    asking ??= isReady().finally(() => {
      asking = undefined
    })
    return asking
  }
  return (request: IncomingMessage, response: ServerResponse): boolean => {
    const path = pathOf(request)
    if (!isRead(request) || (path !== '/healthz' && path !== '/readyz')) return false
    if (path === '/healthz') sendJson(response, 200, { status: 'ok' })
    else {
      void askOnce().then(
        (ready) => sendJson(response, ready ? 200 : 503, { status: ready ? 'ready' : 'not_ready' }),
        () => sendJson(response, 503, { status: 'not_ready' }),
      )
    }
    return true
  }
}

/** Also of one whose phone has gone away before its answer. */
function watch(
  { method = '', url = '' }: IncomingMessage,
  response: ServerResponse,
  onAnswered: ServiceOptions['onAnswered'],
): void {
  const startedMs = performance.now()
  response.once('close', () => {
    const durationMs = performance.now() - startedMs
    onAnswered({ method, path: url, status: response.statusCode, durationMs })
  })
}

const isRead = ({ method }: IncomingMessage) => method === 'GET' || method === 'HEAD'
/** A target may have its scheme and host (RFC 9112 §3.2.2). */
const pathOf = ({ url = '' }: IncomingMessage) =>
  url.replace(/^https?:\/\/[^/?#]*/i, '').split('?', 1)[0]

function sendJson(response: ServerResponse, status: number, value: object): void {
  response
    .writeHead(status, {
      'content-type': 'application/json; charset=utf-8',
      'cache-control': 'no-store',
    })
    .end(JSON.stringify(value))
}
