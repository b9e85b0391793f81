import type { FakeWxOptions } from '@wxlogin/client/testing'
import type { Auth, GuardOptions } from '@wxlogin/server'
import { baseUrl } from './set-up.js'

type Network = NonNullable<FakeWxOptions['network']>

/** A network on which all requests reach what a fetch handler serves. */
export const networkTo =
  (serve: (request: Request, pathname: string) => Response | Promise<Response>): Network =>
  async ({ url, method, header, body }) => {
    const request = new Request(url, { method, headers: { ...header }, ...(body && { body }) })
    const response = await serve(request, new URL(url).pathname)
    return {
      statusCode: response.status,
      header: Object.fromEntries(response.headers),
      body: await response.text(),
    }
  }

/** A network to a backend without a framework: its routes are below `/wx`, and a session opens everything else. */
export const networkToAuth =
  (authNow: () => Auth, guardOf: (path: string) => GuardOptions = () => ({})): Network =>
  async ({ url, method, header, body }) => {
    const auth = authNow()
    const path = url.slice(baseUrl.length)
    const answer = path.startsWith('/wx/')
      ? await auth.handle({
          method,
          path: path.slice('/wx'.length),
          header: (name) => header[name.toLowerCase()],
          body: { parsed: JSON.parse(String(body)) },
        })
      : ((await auth.guard(header.authorization, guardOf(path))).response ?? {
          status: 200,
          headers: {},
          body: '{}',
        })
    return { statusCode: answer.status, header: answer.headers, body: answer.body ?? '' }
  }
