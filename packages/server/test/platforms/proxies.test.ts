import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { type AddressInfo, connect, type Server as TcpServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createServer as createTlsServer } from 'node:tls'
import { promisify } from 'node:util'
import { expect, onTestFinished, test } from 'vitest'
import type { Auth } from '../../src/index.js'
import { createFakeWeChat } from '../../src/testing/index.js'
import { selfSigned } from '../wechat/certificate.js'
import { blockWith, bundle, envOf, run } from './blocks.js'

test('through a forward proxy WeChat is reached by its own name, over TLS that the proxy cannot read', async () => {
  const { proxy, wechat, login } = await setUpForward()

  const outcome = await login(proxy.url)

  expect(outcome).toEqual({ userId: expect.any(String) })
  expect(proxy.seen).toEqual(['api.weixin.qq.com:443 by user:password'])
  expect(wechat.calls).toMatchObject([{ path: '/sns/jscode2session' }])
})

test.each([
  ['is down', async () => ({ url: 'http://127.0.0.1:9', seen: [] })],
  ['refuses', () => startForwardProxy(() => 403, 0)],
  ['cannot reach WeChat', () => startForwardProxy(() => 502, 0)],
])('a forward proxy that %s costs no code', async (_what, start) => {
  const { proxy: works, login, wechat } = await setUpForward()
  const code = wechat.codeFor('alice')

  const outcome = await login((await start()).url, code)

  expect(outcome).toEqual({ code: 'wechat_unavailable' })
  expect(wechat.calls).toEqual([])
  expect(await login(works.url, code)).toEqual({ userId: expect.any(String) })
})

test('a reverse proxy is called below its path, by plain http only because it is permitted', async () => {
  const wechat = createFakeWeChat()
  const { port, seen } = await startReverseProxy(wechat.fetch)
  // This is loopback too, under a name that is none of those that need no permission.
  const url = `http://[::ffff:127.0.0.1]:${port}/wechat`
  const { auth } = await run<{ auth: Auth }>('allowPlainHttp: true', wechat, {
    WECHAT_URL: url,
    fetch: globalThis.fetch,
  })
  onTestFinished(() => auth.close())

  const { user_id } = await auth.login({ code: wechat.codeFor('alice') })
  await auth.wechat().accessToken()

  expect(user_id).toEqual(expect.any(String))
  expect(seen).toEqual(['/wechat/sns/jscode2session', '/wechat/cgi-bin/stable_token'])
  expect((await auth.check()).wechat.host).toBe(new URL(url).href)
})

/** The recipe in a process of its own, which trusts the certificate of the WeChat behind the proxy. */
async function setUpForward() {
  const wechat = createFakeWeChat()
  const plain = await wechat.listen()
  const { cert, key } = selfSigned('api.weixin.qq.com')
  const tls = createTlsServer({ cert, key }, (socket) => {
    const upstream = connect(Number(new URL(plain.url).port), '127.0.0.1')
    socket.pipe(upstream).pipe(socket)
    for (const one of [socket, upstream]) one.on('error', () => undefined)
  })
  const proxy = await startForwardProxy(() => 200, await listen(tls))
  const folder = mkdtempSync(join(tmpdir(), 'wxlogin-proxy-'))
  writeFileSync(join(folder, 'ca.pem'), cert)
  const trailer = `
    auth.login({ code: process.argv[2] ?? '' }).then(({ user_id }) => ({ userId: user_id }), ({ code }) => ({ code }))
      .then((outcome) => console.log(JSON.stringify(outcome)))
      .finally(() => dispatcher.close())`
  const block = blockWith('new ProxyAgent')
  writeFileSync(join(folder, 'backend.cjs'), await bundle(block + trailer))
  onTestFinished(async () => {
    rmSync(folder, { recursive: true })
    await plain.close()
  })

  async function login(proxyUrl: string, code = wechat.codeFor('alice')): Promise<unknown> {
    const env = {
      ...process.env,
      WECHAT_PROXY: proxyUrl,
      ...envOf(wechat),
      NODE_EXTRA_CA_CERTS: join(folder, 'ca.pem'),
    }
    const args = [join(folder, 'backend.cjs'), code]
    const { stdout } = await promisify(execFile)(process.execPath, args, { env })
    return JSON.parse(stdout.trim().split('\n').pop() ?? '')
  }

  return { wechat, proxy, login }
}

/** CONNECT as squid does it; wherever one wants to go, one gets to this port. */
async function startForwardProxy(answer: () => number, port: number) {
  const seen: string[] = []
  const server = createServer((_request, response) => response.writeHead(405).end())
  server.on('connect', ({ url, headers }, socket) => {
    const [, credentials = ''] = headers['proxy-authorization']?.split(' ') ?? []
    seen.push(`${url} by ${Buffer.from(credentials, 'base64')}`)
    socket.on('error', () => undefined)
    const status = answer()
    if (status !== 200) return socket.end(`HTTP/1.1 ${status} No\r\n\r\n`)
    const upstream = connect(port, '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n')
      socket.pipe(upstream).pipe(socket)
    })
    upstream.on('error', () => socket.destroy())
    return undefined
  })
  return { url: `http://user:password@127.0.0.1:${await listen(server)}`, seen }
}

/** What nginx makes of `location /wechat/ { proxy_pass https://api.weixin.qq.com/; }`. */
async function startReverseProxy(fetch: ReturnType<typeof createFakeWeChat>['fetch']) {
  const seen: string[] = []
  const server = createServer((request, response) => {
    const { pathname, search } = new URL(request.url ?? '/', 'http://proxy')
    seen.push(pathname)
    const chunks: Buffer[] = []
    request.on('data', (chunk) => chunks.push(chunk))
    request.on('end', async () => {
      const answer = await fetch(
        `https://api.weixin.qq.com${pathname.replace(/^\/wechat/, '')}${search}`,
        {
          method: request.method === 'POST' ? 'POST' : 'GET',
          headers: { 'content-type': request.headers['content-type'] ?? '' },
          ...(chunks.length > 0 && { body: Buffer.concat(chunks).toString() }),
          redirect: 'manual',
          signal: AbortSignal.timeout(5000),
        },
      )
      response.writeHead(answer.status, { 'content-type': 'application/json' })
      response.end(await new Response(answer.body as ReadableStream).text())
    })
  })
  return { port: await listen(server), seen }
}

async function listen(server: Server | TcpServer): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.close()
    if ('closeAllConnections' in server) server.closeAllConnections()
  })
  return (server.address() as AddressInfo).port
}
