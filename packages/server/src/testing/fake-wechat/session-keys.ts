import { createHmac, randomBytes } from 'node:crypto'
import { type Answer, refusal, succeeded } from './answers.js'
import type { FakeWeChatApp, FakeWeChatAppChoice, People, User } from './people.js'
import type { FakeWeChatRequest } from './transports.js'

/** session_keys: one per person and mini program. `GET /wxa/checksession`, `GET /wxa/resetusersessionkey`. */
export interface FakeWeChatSessionKeys {
  /**
   * The session_key that is valid now, to prove that it does not leak.
   * Throws a `TypeError` while there is none: the person has had no code, or the key has expired.
   */
  sessionKeyOf(person: string, choice?: FakeWeChatAppChoice): string
  /** Replaces the session_key, as a code that the person got elsewhere may do. The old one no longer works. */
  rotateSessionKeyOf(person: string, choice?: FakeWeChatAppChoice): void
  /**
   * Ends the session_key early; the next code brings another.
   * Throws a `TypeError` while there is none.
   */
  expireSessionKey(person: string, choice?: FakeWeChatAppChoice): void
}

export interface SessionKeys {
  /** A code was issued: it extends the key, and may replace it. */
  noteCode(user: User): void
  /** The key for the answer to a code; a new one if it has expired in the meantime. */
  keyFor(user: User): string
  /** The key that is valid now, if there is one. */
  keyOf(user: User): string | undefined
  /** Throws a `TypeError` while there is none. */
  validKeyOf(user: User): string
  /** The user whom a call is signed for, or the errcode of what is wrong with it. */
  signerOf(request: FakeWeChatRequest, app: FakeWeChatApp): User | 40003 | 87007 | 87008 | 87009
}

interface SessionKey {
  readonly text: string
  readonly expiresAtMs: number
}

interface SessionKeyOptions {
  readonly people: People
  readonly now: () => number
  readonly rotateSessionKey: boolean
  readonly sessionKeyTtlSeconds: number
}

export function createSessionKeys({
  people,
  now,
  rotateSessionKey,
  sessionKeyTtlSeconds,
}: SessionKeyOptions) {
  if (typeof rotateSessionKey !== 'boolean') {
    throw new TypeError('rotateSessionKey must be a boolean')
  }
  if (!(Number.isFinite(sessionKeyTtlSeconds) && sessionKeyTtlSeconds > 0)) {
    throw new TypeError('sessionKeyTtlSeconds must be a positive number of seconds')
  }
  const keys = new Map<User, SessionKey>()

  function current(user: User): string | undefined {
    const key = keys.get(user)
    return key && key.expiresAtMs > now() ? key.text : undefined
  }

  function keep(user: User, text: string): string {
    keys.set(user, { text, expiresAtMs: now() + sessionKeyTtlSeconds * 1000 })
    return text
  }

  const sessionKeys: SessionKeys = {
    noteCode(user) {
      keep(user, (rotateSessionKey ? undefined : current(user)) ?? randomKey())
    },

    keyFor: (user) => current(user) ?? keep(user, randomKey()),

    keyOf: current,

    validKeyOf(user) {
      const key = current(user)
      if (key !== undefined) return key
      throw new TypeError(
        `person has no valid session_key in ${user.app.appId}; call codeFor first`,
      )
    },

    signerOf({ query, body }, app) {
      const user = people.find(app, query.openid)
      if (!user) return 40003
      if (query.sig_method !== 'hmac_sha256') return 87008
      const key = current(user)
      if (key === undefined) return 87007
      // Only the empty message is ever right here: WeChat refuses any body, even one that was signed.
      const expected = createHmac('sha256', key).update('').digest('hex')
      return body === '' && query.signature?.toLowerCase() === expected ? user : 87009
    },
  }

  function checksession(request: FakeWeChatRequest, app: FakeWeChatApp): Answer {
    const signer = sessionKeys.signerOf(request, app)
    if (typeof signer !== 'number') return succeeded
    // Whether the key has expired or was replaced makes no difference here.
    return refusal(signer === 87007 ? 87009 : signer)
  }

  function resetusersessionkey(request: FakeWeChatRequest, app: FakeWeChatApp): Answer {
    const signer = sessionKeys.signerOf(request, app)
    if (typeof signer === 'number') return refusal(signer)
    const text = randomKey()
    // The end stays: resetting never extends it.
    keys.set(signer, { expiresAtMs: now(), ...keys.get(signer), text })
    return { ...succeeded, openid: signer.openid, session_key: text }
  }

  const methods: FakeWeChatSessionKeys = {
    sessionKeyOf: (person, choice) => sessionKeys.validKeyOf(people.userOf(person, choice)),

    rotateSessionKeyOf(person, choice) {
      keep(people.userOf(person, choice), randomKey())
    },

    expireSessionKey(person, choice) {
      const user = people.userOf(person, choice)
      keys.set(user, { text: sessionKeys.validKeyOf(user), expiresAtMs: now() })
    },
  }

  return {
    sessionKeys,
    methods,
    endpoints: {
      'GET /wxa/checksession': checksession,
      'GET /wxa/resetusersessionkey': resetusersessionkey,
    },
  }
}

/** 16 bytes; used decoded for AES, and as this text for HMAC and SHA-1. */
function randomKey(): string {
  return randomBytes(16).toString('base64')
}
