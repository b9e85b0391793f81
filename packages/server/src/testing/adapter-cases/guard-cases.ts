import { signIn } from '../sign-in.js'
import { type CaseDraft, guardError, newKey, routeError } from './backend.js'
import { expectBody, expectEqual, expectHeaders, expectRaw, expectStatus } from './expectations.js'

const sendRefusal = 'send the response of auth.guard as it is, and not run the route'
const passOptions = 'hand the options of requireAuth to auth.guard as they are'
const byName = 'hand auth.guard a header by its name, in any case'

/** The guarded routes, and the headers of all of them. */
export function guardCases({ hasHttp }: { hasHttp: boolean }): readonly CaseDraft[] {
  return [
    {
      name: 'a request without a token is a 401 that says how to get on',
      must: sendRefusal,
      async run(open) {
        const { get } = await open()
        for (const authorization of [undefined, 'Bearer', 'Bearer junk', 'Basic eA==']) {
          const answer = await get('/orders', authorization)
          expectStatus(answer, 401)
          expectHeaders(answer, { 'www-authenticate': 'Bearer error="invalid_token"' })
          expectBody(answer, { error: 'invalid_token' })
        }
      },
    },
    {
      name: 'a refusal goes out as it is, whatever it says',
      must: sendRefusal,
      async run(open) {
        const body = '{"error":"made_up"}'
        const headers = {
          'content-type': 'application/json; charset=utf-8',
          'content-length': String(body.length),
          'www-authenticate': 'Bearer error="made_up", max_age="60"',
          'retry-after': '7',
        }
        const { get } = await open({
          alter: () => ({
            guard: async () => ({ response: { status: 503, headers, body, closes: false } }),
          }),
        })
        const answer = await get('/orders')
        expectStatus(answer, 503)
        expectHeaders(answer, headers)
        expectEqual(answer.text, body, `${answer.what}, the body`)
      },
    },
    {
      name: 'a session is not taken from the query, the cookies or other headers',
      must: 'hand auth.guard the headers of a request and nothing else',
      async run(open) {
        const { auth, send } = await open()
        const { accessToken } = await signIn(auth, { openid: 'alice' })
        const answer = await send('GET', `/guest?access_token=${accessToken}&userId=1`, {
          headers: {
            cookie: `access_token=${accessToken}`,
            'x-access-token': accessToken,
            'x-wx-openid': 'alice',
          },
        })
        expectStatus(answer, 200)
        expectBody(answer, { userId: null })
      },
    },
    {
      name: 'headers count however their names are written',
      must: byName,
      async run(open) {
        const { auth, sendRaw, loginBody } = await open()
        const { headers, userId } = await signIn(auth, { openid: 'alice' })
        const body = JSON.stringify(loginBody())
        const login = await sendRaw(
          `POST /wx/login HTTP/1.1\r\nhOST: x\r\nconnection: close\r\nCONTENT-TYPE: application/json\r\niDEMPOTENCY-kEY: ${newKey()}\r\ncontent-LENGTH: ${body.length}\r\n\r\n${body}`,
        )
        expectRaw(login, /^HTTP\/1\.1 200 .*"token_type":"Bearer"/s, 'POST /wx/login')
        const orders = await sendRaw(
          `GET /orders HTTP/1.1\r\nHOST: x\r\nCONNECTION: close\r\nAUTHORIZATION: ${headers.authorization}\r\n\r\n`,
        )
        expectRaw(orders, /^HTTP\/1\.1 200 /, 'GET /orders')
        expectEqual(orders.includes(userId), true, 'whether the answer names the user')
      },
    },
    {
      name: 'a second Authorization header lets nobody in',
      must: 'give the first of several Authorization headers, or all of them joined by commas',
      async run(open) {
        const { auth, sendRaw } = await open()
        const { headers } = await signIn(auth, { openid: 'alice' })
        const received = await sendRaw(
          `GET /orders HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer junk\r\nAuthorization: ${headers.authorization}\r\n\r\n`,
        )
        expectRaw(received, /^HTTP\/1\.1 401 /, 'GET /orders')
      },
    },
    ...(hasHttp ? gatewayCases() : []),
    {
      name: 'an optional session is one or none, and a bad token is still a 401',
      must: passOptions,
      async run(open) {
        const { auth, get } = await open()
        const { headers, userId } = await signIn(auth, { openid: 'alice' })
        const anonymous = await get('/guest')
        expectStatus(anonymous, 200)
        expectBody(anonymous, { userId: null })
        const known = await get('/guest', headers.authorization)
        expectStatus(known, 200)
        expectBody(known, { userId })
        expectStatus(await get('/guest', 'Bearer junk'), 401)
      },
    },
    {
      name: 'a route for another mini program is a 403',
      must: passOptions,
      async run(open) {
        const { auth, get } = await open()
        const { headers } = await signIn(auth, { openid: 'alice' })
        const answer = await get('/other-app', headers.authorization)
        expectStatus(answer, 403)
        expectHeaders(answer, { 'www-authenticate': 'Bearer error="insufficient_scope"' })
        expectBody(answer, { error: 'insufficient_scope' })
      },
    },
    {
      name: 'a fresh route refuses a revoked session that others still let in',
      must: passOptions,
      async run(open) {
        const { auth, get } = await open()
        const { headers, userId } = await signIn(auth, { openid: 'alice' })
        expectStatus(await get('/fresh', headers.authorization), 200)
        await auth.sessions.revoke({ userId })
        expectStatus(await get('/fresh', headers.authorization), 401)
        expectStatus(await get('/orders', headers.authorization), 200)
      },
    },
    {
      name: 'a route for a new login says to an old one how new',
      must: passOptions,
      async run(open) {
        let nowMs = Date.now()
        const { auth, get } = await open({ now: () => nowMs })
        const { headers, refreshToken } = await signIn(auth, { openid: 'alice' })
        expectStatus(await get('/payments', headers.authorization), 200)
        nowMs += 301_000
        // A refresh is no login.
        const { access_token } = await auth.refresh({ refreshToken })
        const answer = await get('/payments', `Bearer ${access_token}`)
        expectStatus(answer, 401)
        expectHeaders(answer, {
          'www-authenticate': 'Bearer error="insufficient_user_authentication", max_age="300"',
        })
        expectBody(answer, { error: 'insufficient_user_authentication' })
        expectStatus(await get('/orders', `Bearer ${access_token}`), 200)
        const again = await signIn(auth, { openid: 'alice' })
        expectStatus(await get('/payments', again.headers.authorization), 200)
      },
    },
    {
      name: 'a rule lets in whom it allows, and the route has the claims',
      must: passOptions,
      async run(open) {
        const { auth, get } = await open()
        const admin = await signIn(auth, { openid: 'alice', claims: { role: 'admin' } })
        const user = await signIn(auth, { openid: 'bob', claims: { role: 'user' } })
        const answer = await get('/admin', admin.headers.authorization)
        expectStatus(answer, 200)
        expectBody(answer, { userId: admin.userId, role: 'admin' })
        expectStatus(await get('/admin', user.headers.authorization), 403)
        expectStatus(await get('/admin'), 401)
      },
    },
    {
      name: 'a rule that throws is a 500 that says nothing of its inside',
      must: 'send what auth.guard made of the failure, and leave the error handler out of it',
      async run(open) {
        const { auth, get, errors } = await open()
        const { headers } = await signIn(auth, { openid: 'alice' })
        const answer = await get('/broken-rule', headers.authorization)
        expectStatus(answer, 500)
        expectBody(answer, { error: 'server_error' })
        expectEqual(answer.text.includes(guardError), false, 'whether the answer has its message')
        if (errors) expectEqual(errors.length, 0, 'the number of errors at the error handler')
      },
    },
    {
      name: 'sessionOf on a route without requireAuth says what is missing',
      must: 'throw a TypeError from sessionOf where there is no session',
      async run(open) {
        const { auth, get, errors } = await open()
        const { headers } = await signIn(auth, { openid: 'alice' })
        const answer = await get('/unguarded', headers.authorization)
        expectStatus(answer, 500)
        if (!errors) return
        expectEqual(errors.length, 1, 'the number of errors at the error handler')
        const [error] = errors
        expectEqual(error instanceof TypeError, true, `whether ${error} is a TypeError`)
        expectEqual(/requireAuth/.test(`${error}`), true, `whether "${error}" names requireAuth`)
      },
    },
    {
      name: 'an error of a guarded route reaches the error handler once',
      must: "leave what a route throws to the framework, and not take it for the guard's",
      async run(open) {
        const { auth, get, errors } = await open()
        const { headers } = await signIn(auth, { openid: 'alice' })
        expectStatus(await get('/broken', headers.authorization), 500)
        if (!errors) return
        expectEqual(errors.map(messageOf), [routeError], 'what has reached the error handler')
      },
    },
    {
      name: 'a guarded route gets its body',
      must: 'guard by the headers of a request alone, and leave its body to the route',
      async run(open) {
        const { auth, post } = await open()
        const { headers } = await signIn(auth, { openid: 'alice' })
        const body = { text: '小明'.repeat(5000) }
        const answer = await post('/notes', body, headers)
        expectStatus(answer, 200)
        expectBody(answer, { body })
      },
    },
    {
      name: 'requests at the same time have each their own session',
      must: 'keep a session with its request, and nowhere else',
      async run(open) {
        const names = ['alice', 'bob', 'carol', 'dave', 'eve']
        let waiting = 0
        let letGo = () => {}
        const allAreIn = new Promise<void>((resolve) => {
          letGo = resolve
        })
        const { auth, post } = await open({
          alter: (auth) => ({
            async guard(credentials, options) {
              const result = await auth.guard(credentials, options)
              if (++waiting === names.length) letGo()
              await allAreIn
              return result
            },
          }),
        })
        const people = await Promise.all(names.map((openid) => signIn(auth, { openid })))
        await Promise.all(
          people.map(async ({ headers, userId }) => {
            // With a body, which most routes read after the guard.
            const answer = await post('/orders', {}, headers)
            expectStatus(answer, 200)
            expectBody(answer, { userId })
          }),
        )
      },
    },
  ]
}

