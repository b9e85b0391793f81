import { randomBytes } from 'node:crypto'
import { type Answer, refusal } from './answers.js'
import { createCodes } from './codes.js'
import type { FakeWeChatApp, FakeWeChatAppChoice, People } from './people.js'
import type { SessionKeys } from './session-keys.js'
import type { FakeWeChatRequest } from './transports.js'

/** Logging in: `wx.login()`, and `GET /sns/jscode2session`. */
export interface FakeWeChatLogins {
  /**
   * What `wx.login()` gives this person: a code for this mini program that works once and for 5 minutes.
   * Throws a `TypeError` for a mini program that the emulated WeChat does not know.
   *
   * A client with `sandbox: true` makes codes of its own where DevTools has no AppID, `sandbox-` and 22 characters. Here, and
   * only here, each works once, as a code of the person `'sandbox'`.
   */
  codeFor(person: string, choice?: FakeWeChatAppChoice): string
  /** WeChat's risk control blocks this person: their codes are answered with 40226, in every mini program. */
  block(person: string): void
}

interface LoginOptions {
  readonly people: People
  readonly sessionKeys: SessionKeys
  readonly now: () => number
}

export function createLogins({ people, sessionKeys, now }: LoginOptions) {
  const codes = createCodes(now, randomLoginCode)
  const blocked = new Set<string>()

  const methods: FakeWeChatLogins = {
    codeFor(person, choice) {
      const user = people.userOf(person, choice)
      const { kind = 'mini_program', appId } = user.app
      if (kind !== 'mini_program') {
        throw new TypeError(`${appId} is of the kind ${kind}, whose codes are those of webCodeFor`)
      }
      sessionKeys.noteCode(user)
      return codes.issue(user, undefined)
    },

    block(person) {
      blocked.add(people.nameOf(person))
    },
  }

  function admitSandboxCode(code: string, { appId }: FakeWeChatApp) {
    if (!/^sandbox-[\w-]{22}$/.test(code)) return
    const user = people.userOf('sandbox', { appId })
    if (codes.admit(code, user, undefined)) sessionKeys.noteCode(user)
  }

  function jscode2session({ query }: FakeWeChatRequest): Answer {
    const app = people.authenticate(query, 'authorization_code')
    if (typeof app === 'number') return refusal(app)

    if (!query.js_code) return refusal(41008)
    admitSandboxCode(query.js_code, app)
    const code = codes.find(query.js_code)
    if (code?.user.app !== app) return refusal(40029)
    if (code.isUsed) return refusal(40163)
    code.isUsed = true
    if (blocked.has(code.user.person)) return refusal(40226)

    const { openid, unionid } = code.user
    return {
      session_key: sessionKeys.keyFor(code.user),
      openid,
      ...(unionid !== undefined && { unionid }),
    }
  }

  return { methods, endpoints: { 'GET /sns/jscode2session': jscode2session } }
}

/** 32 letters and digits, like every code that was quoted in public. */
export function randomLoginCode(): string {
  return randomBytes(48)
    .toString('base64')
    .replace(/[^0-9a-z]/gi, '')
    .slice(0, 32)
}
