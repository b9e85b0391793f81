import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { Readable } from 'node:stream'

/** Serves by Node what takes a `Request` and gives a `Response`. A body is read only if, and as far as, it is asked for. */
export function webListener(
  answer: (request: Request) => Response | Promise<Response>,
): RequestListener {
  return (request, response) => {
    void serve(answer, request, response).catch(() => response.destroy())
  }
}

async function serve(
  answer: (request: Request) => Response | Promise<Response>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const asked = toRequest(request)
  const { status, headers, body } = asked ? await read(await answer(asked)) : malformed
  // Nobody goes on sending what is not read.
  if (!request.complete) response.once('finish', () => request.destroy())
  response.writeHead(status, { ...headers, 'content-length': body.byteLength })
  response.end(body)
}

const read = async (answer: Response) => ({
  status: answer.status,
  headers: Object.fromEntries(answer.headers),
  body: Buffer.from(await answer.arrayBuffer()),
})

const malformed = {
  status: 400,
  headers: {
    'content-type': 'application/json; charset=utf-8',
    'cache-control': 'no-store',
    connection: 'close',
  },
  body: Buffer.from(
    JSON.stringify({
      error: 'invalid_request',
      error_description: 'This is no request: its target or its method cannot be read',
    }),
  ),
}

/** `undefined` for a target that is no address, and for a method that no `Request` may have. */
function toRequest(request: IncomingMessage): Request | undefined {
  const { method = 'GET', url = '/', rawHeaders } = request
  const headers = new Headers()
  for (let index = 0; index < rawHeaders.length; index += 2) {
    headers.append(String(rawHeaders[index]), String(rawHeaders[index + 1]))
  }
  const hasBody = method !== 'GET' && method !== 'HEAD'
  const stream = { body: Readable.toWeb(request), duplex: 'half' }
  try {
    // The host says nothing here: it is the caller's own word.
    const address = new URL(url, 'http://service.invalid')
    return new Request(address, { method, headers, ...(hasBody && stream) } as RequestInit)
  } catch {
    return undefined
  }
}
