import { request as requestHttp } from 'node:http'
import { type AuthEvent, type AuthOptions, createAuth } from '@wxlogin/server'
import { createFakeWeChat, type FakeWeChatOptions } from '@wxlogin/server/testing'
import { type AdminApiOptions, adminApi } from '../../src/serve/admin-api.js'
import { webListener } from '../../src/serve/web-listener.js'
import { listen } from '../set-up.js'

export const adminKey = 'Q4mJ7vT1xN9bK2dL6sF3gH8pW5rZ0cYe'

export interface Answered {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  readonly body: Readonly<Record<string, unknown>>
}

/** Text over a bare connection: what `fetch` would tidy up first. */
export interface Raw {
  readonly path?: string
  readonly method?: string
  readonly headers?: Readonly<Record<string, string | readonly string[]>>
  readonly body?: string | Buffer
}

interface Options extends Partial<AuthOptions> {
  readonly keys?: AdminApiOptions['keys']
  readonly routes?: FakeWeChatOptions['routes']
}

/** A service with its admin API on a port of its own, the emulated WeChat behind it, and two people with phones. */
export async function setUpAdmin({ keys = [adminKey], routes = {}, ...options }: Options = {}) {
  const clock = { ms: 1_800_000_000_000 }
  const now = () => clock.ms
  const app = { appId: 'wx0000000000000001', appSecret: 'a'.repeat(32), owner: 'shop' }
  const wechat = createFakeWeChat({ now, routes, apps: [app] })
  const events: AuthEvent[] = []
  const failures: AuthEvent[] = []
  const auth = createAuth({
    apps: [wechat.app],
    secret: 'Zb3vK9qR1tXw7LmN5pYc2HdJ8sFgA4eU6oTiVnQkBx0',
    fetch: wechat.fetch,
    now,
    onLogin: (_account, { input }) => ({ userId: String(input) }),
    ...options,
    onEvent: (event) => events.push(event),
  })
  const api = adminApi({ auth, keys, onEvent: (event) => failures.push(event) })
  const url = await listen(webListener(api))

  async function logIn(userId: string) {
    const { access_token } = await auth.login({
      code: wechat.codeFor(`person ${userId}`),
      input: userId,
    })
    const { id, userId: sub } = await auth.authenticate(`Bearer ${access_token}`)
    return { user_id: sub, session_id: id }
  }

  async function ask(
    path: string,
    body: unknown,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Answered> {
    const response = await fetch(url + path, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${adminKey}`,
        'content-type': 'application/json',
        ...headers,
      },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    })
    const text = await response.text()
    return { status: response.status, headers: response.headers, text, body: bodyOf(text) }
  }

  const askRaw = ({ path = '/sessions/list', method = 'POST', headers = {}, body = '' }: Raw) =>
    new Promise<Answered>((answered, failed) => {
      const { hostname, port } = new URL(url)
      const asked = requestHttp(
        {
          hostname,
          port,
          path,
          method,
          headers: {
            authorization: `Bearer ${adminKey}`,
            'content-type': 'application/json',
            ...headers,
          },
        },
        (response) => {
          let text = ''
          response.setEncoding('utf8')
          response.on('data', (piece) => {
            text += piece
          })
          response.on('end', () =>
            answered({
              status: response.statusCode ?? 0,
              headers: new Headers(response.headers as Record<string, string>),
              text,
              body: bodyOf(text),
            }),
          )
        },
      )
      asked.on('error', failed)
      asked.end(body)
    })

  return { auth, wechat, clock, events, failures, url, logIn, ask, askRaw }
}

function bodyOf(text: string): Readonly<Record<string, unknown>> {
  try {
    return JSON.parse(text)
  } catch {
    return {}
  }
}
