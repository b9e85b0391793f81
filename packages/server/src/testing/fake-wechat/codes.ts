import type { User } from './people.js'

/** WeChat documents 5 minutes for every kind of code but that of websites. */
const usualLifeMs = 5 * 60 * 1000

export interface IssuedCode<Details, Owner = User> {
  readonly user: Owner
  /** Seconds since the epoch. */
  readonly issuedAt: number
  readonly details: Details
  isUsed: boolean
}

export interface Codes<Details, Owner = User> {
  issue(user: Owner, details: Details): string
  /** Lets in a code that was made elsewhere, the first time that it is seen, and says whether it was. */
  admit(code: string, user: Owner, details: Details): boolean
  /** `undefined` for a code that is unknown or too old. */
  find(code: unknown): IssuedCode<Details, Owner> | undefined
}

/** Codes of one kind. Each kind has its own map, so a code of another kind is unknown to it. */
export function createCodes<Details = undefined, Owner = User>(
  now: () => number,
  newCode: () => string,
  lifeMs = usualLifeMs,
): Codes<Details, Owner> {
  const codes = new Map<unknown, IssuedCode<Details, Owner> & { readonly expiresAtMs: number }>()
  const admitted = new Set<string>()

  function dropExpired() {
    for (const [code, { expiresAtMs }] of codes) {
      if (expiresAtMs > now()) return
      codes.delete(code)
    }
  }

  function add(code: string, user: Owner, details: Details): string {
    dropExpired()
    codes.set(code, {
      user,
      details,
      issuedAt: Math.floor(now() / 1000),
      expiresAtMs: now() + lifeMs,
      isUsed: false,
    })
    return code
  }

  return {
    issue: (user, details) => add(newCode(), user, details),

    admit(code, user, details) {
      if (admitted.has(code)) return false
      admitted.add(code)
      add(code, user, details)
      return true
    },

    find(code) {
      const issued = codes.get(code)
      return issued && issued.expiresAtMs > now() ? issued : undefined
    },
  }
}
