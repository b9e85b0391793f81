// Serves the built site on this computer, as GitHub Pages does: below its base, without endings, with its page for 404.
import { existsSync, readFileSync, statSync } from 'node:fs'
import { createServer } from 'node:http'
import { extname, join, normalize } from 'node:path'
import { base } from '../../docs/.vitepress/address.mjs'

const types = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain; charset=utf-8',
  '.woff2': 'font/woff2',
  '.xml': 'application/xml',
}

/** @returns {Promise<{ url: string, close(): Promise<void> }>} */
export async function serve(folder, { port = 0 } = {}) {
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://127.0.0.1')
    if (!pathname.startsWith(base)) {
      response.writeHead(302, { location: base }).end()
      return
    }
    const file = fileAt(folder, decodeURIComponent(pathname.slice(base.length)))
    const isFound = file !== undefined
    const path = file ?? join(folder, '404.html')
    response.writeHead(isFound ? 200 : 404, {
      'content-type': types[extname(path)] ?? 'application/octet-stream',
    })
    response.end(readFileSync(path))
  })
  await new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', resolve)
  })
  return {
    url: `http://127.0.0.1:${server.address().port}${base}`,
    close: () =>
      new Promise((resolve) => {
        server.close(resolve)
        server.closeAllConnections()
      }),
  }
}

function fileAt(folder, path) {
  const inside = normalize(`/${path}`)
  const candidates = inside.endsWith('/') ? [`${inside}index.html`] : [inside, `${inside}.html`]
  return candidates
    .map((candidate) => join(folder, candidate))
    .find((candidate) => existsSync(candidate) && statSync(candidate).isFile())
}
