import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
  request as send,
} from 'node:http'
import type { Duplex, Readable } from 'node:stream'
import type { Mask } from '../mask.js'
import type { Exchange, Log, Message, Party } from './log.js'

export interface RecordingProxyOptions {
  readonly log: Log
  readonly mask: Mask
  readonly from: Party
  readonly to: Party
  /** Where everything goes, `http://127.0.0.1:3000`. */
  readonly target: string
  /** Below which path requests go somewhere else. */
  readonly branch?: { readonly path: string; readonly target: string } | undefined
  readonly now: () => number
  /** Asked for each request, whose answer it throws away. */
  readonly withholds?: () => boolean
}

/** By which a phone of the page says who it is; it goes no further. */
export const phoneHeader = 'x-wxlogin-dev-phone'

/** More than this of a body is passed on and not kept. */
const keptBytes = 64 * 1024

/** Passes everything on as it is, streams and upgrades included, and writes it down without its secrets. */
export function createRecordingProxy(options: RecordingProxyOptions): Server {
  const { log, mask, from, to, branch, now, withholds = () => false } = options

  const server = createServer((request, response) => pass(request, response))
  server.on('upgrade', (request, socket, head) => upgrade(request, socket, head))
  return server

  function start(request: IncomingMessage): number {
    const { [phoneHeader]: phone, ...headers } = request.headers
    return log.add({
      type: 'exchange',
      from,
      to,
      ...(typeof phone === 'string' && { phone }),
      method: request.method ?? 'GET',
      url: mask.url(request.url ?? '/'),
      startedMs: now(),
      request: { headers: mask.headers(headers) },
    })
  }

  function targetOf({ url = '/' }: IncomingMessage): string {
    return branch && url.startsWith(`${branch.path}/`) ? branch.target : options.target
  }

  function pass(request: IncomingMessage, response: ServerResponse) {
    const target = targetOf(request)
    const id = start(request)
    const asked = keep(request)
    const isWithheld = withholds()
    let isOver = false

    function end(parts: Partial<Exchange>) {
      if (isOver) return
      isOver = true
      log.change(id, { ...parts, endedMs: now(), request: messageOf(request.headers, asked) })
    }

    const passed = send({
      ...addressOf(target),
      method: request.method,
      path: request.url,
      headers: { ...headersFor(request.headers), host: new URL(target).host },
    })

    passed.on('response', (answer) => {
      const answered = keep(answer)
      const status = answer.statusCode ?? 502
      answer.on('end', () => {
        const message = messageOf(answer.headers, answered)
        const code = codeIn(answered.text(), to)
        end({
          outcome: isWithheld ? 'withheld' : 'answered',
          status,
          answer: message,
          ...(code !== undefined && { code }),
        })
        if (isWithheld) response.destroy()
      })
      answer.on('error', () => lost())
      answer.on('aborted', () => lost())
      if (isWithheld) {
        answer.resume()
        return
      }
      response.writeHead(status, answer.statusMessage, headersFor(answer.headers))
      answer.pipe(response)
    })
    passed.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'ECONNREFUSED') {
        lost()
        return
      }
      end({ outcome: 'unreachable' })
      response
        .writeHead(502, { 'content-type': 'text/plain; charset=utf-8' })
        .end(`wxlogin dev: nothing listens at ${target}. Start it, then try again.\n`)
    })
    response.on('close', () => {
      if (response.writableFinished) return
      end({ outcome: 'abandoned' })
      passed.destroy()
    })
    request.pipe(passed)

    function lost() {
      end({ outcome: 'lost' })
      response.destroy()
    }
  }

  function upgrade(request: IncomingMessage, socket: Duplex, head: Buffer) {
    const target = targetOf(request)
    const id = start(request)
    const end = (parts: Partial<Exchange>) => {
      log.change(id, { ...parts, endedMs: now() })
    }
    const passed = send({
      ...addressOf(target),
      method: request.method,
      path: request.url,
      headers: {
        ...headersFor(request.headers),
        connection: 'Upgrade',
        upgrade: request.headers.upgrade,
        host: new URL(target).host,
      },
    })
    socket.on('error', () => passed.destroy())
    passed.on('upgrade', (answer, backend, first) => {
      end({ outcome: 'answered', status: 101, answer: { headers: mask.headers(answer.headers) } })
      socket.write(headOf(answer))
      if (first.length > 0) socket.write(first)
      if (head.length > 0) backend.write(head)
      backend.on('error', () => socket.destroy())
      backend.on('close', () => socket.destroy())
      socket.on('close', () => backend.destroy())
      backend.pipe(socket).pipe(backend)
    })
    passed.on('response', (answer) => {
      end({
        outcome: 'answered',
        status: answer.statusCode ?? 502,
        answer: { headers: mask.headers(answer.headers) },
      })
      socket.write(headOf(answer))
      answer.pipe(socket)
    })
    passed.on('error', (error: NodeJS.ErrnoException) => {
      end({ outcome: error.code === 'ECONNREFUSED' ? 'unreachable' : 'lost' })
      socket.destroy()
    })
    passed.end()
  }

  function messageOf(headers: IncomingHttpHeaders, kept: Kept): Message {
    const { [phoneHeader]: _, ...shown } = headers
    const isCut = kept.bytes() > keptBytes
    const isReadable = !isCut && !shown['content-encoding']
    const body = isReadable ? mask.body(kept.buffer(), shown['content-type']) : undefined
    return {
      headers: mask.headers(shown),
      bytes: kept.bytes(),
      ...(isCut && { isCut }),
      ...(body !== undefined && { body }),
    }
  }
}

function addressOf(target: string) {
  const { hostname, port } = new URL(target)
  return { hostname: hostname.replace(/^\[|\]$/g, ''), port, agent: false } as const
}

interface Kept {
  bytes(): number
  buffer(): Buffer
  text(): string
}

/** Listens along, up to a limit. */
function keep(stream: Readable): Kept {
  const chunks: Buffer[] = []
  let bytes = 0
  stream.on('data', (chunk: Buffer) => {
    if (bytes <= keptBytes) chunks.push(chunk)
    bytes += chunk.length
  })
  const buffer = () => Buffer.concat(chunks)
  return { bytes: () => bytes, buffer, text: () => buffer().toString() }
}

/**
 * All but what belongs to one connection. Chunks stay chunks, because WeChat refuses them and a backend has to learn it;
 * and nothing is compressed, so that it can be read.
 */
function headersFor(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  const ofOneHop = /^(host|connection|keep-alive|proxy-.*|te|trailer|upgrade|accept-encoding)$/
  return Object.fromEntries(
    Object.entries(headers).filter(([name]) => !ofOneHop.test(name) && name !== phoneHeader),
  )
}

function headOf({ statusCode, statusMessage, rawHeaders }: IncomingMessage): string {
  const lines = rawHeaders.flatMap((name, index) =>
    index % 2 === 0 ? [`${name}: ${rawHeaders[index + 1]}`] : [],
  )
  return `HTTP/1.1 ${statusCode} ${statusMessage}\r\n${lines.join('\r\n')}\r\n\r\n`
}

/** What the answer says of itself: numbers of WeChat, and short names of backends. */
function codeIn(body: string, to: Party): string | number | undefined {
  let answer: unknown
  try {
    answer = JSON.parse(body)
  } catch {
    return undefined
  }
  const { errcode, error } = Object(answer)
  if (to === 'wechat') return Number(errcode ?? 0)
  return typeof error === 'string' && /^[a-z_]{1,40}$/.test(error) ? error : undefined
}
