import { generateKeyPairSync } from 'node:crypto'
import type { AuthOptions } from '@wxlogin/server'
import { type Altering, type Answered, type Asked, refused, withBody } from './altering-proxy.js'

/** One way in which a requirement does not hold, where none of the forty faults breaks it. */
export interface Alteration extends Altering {
  /** What is looked at beside it, where it is about every answer. */
  readonly only?: string
  readonly options?: Partial<AuthOptions>
}

const is = (asked: Asked, route: string) =>
  `${asked.method} ${asked.path.split('?')[0]}` === `${route}`
const at = (
  route: string,
  alter: (answered: Answered, asked: Asked) => Answered | undefined,
): Alteration => ({
  alter: (asked, answered) => (is(asked, route) ? alter(answered, asked) : undefined),
})
const members = (route: string, more: object): Alteration =>
  at(route, (answered) =>
    answered.status === 200 ? withBody(answered, { ...answered.body, ...more }) : undefined,
  )

/** The first answer of its kind, again. */
function replayed(route: string, keyOf: (asked: Asked) => string): Alteration {
  return {
    alter(asked, answered, memory) {
      if (!is(asked, route)) return undefined
      const key = keyOf(asked)
      const first = memory.get(key)
      if (!first && answered.status === 200) memory.set(key, answered)
      return first
    },
  }
}

const anotherLogin = (asked: Asked): readonly Asked[] =>
  is(asked, 'POST /wx/login')
    ? [
        {
          ...asked,
          text: JSON.stringify({ ...asked.body, code: `other${Math.random()}`.replace('.', '') }),
        },
      ]
    : []

const prefetch = 'GET /wx/a-path-that-nobody-guesses/prefetch'
const ed25519 = () => ({
  ...generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' }),
  kty: 'OKP',
})
const tokens = { access_token: 'a', refresh_token: 'b' }

