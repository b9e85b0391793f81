import { type CaseDraft, newKey } from './backend.js'
import { sendAndLeave } from './exchange.js'
import {
  expectBody,
  expectEqual,
  expectRaw,
  expectStatus,
  expectTokens,
  textIn,
} from './expectations.js'

/** The bodies of the login routes, whoever reads them. */
export function bodyCases({ hasParser }: { hasParser: boolean }): readonly CaseDraft[] {
  const readOnce = hasParser
    ? 'hand auth.handle what the parser made of a body, as { parsed }'
    : 'hand auth.handle a body as it arrives'
  return [
    {
      name: 'the text of a body arrives as it was sent',
      must: readOnce,
      async run(open) {
        const { auth, post, loginBody } = await open()
        const device = '小明的手机 📱 "\\'
        const login = await post('/wx/login', { ...loginBody(), device })
        expectStatus(login, 200)
        const [session] = await auth.sessions.list(textIn(login, 'user_id'))
        expectEqual(session?.device, device, 'the device that was sent')
      },
    },
    {
      name: 'a body may arrive in pieces, which need not end where letters do',
      must: readOnce,
      async run(open) {
        const { auth, wechat, sendRaw, loginBody } = await open()
        const bytes = Buffer.from(JSON.stringify({ ...loginBody(), device: '手机' }))
        const head = `POST /wx/login HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\nIdempotency-Key: ${newKey()}\r\nContent-Length: ${bytes.length}\r\n\r\n`
        const middle = bytes.indexOf('机') + 1
        const received = await sendRaw(head, bytes.subarray(0, middle), bytes.subarray(middle))
        expectRaw(received, /^HTTP\/1\.1 200 /, 'POST /wx/login')
        const [, userId = ''] = /"user_id":"([^"]+)"/.exec(received) ?? []
        const [session] = await auth.sessions.list(userId)
        expectEqual(session?.device, '手机', 'the device that was sent')
        expectEqual(wechat.calls.length, 1, 'the number of calls to WeChat')
      },
    },
    {
      name: 'a body of another type is a 415',
      must: 'leave bodies of other types to auth.handle, unparsed',
      async run(open) {
        const { post, wechat } = await open()
        const form = `code=${wechat.codeFor('alice')}&app_id=${wechat.app.appId}`
        for (const type of ['application/x-www-form-urlencoded', 'text/plain', 'image/png']) {
          const answer = await post('/wx/login', form, { 'content-type': type })
          expectStatus(answer, 415)
          expectBody(answer, { error: 'invalid_request' })
        }
        expectEqual(wechat.calls.length, 0, 'the number of calls to WeChat')
      },
    },
    ...['', '[]', 'null', '"x"', '{', '{"code":"a"'].map(
      (body): CaseDraft => ({
        name: `the body ${JSON.stringify(body)} is a 400`,
        must: `${readOnce}, whatever it is`,
        async run(open) {
          const { post, wechat } = await open()
          const answer = await post('/wx/login', body)
          expectStatus(answer, 400)
          // A parser refuses with a body of its own.
          if (!hasParser) expectBody(answer, { error: 'invalid_request' })
          expectEqual(wechat.calls.length, 0, 'the number of calls to WeChat')
        },
      }),
    ),
    {
      name: 'a missing idempotency key is a 400',
      must: 'invent no headers',
      async run(open) {
        const { send, loginBody } = await open()
        const answer = await send('POST', '/wx/login', {
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify(loginBody()),
        })
        expectStatus(answer, 400)
        expectBody(answer, { error: 'invalid_request' })
        expectEqual(
          textIn(answer, 'error_description').includes('Idempotency-Key'),
          true,
          `${answer.what}, whether the description names the header`,
        )
      },
    },
    ...[9_000, 90_000].map(
      (bytes): CaseDraft => ({
        name: `a body of ${bytes} bytes gets a 413 for an answer, and no reset`,
        must: 'send the answer though the body was not read, and not break the connection before',
        async run(open) {
          const { post, loginBody } = await open()
          const body = { ...loginBody(), input: 'x'.repeat(bytes) }
          for (let n = 0; n < 10; n++) {
            const answer = await post('/wx/login', body)
            expectStatus(answer, 413)
            expectBody(answer, { error: 'invalid_request' })
          }
        },
      }),
    ),
    {
      name: 'requests go on after one that was refused',
      must: 'leave a connection in a state to be used again, or close it',
      async run(open) {
        const { post, loginBody } = await open()
        for (let n = 0; n < 3; n++) {
          const image = { 'content-type': 'image/png' }
          expectStatus(await post('/wx/login', 'x'.repeat(5000), image), 415)
          expectStatus(await post('/wx/refresh', { refresh_token: 'junk' }), 400)
          expectTokens(await post('/wx/login', loginBody()))
        }
      },
    },
    {
      name: 'requests go on after one that broke off',
      must: 'serve each request by itself, and survive one whose body never comes to its end',
      async run(open) {
        const { url, post, loginBody } = await open()
        for (let n = 0; n < 3; n++) {
          await sendAndLeave(
            url,
            `POST /wx/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nIdempotency-Key: ${newKey()}\r\nContent-Length: 100\r\n\r\n{"code":`,
          )
          expectTokens(await post('/wx/login', loginBody()))
        }
      },
    },
  ]
}
