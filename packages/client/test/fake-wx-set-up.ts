import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import {
  createFakeWx,
  type FakeNetworkRequest,
  type FakeNetworkResponse,
  type FakeWxOptions,
} from '@wxlogin/client/testing'
import { afterEach, beforeEach, onTestFinished, vi } from 'vitest'

export const url = 'https://api.example.com/orders'

/** A phone whose requests end in the test itself; `sent` is what left it. */
export function setUp(options: FakeWxOptions = {}) {
  const sent: FakeNetworkRequest[] = []
  const network = async (request: FakeNetworkRequest): Promise<FakeNetworkResponse> => {
    sent.push(request)
    return { statusCode: 200, header: {}, body: '{"hello":"world"}' }
  }
  const wx = createFakeWx({ network, ...options })
  return { wx, sent }
}

/** Lets everything that waits for no timer happen. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await undefined
}

export function useFakeTime() {
  beforeEach(() => {
    vi.useFakeTimers()
  })
  afterEach(() => {
    vi.useRealTimers()
  })
}

/** A server on loopback that answers 418 and ends with the test. */
export async function listen(
  answer: (request: IncomingMessage, body: Buffer) => { body: string } | Promise<{ body: string }>,
) {
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    const { body } = await answer(request, Buffer.concat(chunks))
    response.setHeader('Set-Cookie', ['a=1', 'b=2'])
    response.setHeader('X-Seen', 'yes').writeHead(418).end(body)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return { server, origin: `http://127.0.0.1:${port}` }
}