export const alterations: Readonly<Record<string, Alteration>> = {
  'S-HTTP-1': at('POST /wx/logout', () => refused(404, 'invalid_request')),
  'S-HTTP-3': {
    ...at('GET /wx/jwks.json', () => refused(400, 'invalid_request')),
    options: { signingKeys: [] },
  },
  'S-HTTP-6': at('POST /wx/login', (_answered, { text }) =>
    text.startsWith('[') ? refused(422, 'invalid_request') : undefined,
  ),
  'S-HTTP-7': at('POST /wx/login', (_answered, { text }) =>
    text.length > 8_000 ? refused(413, 'invalid_request') : undefined,
  ),
  'S-HTTP-10': at('POST /wx/logout', (_answered, { body }) =>
    body.refresh_token === 7 ? { ...refused(204, ''), text: '' } : undefined,
  ),
  'S-HTTP-13': {
    ...at('POST /wx/login', (answered) => ({
      ...answered,
      headers: { ...answered.headers, 'content-type': 'text/plain' },
    })),
    only: 'login',
  },
  'S-HTTP-15': {
    ...at('POST /wx/logout', (answered) => ({
      ...answered,
      status: 307,
      headers: { ...answered.headers, location: '/elsewhere' },
    })),
    only: 'logout',
  },
  'S-ERROR-1': {
    ...at('POST /wx/refresh', (answered) =>
      answered.status === 400 ? withBody(answered, { code: 1001, msg: 'expired' }) : undefined,
    ),
    only: 'theft',
  },
  'S-ERROR-6': {
    ...at('POST /wx/login', (answered) =>
      answered.status === 429
        ? { ...answered, headers: { ...answered.headers, 'retry-after': new Date().toUTCString() } }
        : undefined,
    ),
    only: 'wechat-busy',
  },
  'S-ERROR-9': {
    ...at('POST /wx/refresh', (answered) => {
      const { reason: _reason, ...body } = answered.body
      return answered.status === 400 ? withBody(answered, body) : undefined
    }),
    only: 'theft',
  },
  'S-TOKEN-4': members('POST /wx/refresh', { user_id: 'somebody-else' }),
  'S-TOKEN-5': { options: { onLogin: ({ openid }) => ({ userId: openid }) } },
  'S-TOKEN-10': at('GET /wx/jwks.json', (answered) => {
    const [key] = Array.isArray(answered.body.keys) ? answered.body.keys : []
    return withBody(answered, { keys: [{ ...key, x: key.y, y: key.x }] })
  }),
  'S-TOKEN-11': {
    options: { onLogin: ({ openid }) => ({ userId: openid }) },
    only: 'login',
  },
  'S-LOGIN-1': { also: anotherLogin },
  'S-LOGIN-4': replayed('POST /wx/login', ({ body }) => String(body.code)),
  'S-LOGIN-6': { also: anotherLogin },
  'S-LOGIN-9': at('POST /wx/login', (answered) =>
    answered.body.reason === 'mock_code' ? refused(400, 'unknown_app') : undefined,
  ),
  'S-LOGIN-11': at('POST /wx/login', (_answered, { body }) =>
    body.previous_refresh_token === 'unheard-of' ? refused(400, 'invalid_grant') : undefined,
  ),
  'S-REFRESH-12': members('POST /wx/refresh', { data: { a: 1 } }),
  'S-LOGOUT-4': everybodyOut(),
  'S-GUARD-1': at('GET /me', (_answered, { headers }) =>
    headers.authorization?.startsWith('bearer') ? refused(401, 'invalid_token') : undefined,
  ),
  'S-PHONE-4': members('POST /wx/phone', tokens),
  'S-PREFETCH-2': at(prefetch, (answered) =>
    answered.text === '{}' ? refused(400, 'invalid_code') : undefined,
  ),
  'S-PREFETCH-3': at(prefetch, (answered) =>
    withBody(answered, { ...answered.body, prefetched: 'x'.repeat(300_000) }),
  ),
  'S-PREFETCH-5': replayed(prefetch, () => 'first'),
  'S-DEVICE-1': members('POST /wx/device', { scene: 7 }),
  'S-DEVICE-2': at('POST /wx/device', (answered, { body }) =>
    'place' in body ? withBody({ ...answered, status: 200 }, { device_code: 'a' }) : undefined,
  ),
  'S-DEVICE-4': at('POST /wx/device/decision', (answered) => ({
    ...answered,
    status: 204,
    text: '',
  })),
  'S-DEVICE-5': at('GET /wx/device', (answered) => ({ ...answered, status: 200 })),
  'S-DEVICE-6': {
    ...at('POST /wx/device/decision', (answered) => ({ ...answered, status: 204, text: '' })),
    options: { deviceGrant: { numberMatching: true } },
  },
  'S-DEVICE-7': members('POST /wx/device/token', { user_id: 'somebody-else' }),
  'S-DEVICE-8': replayed('POST /wx/device/token', ({ body }) => String(body.device_code)),
  'S-DEVICE-9': at('POST /wx/device/token', (answered) =>
    answered.body.error === 'slow_down' ? refused(400, 'authorization_pending') : undefined,
  ),
  'S-JWKS-1': at('GET /wx/jwks.json', (answered) => {
    const [key] = Array.isArray(answered.body.keys) ? answered.body.keys : []
    return withBody(answered, { keys: [{ ...key, d: 'AAAA' }] })
  }),
  'S-JWKS-3': { options: { signingKeys: [ed25519()] } },
  'S-JWKS-4': at('GET /wx/jwks.json', (answered) => ({
    ...answered,
    headers: { ...answered.headers, 'cache-control': 'public, max-age=86400' },
  })),
}

/** Whoever says everywhere ends everything. */
function everybodyOut(): Alteration {
  const seen: string[] = []
  return {
    alter(_asked, { body }) {
      if (typeof body.refresh_token === 'string') seen.push(body.refresh_token)
      return undefined
    },
    also: (asked) =>
      asked.body.everywhere === true
        ? seen.map((refresh_token) => ({ ...asked, text: JSON.stringify({ refresh_token }) }))
        : [],
  }
}
