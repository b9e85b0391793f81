import { type AlteredAuth, type CaseDraft, newKey } from './backend.js'
import { beginHttp2 } from './exchange.js'
import { expectEqual, expectRaw, expectStatus } from './expectations.js'

const close =
  'send `connection: close` on HTTP/1 with an answer that `closes`, and break nothing off before it is out'

const reset =
  'close the stream without an error once an answer that `closes` is out, over HTTP/2 (RFC 9113 §8.1)'

// As when a body takes too long, but at once.
const givingUp: AlteredAuth = {
  async handle({ body }) {
    if (body && Symbol.asyncIterator in body) {
      const iterator = body[Symbol.asyncIterator]()
      await iterator.next()
      iterator.return?.()?.catch(() => undefined)
      await new Promise(setImmediate)
    }
    return { status: 408, headers: {}, body: '{}', closes: true }
  },
}

/** What becomes of the connection when a body is not read to its end. */
export function connectionCases(): readonly CaseDraft[] {
  return [
    {
      name: 'the connection is closed after an answer that did not wait for the body',
      must: close,
      async run(open) {
        const { sendRaw } = await open()
        const received = await sendRaw(
          'POST /wx/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1000000\r\n\r\n{',
        )
        expectRaw(received, /^HTTP\/1\.1 413 /, 'POST /wx/login')
        expectRaw(received, /\r\nconnection: close\r\n/i, 'POST /wx/login')
      },
    },
    {
      name: 'the connection is closed after a chunked body that grew too large',
      must: close,
      async run(open) {
        const { sendRaw } = await open()
        const chunk = `1000\r\n${'x'.repeat(4096)}\r\n`
        const received = await sendRaw(
          `POST /wx/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n${chunk.repeat(3)}`,
        )
        expectRaw(received, /^HTTP\/1\.1 413 /, 'POST /wx/login')
      },
    },
    {
      name: 'the connection is closed after a body that was given up on its way',
      must: 'let auth.handle stop reading a body and still answer, by an iterator whose return() destroys nothing',
      async run(open) {
        const { sendRaw } = await open({
          alter: () => givingUp,
        })
        const received = await sendRaw(
          'POST /wx/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n',
          '{',
        )
        expectRaw(received, /^HTTP\/1\.1 408 /, 'POST /wx/login')
        expectRaw(received, /\r\nconnection: close\r\n/i, 'POST /wx/login')
      },
    },
    {
      name: 'over HTTP/2 the stream is closed after a body that grew too large',
      must: reset,
      async run(open) {
        const { http2Url } = await open()
        if (http2Url === undefined) return
        const headers = { 'content-type': 'application/json' }
        const body = 'x'.repeat(9000)
        const { status, closedWith } = await beginHttp2(http2Url, '/wx/login', headers, body)
        expectEqual(status, 413, 'POST /wx/login over HTTP/2, the status')
        expectEqual(closedWith, 0, 'POST /wx/login over HTTP/2, the code of the stream')
      },
    },
    {
      name: 'over HTTP/2 the stream is closed after a body that was given up on its way',
      must: reset,
      async run(open) {
        const { http2Url } = await open({ alter: () => givingUp })
        if (http2Url === undefined) return
        const headers = { 'content-type': 'application/json', 'content-length': '100' }
        const { status, text, closedWith } = await beginHttp2(http2Url, '/wx/login', headers, '{')
        expectEqual(status, 408, 'POST /wx/login over HTTP/2, the status')
        expectEqual(text, '{}', 'POST /wx/login over HTTP/2, the body')
        expectEqual(closedWith, 0, 'POST /wx/login over HTTP/2, the code of the stream')
      },
    },
    {
      name: 'the connection is kept after other answers',
      must: 'send `connection: close` with no answer but those that `closes`',
      async run(open) {
        const { sendRaw } = await open()
        const post = (body: string, ending = '') =>
          `POST /wx/refresh HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n${ending}\r\n${body}`
        const received = await sendRaw(post('[]') + post('{') + post('{}', 'Connection: close\r\n'))
        const answers = received.match(/HTTP\/1\.1 400 /g) ?? []
        expectEqual(answers.length, 3, 'the number of answers on one connection')
      },
    },
    {
      name: 'a client that sends megabytes before it reads gets an answer',
      must: close,
      async run(open) {
        const { send } = await open()
        const headers = { 'content-type': 'application/json', 'idempotency-key': newKey() }
        for (let n = 0; n < 10; n++) {
          expectStatus(
            await send('POST', '/wx/login', { headers, body: 'x'.repeat(5_000_000) }),
            413,
          )
        }
      },
    },
  ]
}
