import { connect as connectHttp2 } from 'node:http2'
import { connect } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'

/** What came back, read to its end. */
export interface Answer {
  /** The request, for messages: `POST /wx/login`. */
  readonly what: string
  readonly status: number
  header(name: string): string | undefined
  readonly text: string
  /** The body as JSON; `undefined` when it is none. */
  readonly body: unknown
}

export interface Sent {
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

/** Of text over a bare connection. */
export type Piece = string | Uint8Array

// Far more than an adapter needs, and less than test runners wait.
const answerTimeoutMs = 4000

export async function send(
  url: string,
  method: string,
  path: string,
  { headers = {}, body }: Sent = {},
): Promise<Answer> {
  const what = `${method} ${path}`
  try {
    const response = await fetch(url + path, {
      method,
      headers,
      redirect: 'manual',
      signal: AbortSignal.timeout(answerTimeoutMs),
      ...(body !== undefined && { body }),
    })
    const text = await response.text()
    return {
      what,
      status: response.status,
      header: (name) => response.headers.get(name) ?? undefined,
      text,
      body: parse(text),
    }
  } catch (error) {
    throw new Error(`${what}: no answer, but ${reasonOf(error)}`, { cause: error })
  }
}

/** Text over a bare connection, in pieces that arrive apart; gives what comes back until the other end closes. */
export function sendRaw(url: string, pieces: readonly Piece[]): Promise<string> {
  const { hostname, port } = new URL(url)
  return new Promise((resolve, reject) => {
    let received = ''
    const socket = connect({ host: hostname, port: Number(port), noDelay: true }, () => {
      write().catch(reject)
    })
    const write = async () => {
      for (const piece of pieces) {
        if (socket.writable) socket.write(piece)
        await wait(20)
      }
    }
    const end = (outcome: () => void) => {
      clearTimeout(timer)
      socket.destroy()
      outcome()
    }
    const timer = setTimeout(() => {
      const state = received === '' ? 'without an answer' : `after ${JSON.stringify(received)}`
      end(() => reject(new Error(`The connection was still open after 4 s, ${state}`)))
    }, answerTimeoutMs)
    socket.setEncoding('utf8')
    socket.on('data', (data) => {
      received += data
    })
    socket.on('end', () => end(() => resolve(received)))
    socket.on('error', (error) =>
      end(() => reject(new Error(`The connection broke: ${reasonOf(error)}`, { cause: error }))),
    )
  })
}

/** What came over HTTP/2, and the code that the stream was closed with (RFC 9113 §7). */
export interface Http2Answer {
  readonly status: number
  readonly text: string
  readonly closedWith: number
}

/** Sends the beginning of a body over HTTP/2, and waits for the other end to close the stream. */
export function beginHttp2(
  url: string,
  path: string,
  headers: Readonly<Record<string, string>>,
  body: string,
): Promise<Http2Answer> {
  const what = `POST ${path} over HTTP/2`
  return new Promise((resolve, reject) => {
    const session = connectHttp2(url)
    const end = (outcome: () => void) => {
      clearTimeout(timer)
      session.destroy()
      outcome()
    }
    let status = 0
    let text = ''
    const timer = setTimeout(() => {
      const state = status === 0 ? 'without an answer' : `after an answer with status ${status}`
      end(() => reject(new Error(`${what}: the stream was still open after 4 s, ${state}`)))
    }, answerTimeoutMs)
    const fail = (error: unknown) =>
      end(() => reject(new Error(`${what}: ${reasonOf(error)}`, { cause: error })))
    session.on('error', fail)
    const stream = session.request({ ':method': 'POST', ':path': path, ...headers })
    stream.setEncoding('utf8')
    stream.on('response', (answered) => {
      status = Number(answered[':status'])
    })
    stream.on('data', (piece) => {
      text += piece
    })
    stream.on('error', fail)
    stream.on('close', () => end(() => resolve({ status, text, closedWith: stream.rstCode ?? 0 })))
    stream.write(body)
  })
}

/** Begins a request and goes away. */
export function sendAndLeave(url: string, text: string): Promise<void> {
  const { hostname, port } = new URL(url)
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname, async () => {
      socket.write(text)
      await wait(20)
      socket.destroy()
    })
    socket.on('close', () => resolve())
    socket.on('error', reject)
  })
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const { cause } = error
  if (error.name === 'TimeoutError') return `silence for ${answerTimeoutMs / 1000} s`
  if (cause instanceof Error && 'code' in cause) return String(cause.code)
  return cause instanceof Error ? cause.message : error.message
}
