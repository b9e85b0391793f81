import type { Backend } from '@wxlogin/client/backend'
import {
  createFakeWx,
  type FakeNetworkRequest,
  type FakeNetworkResponse,
  type FakeWxOptions,
} from '@wxlogin/client/testing'
import { baseUrl } from '../set-up.js'

/** A request as a foreign backend saw it. */
export interface Seen {
  readonly method: string
  /** With its query. */
  readonly path: string
  readonly url: string
  readonly header: Readonly<Record<string, string>>
  readonly body: Readonly<Record<string, unknown>>
  readonly text: string
}

export interface ShopBody {
  readonly token?: string
  readonly refresh?: string
  readonly user?: number
  readonly no?: string
  readonly [name: string]: unknown
}

/** Logs in, renews and logs out, with names of its own. */
export const shop = {
  login: ({ code, input }) => ({ url: '/auth', data: { code, input } }),
  refresh: ({ refreshToken }) => ({ url: '/renew', data: { refreshToken } }),
  logout: ({ refreshToken }) => ({ url: '/leave', data: { refreshToken } }),
  tokens({ data: { token, refresh, user, no } }) {
    if (no) return { refused: no }
    return token ? { accessToken: token, refreshToken: refresh, userId: user } : undefined
  },
} satisfies Backend<ShopBody, unknown>

export type Answer = Omit<Partial<FakeNetworkResponse>, 'body'> & { readonly data?: unknown }

export function seenFrom({ url, method, header, body }: FakeNetworkRequest): Seen {
  const text = body === undefined || typeof body === 'string' ? (body ?? '') : decoded(body)
  return {
    method,
    url,
    path: url.replace(/^https?:\/\/[^/?#]+/i, ''),
    header,
    text,
    body: text.startsWith('{') ? JSON.parse(text) : Object.fromEntries(new URLSearchParams(text)),
  }
}

const decoded = (body: ArrayBuffer): string => new TextDecoder().decode(body)

export function responseFrom({ statusCode = 200, header = {}, data = '' }: Answer) {
  return { statusCode, header, body: typeof data === 'string' ? data : JSON.stringify(data) }
}

/** A phone whose requests this function answers; it throws to break the connection. */
export function phoneWith(
  answer: (request: Seen) => Answer | undefined,
  options: FakeWxOptions = {},
) {
  const seen: Seen[] = []
  let codes = 0
  const wx = createFakeWx({
    wechat: { codeFor: () => `code-${++codes}` },
    async network(request) {
      const one = seenFrom(request)
      seen.push(one)
      return responseFrom(answer(one) ?? {})
    },
    ...options,
  })
  return {
    wx,
    /** Every request, oldest first. */
    all: seen as readonly Seen[],
    seen: (path: string) => seen.filter((one) => one.path.startsWith(path)),
    paths: () => seen.map(({ path }) => path),
  }
}

export { baseUrl }
