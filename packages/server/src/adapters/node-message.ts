import type { AuthRequest, AuthResponse, RequestHeaders } from '../request.js'

/** What is needed of a request of `node:http`, or of a framework on top of it. */
export interface NodeRequest {
  readonly method?: string | undefined
  readonly url?: string | undefined
  readonly httpVersionMajor: number
  readonly headers: { readonly [name: string]: string | string[] | undefined }
  readonly readableDidRead: boolean
  iterator(options: { destroyOnReturn: boolean }): AsyncIterable<Uint8Array | string>
  /** Over HTTP/2. */
  readonly stream?: NodeStream | undefined
  readonly socket?: { readonly remoteAddress?: string | undefined } | undefined
  /** What a framework takes for the address, which knows the proxies in front of it. */
  readonly ip?: string | undefined
}

/** What is needed of a stream of HTTP/2. */
export interface NodeStream {
  once(event: 'finish', listener: () => void): unknown
  close(): unknown
}

/** A request of `node:http` of which a body parser or the platform may have read the body. */
export interface NodeBodyRequest extends NodeRequest {
  /** What was made of it. */
  readonly body?: unknown
}

/** What is needed of a response of `node:http`. */
export interface NodeResponse {
  readonly headersSent: boolean
  writeHead(status: number, headers: Record<string, string>): unknown
  end(body?: string): unknown
}

export type Next = (error?: unknown) => void

function headerOf({ headers }: NodeRequest, name: string): string | undefined {
  const value = headers[name.toLowerCase()]
  return Array.isArray(value) ? value[0] : value
}

/** `framework` is its own request, which may know the address better. */
export function headersOf(
  request: NodeRequest,
  framework: Pick<NodeRequest, 'ip'> = request,
): RequestHeaders {
  return {
    header: (name) => headerOf(request, name),
    // Looked at only when a hook gets it: it is made anew out of headers each time.
    get ip() {
      return framework.ip ?? request.socket?.remoteAddress
    },
  }
}

/** What a guard asks for: the one header that nearly every request has, or all of them. */
export function credentialsOf(
  request: NodeRequest,
  framework: Pick<NodeRequest, 'ip'> = request,
): string | RequestHeaders {
  return headerOf(request, 'authorization') ?? headersOf(request, framework)
}

/** `parser` is where a body parser leaves what it has made, and `framework` the framework's own request. */
export function toAuthRequest(
  request: NodeRequest,
  path: string,
  parser: object = request,
  framework: Pick<NodeRequest, 'ip'> = request,
): AuthRequest {
  return Object.assign(headersOf(request, framework), {
    method: request.method ?? 'GET',
    path,
    // Not destroyed when reading stops early: the response still has to go out on the same connection.
    body: request.readableDidRead ? parsedIn(parser) : request.iterator({ destroyOnReturn: false }),
  })
}

/** Looked at only when a route wants it: a platform may parse it then, and throw. */
function parsedIn(parser: object): { readonly parsed: unknown } {
  return {
    get parsed() {
      return 'body' in parser ? parser.body : undefined
    },
  }
}

export function send(
  request: NodeRequest,
  response: NodeResponse,
  { status, headers, body, closes }: AuthResponse,
): void {
  // Something else has already responded, for example a timeout.
  if (response.headersSent) return
  response.writeHead(status, { ...headers, ...(closes && giveUpBody(request)) })
  response.end(body)
}

/** What an answer that did not wait for the body adds, so that nobody goes on sending it. */
export function giveUpBody({
  httpVersionMajor,
  stream,
}: NodeRequest): Readonly<Record<string, string>> {
  if (httpVersionMajor === 1) return { connection: 'close' }
  // Without an error, and once the answer is out (RFC 9113 §8.1).
  stream?.once('finish', () => stream.close())
  return {}
}