function gatewayCases(): readonly CaseDraft[] {
  return [
    {
      name: 'the gateway of cloud hosting says who asks, where that is set',
      must: 'hand auth.guard the headers of a request as a whole',
      async run(open) {
        const hosted = await open({
          cloudHosting: { public: false },
          onLogin: ({ openid }) => ({ userId: openid }),
        })
        const usual = await open()
        const headers = {
          'x-wx-openid': 'oGZUI0egBJY1zhBYw2KhdUfwVJJE',
          'x-wx-appid': hosted.wechat.app.appId,
          'x-wx-source': 'wx_client',
        }
        const known = await hosted.send('GET', '/orders', { headers })
        expectStatus(known, 200)
        expectBody(known, { userId: headers['x-wx-openid'] })
        const login = await hosted.post('/wx/login', {}, headers)
        expectStatus(login, 200)
        expectBody(login, { user_id: headers['x-wx-openid'] })
        expectStatus(await usual.send('GET', '/orders', { headers }), 401)
      },
    },
    {
      name: 'the gateway of cloud hosting is not believed where it says two things',
      must: 'give a header that came twice joined by commas, as RFC 9110 §5.3 has it',
      async run(open) {
        const { sendRaw, wechat } = await open({ cloudHosting: { public: false } })
        const received = await sendRaw(
          `GET /orders HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-WX-Source: wx_client\r\nX-WX-AppID: ${wechat.app.appId}\r\nX-WX-OpenID: alice\r\nX-WX-OpenID: bob\r\n\r\n`,
        )
        expectRaw(received, /^HTTP\/1\.1 401 /, 'GET /orders')
      },
    },
  ]
}

const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error))
