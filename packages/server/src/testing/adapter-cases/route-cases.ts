import { generateKeyPairSync } from 'node:crypto'
import type { HookContext } from '../../hooks.js'
import { type CaseDraft, newKey } from './backend.js'
import {
  expectBody,
  expectEqual,
  expectHeaders,
  expectRaw,
  expectStatus,
  expectTokens,
  textIn,
} from './expectations.js'

const mount = 'serve the routes of auth.handle at its mount path and guard with auth.guard'
const passOn = 'hand auth.handle the path below its mount path, and let go on what is a 404 there'
const sendAsIs = 'send status, headers and body of an answer as they are, and nothing besides'

/** The login routes: which requests they take, and what comes back. */
export function routeCases({
  hasNext,
  hasHttp,
  hasIp,
}: {
  hasNext: boolean
  hasHttp: boolean
  hasIp: boolean
}): readonly CaseDraft[] {
  return [
    {
      name: 'a user logs in, uses the token, refreshes it and logs out',
      must: mount,
      async run(open) {
        const { post, get, loginBody } = await open()
        const login = await post('/wx/login', loginBody())
        expectStatus(login, 200)
        const userId = textIn(login, 'user_id')
        const orders = await get('/orders', `Bearer ${textIn(login, 'access_token')}`)
        expectStatus(orders, 200)
        expectBody(orders, { userId })
        const refresh = await post('/wx/refresh', { refresh_token: textIn(login, 'refresh_token') })
        expectStatus(refresh, 200)
        const ordersLater = await get('/orders', `Bearer ${textIn(refresh, 'access_token')}`)
        expectStatus(ordersLater, 200)
        expectBody(ordersLater, { userId })
        const body = { refresh_token: textIn(refresh, 'refresh_token') }
        const logout = await post('/wx/logout', body)
        expectStatus(logout, 204)
        expectEqual(logout.text, '', 'POST /wx/logout, the body')
        const after = await post('/wx/refresh', body)
        expectStatus(after, 400)
        expectBody(after, { error: 'invalid_grant' })
      },
    },
    {
      name: 'a repeated refresh gets the same token, and one with another key is a theft',
      must: 'pass on the Idempotency-Key of each request as it came',
      async run(open) {
        const { post, loginBody } = await open()
        const login = await post('/wx/login', loginBody())
        const body = { refresh_token: textIn(login, 'refresh_token') }
        const headers = { 'idempotency-key': newKey() }
        const first = await post('/wx/refresh', body, headers)
        const retry = await post('/wx/refresh', body, headers)
        const refreshToken = textIn(first, 'refresh_token')
        expectEqual(textIn(retry, 'refresh_token'), refreshToken, 'the refresh token of a retry')
        const theft = await post('/wx/refresh', body)
        expectStatus(theft, 400)
        expectBody(theft, { error: 'invalid_grant', reason: 'reused' })
      },
    },
    {
      name: 'hooks get the request of each login, refresh and phone number',
      must: hasIp
        ? 'hand auth.handle the headers of a request, and as ip the address that the framework knows'
        : 'hand auth.handle the headers of a request',
      async run(open) {
        const seen: [hook: string, mark: string | undefined, ip: string | undefined][] = []
        const look = (hook: string, { request }: HookContext) => {
          seen.push([hook, request?.header('X-Case'), request?.ip])
        }
        const { wechat, post, loginBody } = await open({
          onLogin: (_account, context) => look('onLogin', context),
          claims: (_user, context) => {
            look('claims', context)
            return {}
          },
          onPhoneNumber: (context) => look('onPhoneNumber', context),
        })
        const login = await post('/wx/login', loginBody(), { 'x-case': 'login' })
        expectStatus(login, 200)
        const body = { refresh_token: textIn(login, 'refresh_token') }
        expectStatus(await post('/wx/refresh', body, { 'x-case': 'refresh' }), 200)
        const authorization = `Bearer ${textIn(login, 'access_token')}`
        const code = wechat.phoneCodeFor('alice')
        const headers = { authorization, 'x-case': 'phone' }
        expectStatus(await post('/wx/phone', { code }, headers), 200)
        const marks = seen.map(([hook, mark]) => `${hook} ${mark}`)
        const wanted = ['onLogin login', 'claims login', 'claims refresh', 'onPhoneNumber phone']
        expectEqual(marks, wanted, 'the hooks, and the header X-Case that each got')
        if (!hasIp) return
        // Over IPv6 sockets an address of IPv4 has the longer form.
        const ips = seen.map(([, , ip]) => ip?.replace('::ffff:', ''))
        expectEqual(new Set(ips), new Set(['127.0.0.1']), 'the ip that the hooks got')
      },
    },
    {
      name: 'a user gives the phone number',
      must: 'hand auth.handle the headers of a request together with its body',
      async run(open) {
        const { auth, wechat, post } = await open()
        const { access_token } = await auth.login({ code: wechat.codeFor('alice') })
        const code = wechat.phoneCodeFor('alice', { phoneNumber: '13800138000' })
        const authorization = `Bearer ${access_token}`
        const phone = await post('/wx/phone', { code }, { authorization })
        expectStatus(phone, 200)
        expectEqual(
          phone.body,
          { phone_number: '13800138000', country_code: '86' },
          'POST /wx/phone, the body',
        )
      },
    },
    {
      name: 'a phone lets a device in: two methods on one path, a query, and an answer without a body',
      must: 'hand auth.handle the method, the headers and the query of a request with its path',
      async run(open) {
        const { auth, wechat, post, get } = await open({ deviceGrant: {} })
        const { access_token } = await auth.login({ code: wechat.codeFor('alice') })
        const authorization = `Bearer ${access_token}`
        const started = await post('/wx/device', { client_name: '电脑 📱' })
        expectStatus(started, 200)
        const scene = textIn(started, 'scene')
        const asks = await get(`/wx/device?scene=${scene}`, authorization)
        expectStatus(asks, 200)
        expectBody(asks, { client_name: '电脑 📱', needs_number: false })
        const anonymous = await get(`/wx/device?scene=${scene}`)
        expectStatus(anonymous, 401)
        const decision = { scene, approve: true }
        const decided = await post('/wx/device/decision', decision, { authorization })
        expectStatus(decided, 204)
        expectEqual(decided.text, '', 'POST /wx/device/decision, the body')
        const tokens = await post('/wx/device/token', {
          device_code: textIn(started, 'device_code'),
        })
        expectStatus(tokens, 200)
        const orders = await get('/orders', `Bearer ${textIn(tokens, 'access_token')}`)
        expectBody(orders, { userId: textIn(tokens, 'user_id') })
      },
    },
    {
      name: "WeChat's data pre-fetch is a login, with its query",
      must: 'hand auth.handle the query of a request as part of its path',
      async run(open) {
        const prefetchPath = 'a-path-that-nobody-guesses'
        const { url, wechat } = await open({
          onPrefetch: ({ path, query }) => [path, query],
          prefetchPath,
        })
        const { status, body } = await wechat.prefetch(
          `${url}/wx/${prefetchPath}/prefetch`,
          'alice',
          {
            path: 'pages/index/index',
            query: 'from=a&to=b',
          },
        )
        const what = `GET /wx/${prefetchPath}/prefetch`
        expectEqual(status, 200, `${what}, the status`)
        const { token_type, prefetched } = JSON.parse(body)
        expectEqual(token_type, 'Bearer', `${what}, the token_type`)
        expectEqual(
          prefetched,
          ['pages/index/index', 'from=a&to=b'],
          `${what}, what onPrefetch got`,
        )
      },
    },
    {
      name: 'the public keys are served by GET, and by HEAD without a body',
      must: 'serve every method and path that auth.handle knows, without a list of its own',
      async run(open) {
        const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
        const jwk = { ...privateKey.export({ format: 'jwk' }), kty: 'EC' }
        const { send } = await open({ signingKeys: [jwk] })
        const keys = await send('GET', '/wx/jwks.json')
        expectStatus(keys, 200)
        expectHeaders(keys, { 'cache-control': 'public, max-age=300' })
        expectEqual(keys.text.includes(String(jwk.x)), true, 'whether the public key is listed')
        const head = await send('HEAD', '/wx/jwks.json')
        expectStatus(head, 200)
        expectHeaders(head, { 'cache-control': 'public, max-age=300' })
        expectEqual(head.text, '', `${head.what}, the body`)
      },
    },
    {
      name: 'answers carry their headers',
      must: sendAsIs,
      async run(open) {
        const { post, loginBody } = await open()
        const login = await post('/wx/login', loginBody())
        expectStatus(login, 200)
        expectHeaders(login, {
          'cache-control': 'no-store',
          pragma: 'no-cache',
          'x-content-type-options': 'nosniff',
          'content-type': 'application/json; charset=utf-8',
          'content-length': String(Buffer.byteLength(login.text)),
        })
      },
    },
    {
      name: 'an answer goes out as it is, whatever it says',
      must: sendAsIs,
      async run(open) {
        // What is passed on as JSON keeps no space, and escapes nothing.
        const body = hasHttp ? '{ "text": "小明 \\u2028" }' : '{"text":"小明"}'
        const headers = {
          'content-type': 'application/json; charset=utf-8',
          'content-length': String(Buffer.byteLength(body)),
          'retry-after': '7',
          'x-made-up': 'a, "b"',
        }
        const { post } = await open({
          alter: () => ({
            handle: async () => ({ status: 429, headers, body, closes: false }),
          }),
        })
        const answer = await post('/wx/login', {})
        expectStatus(answer, 429)
        expectHeaders(answer, headers)
        expectEqual(answer.text, body, `${answer.what}, the body`)
      },
    },
    ...[
      '/wx',
      '/wx/',
      '/wx/other?x=1&y=%2F',
      '/wx/login/x',
      '/wxlogin',
      '/wx%2flogin',
      '/x/wx/login',
    ].map(
      (path): CaseDraft => ({
        name: `POST ${path} is no business of the login routes`,
        must: hasNext ? passOn : 'answer 404 to what auth.handle does not know',
        async run(open) {
          const { post, loginBody, wechat } = await open()
          const body = loginBody()
          const answer = await post(path, body)
          expectEqual(wechat.calls.length, 0, `${answer.what}, the number of calls to WeChat`)
          if (!hasNext) return expectStatus(answer, 404)
          expectStatus(answer, 200)
          expectBody(answer, { method: 'POST', url: path, body })
        },
      }),
    ),
    ...['/wx/login/', '/wx/login?x=1', '/wx/login/?x=1'].map(
      (path): CaseDraft => ({
        name: `POST ${path} is the login`,
        must: 'leave slashes and queries at the end of a path to auth.handle',
        async run(open) {
          const { post, loginBody } = await open()
          expectTokens(await post(path, loginBody()))
        },
      }),
    ),
    ...(hasHttp ? absoluteCases(hasNext) : []),
    {
      name: 'the routes are where they are mounted, and nowhere else',
      must: passOn,
      async run(open) {
        const { post, loginBody } = await open({ basePath: '/api/v2/wx' })
        expectTokens(await post('/api/v2/wx/login', loginBody()))
        for (const path of ['/wx/login', '/login', '/api/v2/login', '/api/v2/wx/wx/login']) {
          const answer = await post(path, loginBody())
          expectStatus(answer, hasNext ? 200 : 404)
          if (hasNext) expectBody(answer, { method: 'POST', url: path })
        }
      },
    },
    ...['/wx/login', '/wx/refresh', '/wx/logout', '/wx/phone'].flatMap((path) =>
      ['GET', 'HEAD', 'PUT', 'DELETE'].map(
        (method): CaseDraft => ({
          name: `${method} ${path} is a 405`,
          must: 'hand auth.handle requests of every method, and send its header Allow',
          async run(open) {
            const { send } = await open()
            const answer = await send(method, path)
            expectStatus(answer, 405)
            expectHeaders(answer, { allow: 'POST' })
            expectEqual(
              answer.text === '',
              method === 'HEAD',
              `${answer.what}, whether the body is empty`,
            )
          },
        }),
      ),
    ),
  ]
}

