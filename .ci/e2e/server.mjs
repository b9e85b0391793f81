// Serves the phone's page on loopback, and carries what the mini program sends to the backend and to WeChat.
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { scriptOf } from './compiled.mjs'

const file = (name) => fileURLToPath(new URL(`phone/${name}`, import.meta.url))

/**
 * @param {object} options
 * @param {string} options.folder A compiled mini program.
 * @param {string} options.toolFolder Where glass-easel is installed.
 * @param {string} options.backendUrl
 * @param {() => string} options.newCode What `wx.login` gives.
 * @param {(line: string) => void} options.onRequest Hears of each request of the mini program: `POST /wx/login 200`.
 */
export async function servePhone({ folder, toolFolder, backendUrl, newCode, onRequest }) {
  const script = 'text/javascript; charset=utf-8'
  const files = {
    '/': ['text/html; charset=utf-8', readFileSync(file('page.html'))],
    '/phone.css': ['text/css; charset=utf-8', readFileSync(file('phone.css'))],
    '/phone.js': [script, await phoneScript(toolFolder)],
    '/mini-program.js': [script, scriptOf(folder, toolFolder)],
  }

  const server = createServer((request, response) => {
    answer(request, response).catch((error) => response.writeHead(502).end(String(error)))
  })

  async function answer(request, response) {
    const found = files[request.url]
    if (found) return response.writeHead(200, { 'content-type': found[0] }).end(found[1])
    if (request.url === '/wechat/code') return response.writeHead(200).end(newCode())
    if (request.url.startsWith('/backend/')) return carry(request, response)
    return response.writeHead(404).end()
  }

  async function carry(request, response) {
    const path = request.url.replace('/backend', '')
    const parts = []
    for await (const part of request) parts.push(part)
    const answered = await fetch(backendUrl + path, {
      method: request.method,
      headers: headersFor(request.headers),
      ...(parts.length > 0 && { body: Buffer.concat(parts) }),
    })
    const body = Buffer.from(await answered.arrayBuffer())
    onRequest(`${request.method} ${path} ${answered.status}`)
    response.writeHead(answered.status, headersFor(Object.fromEntries(answered.headers))).end(body)
  }

  await new Promise((listening) => server.listen(0, '127.0.0.1', listening))
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    async close() {
      server.closeAllConnections()
      await new Promise((closed) => server.close(closed))
    },
  }
}

/** What belongs to one connection stays behind, and so does what only browsers send. */
function headersFor(headers) {
  const ofOneHop =
    /^(host|connection|keep-alive|transfer-encoding|content-length|content-encoding|accept-encoding|origin|referer|sec-.*)$/
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !ofOneHop.test(name)))
}

async function phoneScript(toolFolder) {
  const { outputFiles } = await build({
    entryPoints: [file('main.mjs')],
    nodePaths: [`${toolFolder}/node_modules`],
    bundle: true,
    format: 'iife',
    write: false,
    logLevel: 'error',
  })
  return outputFiles[0].contents
}
