import type { AuthRequest, AuthResponse, RequestHeaders } from '../request.js'

export function headersOf({ headers }: Request): RequestHeaders {
  return { header: (name) => headers.get(name) ?? undefined }
}

/** What a guard asks for: the one header that nearly every request has, or all of them. */
export const credentialsOf = (request: Request): string | RequestHeaders =>
  request.headers.get('authorization') ?? headersOf(request)

/** `body` is what was made of a body that has been read already. */
export function toAuthRequest(request: Request, path: string, body = bodyOf(request)): AuthRequest {
  return {
    method: request.method,
    path,
    ...headersOf(request),
    body,
  }
}

function bodyOf({ body, bodyUsed }: Request): AuthRequest['body'] {
  if (bodyUsed || body?.locked) return { parsed: undefined }
  return body ? chunksOf(body) : undefined
}

// Not every runtime can iterate over a ReadableStream.
function chunksOf(body: ReadableStream<Uint8Array>): AsyncIterable<Uint8Array> {
  return {
    [Symbol.asyncIterator]() {
      // Not before, so that a request for another route keeps its body.
      const reader = body.getReader()
      return {
        async next() {
          const { done, value } = await reader.read()
          return done ? { done, value: undefined } : { done, value }
        },
        async return() {
          await reader.cancel()
          return { done: true, value: undefined }
        },
      }
    },
  }
}

export function toResponse({ status, headers, body }: AuthResponse): Response {
  return new Response(body ?? null, { status, headers })
}