const absolute =
  'take scheme and host off a target in absolute form (RFC 9112 §3.2.2), as proxies may send it'

function absoluteCases(hasNext: boolean): readonly CaseDraft[] {
  const raw = (target: string, body: object) => {
    const text = JSON.stringify(body)
    return `POST ${target} HTTP/1.1\r\nHost: example.com\r\nConnection: close\r\nContent-Type: application/json\r\nIdempotency-Key: ${newKey()}\r\nContent-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`
  }
  return [
    ...['http://example.com/wx/login', 'https://example.com:8443/wx/login/?x=1'].map(
      (target): CaseDraft => ({
        name: `POST ${target} is the login`,
        must: absolute,
        async run(open) {
          const { sendRaw, loginBody } = await open()
          const received = await sendRaw(raw(target, loginBody()))
          expectRaw(received, /^HTTP\/1\.1 200 .*"token_type":"Bearer"/s, `POST ${target}`)
        },
      }),
    ),
    ...['http://wx/login', 'http://example.com/?/wx/login', 'http://example.com/x/wx/login'].map(
      (target): CaseDraft => ({
        name: `POST ${target} is no business of the login routes`,
        must: absolute,
        async run(open) {
          const { sendRaw, loginBody, wechat } = await open()
          const received = await sendRaw(raw(target, loginBody()))
          const passed = hasNext
            ? /^HTTP\/1\.1 200 .*"method":"POST".*"code":/s
            : /^HTTP\/1\.1 404 /
          expectRaw(received, passed, `POST ${target}`)
          expectEqual(wechat.calls.length, 0, `POST ${target}, the number of calls to WeChat`)
        },
      }),
    ),
  ]
}
