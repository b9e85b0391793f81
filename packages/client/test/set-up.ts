import { type ClientOptions, createClient } from '@wxlogin/client'
import {
  createClient as createFullClient,
  type ClientOptions as FullClientOptions,
} from '@wxlogin/client/full'
import { createFakeWx, type FakeWxOptions } from '@wxlogin/client/testing'
import { createBackend } from './backend.js'

export const baseUrl = 'https://api.example.com'

/** A phone, a backend, and the client between them. */
export function setUp<Data = unknown>({
  phone,
  ...options
}: Partial<ClientOptions> & { phone?: FakeWxOptions } = {}) {
  const backend = createBackend()
  const wx = createFakeWx({ wechat: backend.wechat, network: backend.network, ...phone })
  const start = (on = wx) => createClient<Data>({ baseUrl, wx: on, ...options })
  return { backend, wx, client: start(), start }
}

/** The same with the entry that has everything. */
export function setUpFull<Data = unknown>({
  phone,
  ...options
}: Partial<FullClientOptions> & { phone?: FakeWxOptions } = {}) {
  const backend = createBackend()
  const { wechat, network, handshake } = backend
  const wx = createFakeWx({ wechat, network, handshake, ...phone })
  const where = options.container ? {} : { baseUrl }
  const start = (on = wx) =>
    createFullClient<Data>({ ...where, wx: on, ...options } as FullClientOptions)
  return { backend, wx, client: start(), start }
}

export function times<T>(count: number, run: (index: number) => T): T[] {
  return Array.from({ length: count }, (_, index) => run(index))
}

/** The code of each rejection, `'ok'` for the others. */
export async function outcomes(promises: readonly Promise<unknown>[]): Promise<string[]> {
  const settled = await Promise.allSettled(promises)
  return settled.map((one) => (one.status === 'fulfilled' ? 'ok' : String(Object(one.reason).code)))
}
