import { generateKeyPairSync, randomInt } from 'node:crypto'
import { createServer, type RequestListener } from 'node:http'
import { type Auth, AuthError, type AuthOptions, createAuth } from '@wxlogin/server'
import { authRoutes, requireAuth, sessionOf } from '@wxlogin/server/node'
import { onTestFinished } from 'vitest'
import { defaults } from '../../src/conform/settings.js'
import { listen, wxlogin } from '../set-up.js'
import type { Alteration } from './alterations.js'
import { alteringProxy } from './altering-proxy.js'
import type { Fault } from './faults.js'
import { startFaultyServer } from './faulty-server.js'

/** What `--json` prints. */
export interface Found {
  readonly passed: number
  readonly failed: number
  readonly warnings: number
  readonly notTested: number
  readonly requirements: readonly {
    readonly id: string
    readonly level: string
    readonly outcome: string
    readonly why?: string
    readonly failures: readonly {
      readonly scenario: string
      readonly step: string
      readonly expected: string
      readonly came: string
    }[]
  }[]
}

export const app = { appId: defaults.appId, appSecret: defaults.appSecret }

/** A port that nobody has, and that none of the many connections of a run is given before somebody listens there. */
export async function freePort(): Promise<number> {
  const port = randomInt(15_000, 32_000)
  const server = createServer()
  const isFree = await new Promise<boolean>((tell) => {
    server.once('error', () => tell(false))
    server.listen(port, '127.0.0.1', () => tell(true))
  })
  await new Promise((closed) => server.close(closed))
  return isFree ? port : freePort()
}

const newSigningKey = () => {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return { ...privateKey.export({ format: 'jwk' }), kty: 'EC' }
}

/** Our server with all that a run looks at, which asks WeChat at this port. */
export function authAt(wechatPort: number, options: Partial<AuthOptions> = {}): Auth {
  const auth = createAuth({
    apps: [app],
    secret: 'Zb3vK9qR1tXw7LmN5pYc2HdJ8sFgA4eU6oTiVnQkBx0',
    wechatHosts: [`http://127.0.0.1:${wechatPort}`],
    signingKeys: [newSigningKey()],
    deviceGrant: {},
    onEvent: () => undefined,
    ...options,
  })
  onTestFinished(() => auth.close())
  return auth
}

/** Our server, with all that a run may be told of. */
export async function ours(options: Partial<AuthOptions> = {}) {
  const port = await freePort()
  const auth = authAt(port, {
    onLogin(_account, { input }) {
      if (Object(input).banned)
        throw new AuthError('access_denied', 'Not you', { reason: 'banned' })
    },
    onPrefetch: () => ({ shop: 'open' }),
    prefetchPath: 'a-path-that-nobody-guesses',
    ...options,
  })
  const wx = authRoutes(auth, { basePath: '/wx' })
  const guard = requireAuth(auth)
  const route: RequestListener = async (req, res) => {
    if (req.url === '/me') {
      return guard(req, res, () => void res.end(JSON.stringify(sessionOf(req, auth).userId)))
    }
    if (req.url !== '/revoke') return wx(req, res)
    let body = ''
    for await (const chunk of req) body += chunk
    await auth.sessions.revoke({ userId: JSON.parse(body).user_id })
    res.writeHead(204).end()
  }
  const url = await listen(route)
  return {
    server: `${url}/wx`,
    args: ['--server', `${url}/wx/`, '--emulator-port', `${port}`],
    told: [
      ...['--protected', '/me', '--revoke', '/revoke', '--refused-input', '{"banned":true}'],
      ...['--prefetch', '/wx/a-path-that-nobody-guesses/prefetch'],
    ],
  }
}

/** Our server behind one that is wrong in one way: what of this requirement is found. */
export async function conformAltered(id: string, { options, only, ...altering }: Alteration) {
  const { args, told, server } = await ours(options)
  const url = await alteringProxy(new URL(server).origin, altering)
  const rest = [...args.slice(2), ...told, '--only', [id, ...(only ? [only] : [])].join(',')]
  const { found } = await conform(['--server', `${url}/wx`, ...rest])
  return found().requirements.find((one) => one.id === id)
}

/** Runs `wxlogin conform` and reads what it found. */
export async function conform(args: readonly string[]) {
  const ran = await wxlogin(['conform', '--json', ...args], {
    interrupted: () => new Promise(() => {}),
  })
  const found = (): Found => {
    if (ran.exit > 1) throw new Error(ran.err)
    return ran.json()
  }
  return {
    ...ran,
    found,
    failures: () =>
      found().requirements.flatMap(({ id, failures }) =>
        failures.map(
          ({ scenario, step, expected, came }) => `${id} ${scenario} ${step}: ${expected}; ${came}`,
        ),
      ),
  }
}

/** The same, with the small server beside it that has one fault, or none. */
export async function conformFaulty(fault?: Fault, args: readonly string[] = []) {
  const port = await freePort()
  const wechatUrl = `http://127.0.0.1:${port}`
  const { url, close } = await startFaultyServer({ ...app, wechatUrl, fault })
  onTestFinished(close)
  const own = ['--protected', '/me', '--revoke', '/revoke']
  return conform(['--server', url, '--emulator-port', String(port), ...own, ...args])
}
