import { randomBytes, randomInt } from 'node:crypto'
import { type Answer, type Fields, refusal, withFields } from './answers.js'
import type { FakeWeChatApp, People } from './people.js'
import type { FakeWeChatRequest } from './transports.js'

const lifeMs = 7200 * 1000
/** How long an old token and its successor are both valid, and when a stable one gets its successor. */
const overlapMs = 5 * 60 * 1000
const forcedPerDay = 20
const forcedIntervalMs = 30 * 1000

interface AccessToken {
  readonly text: string
  readonly app: FakeWeChatApp
  /** Tokens of `/cgi-bin/token` and of `/cgi-bin/stable_token` know nothing of each other. */
  readonly isStable: boolean
  endsAtMs: number
  /** What the token is refused with after its end: 42001 if it expired, 40001 if another one replaced it. */
  endsAs: 40001 | 42001
}

/** The mini program behind a call, or the errcode that its access_token is refused with. */
export type TokenHolder = FakeWeChatApp | 40001 | 40014 | 41001 | 42001

/** access_tokens: `GET /cgi-bin/token`, `POST /cgi-bin/stable_token`, and checking the token of other calls. */
export function createTokens({ people, now }: { people: People; now: () => number }) {
  const tokens = new Map<string, AccessToken>()
  /** The newest token of each kind. */
  const classic = new Map<FakeWeChatApp, AccessToken>()
  const stable = new Map<FakeWeChatApp, AccessToken>()
  const forcedAtMs = new Map<FakeWeChatApp, readonly number[]>()

  function issue(app: FakeWeChatApp, isStable: boolean): AccessToken {
    const token: AccessToken = {
      text: randomToken(),
      app,
      isStable,
      endsAtMs: now() + lifeMs,
      endsAs: 42001,
    }
    tokens.set(token.text, token)
    const newest = isStable ? stable : classic
    newest.set(app, token)
    return token
  }

  function shown({ text, endsAtMs }: AccessToken): Answer {
    return { access_token: text, expires_in: Math.floor((endsAtMs - now()) / 1000) }
  }

  function token({ query }: FakeWeChatRequest): Answer {
    const app = people.authenticate(query, 'client_credential')
    if (typeof app === 'number') return refusal(app)

    const previous = classic.get(app)
    if (previous && previous.endsAtMs > now() + overlapMs) {
      previous.endsAtMs = now() + overlapMs
      previous.endsAs = 40001
    }
    return shown(issue(app, false))
  }

  function stableToken(fields: Fields): Answer {
    const app = people.authenticate(fields, 'client_credential')
    if (typeof app === 'number') return refusal(app)
    return fields.force_refresh === true ? forced(app) : shown(currentStable(app))
  }

  function currentStable(app: FakeWeChatApp): AccessToken {
    const current = stable.get(app)
    if (current && current.endsAtMs > now() + overlapMs) return current
    if (current && current.endsAtMs > now()) current.endsAtMs = now() + overlapMs
    return issue(app, true)
  }

  function forced(app: FakeWeChatApp): Answer {
    const earlier = forcedAtMs.get(app) ?? []
    if (now() - (earlier.at(-1) ?? Number.NEGATIVE_INFINITY) < forcedIntervalMs) {
      return shown(currentStable(app))
    }
    const today = earlier.filter((atMs) => dayInChina(atMs) === dayInChina(now()))
    if (today.length >= forcedPerDay) return refusal(45009)
    forcedAtMs.set(app, [...today, now()])

    // The token in its last minutes ends as well: forcing is for tokens that leaked.
    for (const leaked of tokens.values()) {
      if (!leaked.isStable || leaked.app !== app || leaked.endsAtMs <= now()) continue
      leaked.endsAtMs = now()
      leaked.endsAs = 40001
    }
    return shown(issue(app, true))
  }

  return {
    endpoints: {
      'GET /cgi-bin/token': token,
      'POST /cgi-bin/stable_token': withFields(stableToken),
    },

    holderOf({ query }: FakeWeChatRequest): TokenHolder {
      const { access_token: text } = query
      if (!text) return 41001
      if (!tokenShape.test(text)) return 40014
      const token = tokens.get(text)
      if (!token) return 40001
      return token.endsAtMs > now() ? token.app : token.endsAs
    },
  }
}

const tokenShape = /^\d{2,3}_[\w-]{133,}$/

/** 136 characters, like those quoted in public. */
function randomToken(): string {
  return `${randomInt(10, 100)}_${randomBytes(100).toString('base64url').slice(0, 133)}`
}

/** WeChat's days begin at midnight in China. */
function dayInChina(atMs: number): number {
  return Math.floor((atMs / 1000 + 8 * 3600) / 86_400)
}
