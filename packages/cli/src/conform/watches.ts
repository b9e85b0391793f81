import type { Answer } from './exchange.js'
import { readJwt } from './tokens.js'

/** An answer, and what was sent for it. */
export interface Answered {
  /** `POST /login`, or `GET guarded` for a route of the app. */
  readonly step: string
  readonly answer: Answer
}

/** What this scenario knows and an answer must not tell. */
export interface Secrets {
  readonly openids: readonly string[]
  readonly sessionKeys: readonly string[]
  readonly phoneNumbers: readonly string[]
  /** Codes, tokens and keys. */
  readonly sent: readonly string[]
  readonly appSecret: string
}

/** Looked for in every answer that it is about, in every scenario. */
export interface Watch {
  readonly of: string | readonly string[]
  isAbout(answered: Answered): boolean
  /** What was to be expected instead; `undefined` if all is well. */
  expected(answer: Answer, secrets: Secrets): string | undefined
}

/** With its statuses; see `docs/wire.md`. */
const statuses: Readonly<Record<string, readonly number[]>> = {
  invalid_request: [400, 404, 405, 408, 413, 415],
  invalid_code: [400],
  invalid_grant: [400],
  invalid_token: [401],
  insufficient_user_authentication: [401],
  unknown_app: [400],
  access_denied: [403],
  authorization_pending: [400],
  slow_down: [400],
  expired_token: [400],
  insufficient_scope: [403],
  user_blocked: [403],
  stale_session_key: [409],
  rate_limited: [429],
  wechat_unavailable: [503],
  store_unavailable: [503],
  temporarily_unavailable: [503],
  server_error: [500],
  server_misconfigured: [500],
}

const reasons: readonly unknown[] = ['unknown', 'expired', 'reused', 'revoked']

// What WeChat has in every error, and nobody else.
const textOfWeChat = /\brid: ?[0-9a-f]{8}-|"err(code|msg)"|jscode2session|\bsecret=/

/** What a framework says of a route that is left out, or of a method that a route has not. */
const ofFrameworks: readonly number[] = [404, 405, 501]

/** Of the login routes. */
const isOurs = ({ step, answer }: Answered) =>
  !step.endsWith(' guarded') && !ofFrameworks.includes(answer.status)
const isRefusal = (answered: Answered) => isOurs(answered) && answered.answer.status >= 400
const isText = (value: unknown) => typeof value === 'string' && value !== ''
const isSeconds = (value: unknown) => Number.isSafeInteger(value) && Number(value) > 0

const wanted = (holds: boolean, words: string) => (holds ? undefined : words)

export const watches: readonly Watch[] = [
  {
    of: 'S-HTTP-12',
    isAbout: (answered) => isOurs(answered) && !answered.step.endsWith('/jwks.json'),
    expected: ({ headers }) =>
      wanted(
        /\bno-store\b/i.test(headers['cache-control'] ?? ''),
        'header Cache-Control: no-store',
      ),
  },
  {
    of: 'S-HTTP-13',
    isAbout: (answered) => isOurs(answered) && answered.answer.text !== '',
    expected: ({ headers }) =>
      wanted(
        /^application\/json\s*(;\s*charset="?utf-8"?)?$/i.test(headers['content-type'] ?? ''),
        'header Content-Type: application/json',
      ),
  },
  {
    of: 'S-HTTP-15',
    isAbout: isOurs,
    expected: ({ status }) => wanted(status < 300 || status > 399, 'no redirect'),
  },
  {
    of: 'S-ERROR-1',
    isAbout: isRefusal,
    expected({ status, members: { error, error_description } }) {
      if (!isText(error) || !isText(error_description)) return 'error and error_description'
      const own = statuses[String(error)]
      return wanted(own === undefined || own.includes(status), `status ${own?.join(' / ')}`)
    },
  },
  {
    of: 'S-ERROR-3',
    isAbout: (answered) => isRefusal(answered) && isText(answered.answer.members.error_description),
    expected({ members }, { openids, phoneNumbers, sessionKeys, sent, appSecret }) {
      const described = String(members.error_description)
      const secrets = [...openids, ...phoneNumbers, ...sessionKeys, ...sent, appSecret]
      const tells = secrets.some((one) => described.includes(one)) || textOfWeChat.test(described)
      return wanted(!tells, 'an error_description without secrets and without the text of WeChat')
    },
  },
  {
    of: 'S-ERROR-4',
    isAbout: (answered) => isOurs(answered) && answered.answer.status === 401,
    expected: ({ headers, members }) =>
      wanted(
        /^Bearer\b/i.test(headers['www-authenticate'] ?? '') &&
          (headers['www-authenticate'] ?? '').includes(`error="${members.error}"`),
        'header WWW-Authenticate: Bearer error="invalid_token"',
      ),
  },
  {
    of: 'S-ERROR-6',
    isAbout: (answered) => isOurs(answered) && 'retry-after' in answered.answer.headers,
    expected: ({ headers }) =>
      wanted(/^\d+$/.test(headers['retry-after'] ?? ''), 'header Retry-After: whole seconds'),
  },
  {
    of: 'S-ERROR-9',
    isAbout: (answered) => isOurs(answered) && answered.answer.members.error === 'invalid_grant',
    expected: ({ members }) =>
      wanted(reasons.includes(members.reason), `reason ${reasons.join(' / ')}`),
  },
  {
    of: 'S-TOKEN-1',
    isAbout: ({ answer: { status, members } }) => status === 200 && 'access_token' in members,
    expected({ members }) {
      const wrong = [
        ...['access_token', 'refresh_token', 'user_id'].filter((name) => !isText(members[name])),
        ...['expires_in', 'refresh_expires_in'].filter((name) => !isSeconds(members[name])),
        ...(members.token_type === 'Bearer' ? [] : ['token_type']),
        ...(/[\s,]/.test(String(members.access_token)) ? ['access_token'] : []),
        ...['access_token', 'refresh_token'].filter((name) => String(members[name]).length > 4_096),
        ...(Buffer.byteLength(String(members.user_id)) > 255 ? ['user_id'] : []),
      ]
      return wanted(wrong.length === 0, `${wrong.join(', ')} as in the table of tokens`)
    },
  },
  {
    of: ['S-TOKEN-6', 'S-SEC-2'],
    isAbout: isOurs,
    expected({ text, members: { data: _, ...own } }, { openids, sessionKeys, appSecret }) {
      // A session_key has slashes, which JSON may escape.
      const whole = text.replaceAll('\\/', '/')
      if (sessionKeys.some((one) => whole.includes(one))) return 'no session_key'
      if (whole.includes(appSecret)) return 'no AppSecret'
      return wanted(!openids.some((one) => JSON.stringify(own).includes(one)), 'no openid')
    },
  },
  {
    of: 'S-TOKEN-11',
    isAbout: ({ answer }) => readJwt(String(answer.members.access_token)) !== undefined,
    expected({ members }, { openids, sessionKeys, phoneNumbers }) {
      const claims = JSON.stringify(readJwt(String(members.access_token)))
      const secrets = [...openids, ...sessionKeys, ...phoneNumbers]
      return wanted(
        !secrets.some((one) => claims.includes(one)),
        'an access token without openid, phone number and session_key',
      )
    },
  },
]
