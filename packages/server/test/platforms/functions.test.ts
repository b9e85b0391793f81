import { describe, expect, test } from 'vitest'
import { createFakeWeChat, type FakeWeChat } from '../../src/testing/index.js'
import { newKey } from '../set-up.js'
import { envOf, run } from './blocks.js'

interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** How a platform calls a function: with what it makes of a request. */
type Call = (request: {
  readonly method: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
}) => Promise<Answer>

const plainAnswer = async (response: Response): Promise<Answer> => ({
  status: response.status,
  headers: Object.fromEntries(response.headers),
  body: await response.text(),
})

interface EventAnswer {
  readonly statusCode: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

const eventAnswer = ({ statusCode, headers = {}, body = '' }: EventAnswer): Answer => ({
  status: statusCode,
  headers,
  body,
})

const toRequest = ({ path, ...init }: Parameters<Call>[0]) =>
  new Request(`https://shop.example.com${path}`, init)

const asSent = (name: string) => name.replace(/\b\w/g, (letter) => letter.toUpperCase())

const platforms: Readonly<Record<string, (wechat: FakeWeChat) => Promise<Call>>> = {
  async Vercel(wechat) {
    const functions = await run<Record<string, (request: Request) => Promise<Response>>>(
      'export { wx as GET, wx as POST }',
      wechat,
    )
    return async (request) => {
      const answer = await functions[request.method]?.(toRequest(request))
      return answer ? plainAnswer(answer) : { status: 405, headers: {}, body: '' }
    }
  },

  async EdgeOne(wechat) {
    const { onRequest } = await run<{
      onRequest(context: { request: Request; env: object }): Promise<Response>
    }>('export function onRequest', wechat)
    const env = envOf(wechat)
    return async (request) => plainAnswer(await onRequest({ request: toRequest(request), env }))
  },

  'Function Compute': async (wechat) => {
    const { handler } = await run<{ handler(event: Uint8Array): Promise<EventAnswer> }>(
      'export async function handler',
      wechat,
    )
    return async ({ method, path, headers, body = '' }) => {
      const event = {
        version: 'v1',
        rawPath: path,
        headers: Object.fromEntries(
          Object.entries(headers).map(([name, value]) => [asSent(name), value]),
        ),
        queryParameters: {},
        // What it does not take for text arrives like this.
        body: Buffer.from(body).toString('base64'),
        isBase64Encoded: true,
        requestContext: { http: { method, path, protocol: 'HTTP/1.1', sourceIp: '127.0.0.1' } },
      }
      return eventAnswer(await handler(Buffer.from(JSON.stringify(event))))
    }
  },

  async SCF(wechat) {
    const { main_handler } = await run<{ main_handler(event: object): Promise<EventAnswer> }>(
      'export async function main_handler',
      wechat,
    )
    return async ({ method, path, headers, body = '' }) =>
      eventAnswer(await main_handler({ httpMethod: method, path, headers, queryString: {}, body }))
  },
}

describe.each(Object.entries(platforms))('on %s', (name, start) => {
  async function setUp() {
    const wechat = createFakeWeChat()
    const call = await start(wechat)
    const post = async (path: string, body: object | string, headers = {}) => {
      const answer = await call({
        method: 'POST',
        path,
        headers: { 'content-type': 'application/json', 'idempotency-key': newKey(), ...headers },
        body: typeof body === 'string' ? body : JSON.stringify(body),
      })
      return { ...answer, json: answer.body === '' ? undefined : JSON.parse(answer.body) }
    }
    const login = () =>
      post('/wx/login', { code: wechat.codeFor('alice'), app_id: wechat.app.appId })
    return { call, post, login }
  }

  test('a user logs in, refreshes and logs out', async () => {
    const { post, login } = await setUp()

    const loggedIn = await login()
    const refreshed = await post('/wx/refresh', { refresh_token: loggedIn.json.refresh_token })
    const { refresh_token } = refreshed.json
    const loggedOut = await post('/wx/logout', { refresh_token })
    const after = await post('/wx/refresh', { refresh_token })

    expect(loggedIn).toMatchObject({ status: 200, headers: { 'cache-control': 'no-store' } })
    expect(refreshed).toMatchObject({ status: 200, json: { user_id: loggedIn.json.user_id } })
    expect(loggedOut.status).toBe(204)
    expect(after).toMatchObject({ status: 400, json: { error: 'invalid_grant' } })
  })

  test('a body that is not JSON is a 400, one of another kind a 415', async () => {
    const { post } = await setUp()

    expect(await post('/wx/login', '{')).toMatchObject({
      status: 400,
      json: { error: 'invalid_request' },
    })
    expect((await post('/wx/login', 'a=b', { 'content-type': 'text/plain' })).status).toBe(415)
  })

  // The others have a file for each route.
  test.each(['Function Compute', 'SCF'].filter((other) => other === name))(
    'every other path of %s is for those who are signed in',
    async () => {
      const { call, login } = await setUp()
      const { json } = await login()
      const me = (headers: Record<string, string>) => call({ method: 'GET', path: '/me', headers })

      const answer = await me({ authorization: `Bearer ${json.access_token}` })

      expect(answer.status).toBe(200)
      expect(JSON.parse(answer.body)).toEqual({ userId: json.user_id })
      expect((await me({})).status).toBe(401)
    },
  )
})
