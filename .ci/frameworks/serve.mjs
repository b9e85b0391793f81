import { createServer } from 'node:http'
import { createServer as createHttp2Server } from 'node:http2'

/** A server on a free port of this machine. */
export async function serve(listener) {
  const server = createServer(listener)
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

/** The same, and over HTTP/2. */
export async function serveBoth(listener) {
  const { url, close } = await serve(listener)
  const server = createHttp2Server(listener)
  const sessions = new Set()
  server.on('session', (session) => sessions.add(session))
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url,
    http2Url: `http://127.0.0.1:${server.address().port}`,
    async close() {
      for (const session of sessions) session.destroy()
      await new Promise((resolve) => server.close(() => resolve()))
      await close()
    },
  }
}

/** How many bytes come. */
export async function sizeOf(stream) {
  let bytes = 0
  for await (const chunk of stream) bytes += chunk.length
  return bytes
}
