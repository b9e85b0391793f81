import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import type { FakeWxOptions } from '@wxlogin/client/testing'
import { buildSync } from 'esbuild'
import { onTestFinished } from 'vitest'
import type { createBackend } from '../express/app.ts'

export const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))

/** What the mini program has in `miniprogram_npm`. */
export function buildNpm(): Record<string, string> {
  // From source, so that the tests need no build; `npm run demo` runs the very file that is published.
  const [client] = buildSync({
    entryPoints: [here('../../packages/client/src/full.ts')],
    bundle: true,
    format: 'cjs',
    target: 'es2015',
    write: false,
  }).outputFiles
  return { '@wxlogin/client/full': client?.text ?? '' }
}

/** The address of a backend that listens until the test is over. */
export async function listen(app: ReturnType<typeof createBackend>['app']): Promise<string> {
  const server = app.listen(0, '127.0.0.1')
  await new Promise((listening) => server.once('listening', listening))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** A network on which the address that the mini program calls leads to this backend. */
export const networkTo =
  (backend: string): NonNullable<FakeWxOptions['network']> =>
  async ({ url, method, header, body }) => {
    const { pathname, search } = new URL(url)
    const response = await fetch(`${backend}${pathname}${search}`, {
      method,
      headers: { ...header },
      ...(body !== undefined && { body }),
    })
    return {
      statusCode: response.status,
      header: Object.fromEntries(response.headers),
      body: await response.arrayBuffer(),
    }
  }
