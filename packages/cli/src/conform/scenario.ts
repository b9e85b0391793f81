import type { FakeWeChatFault } from '@wxlogin/server/testing'
import type { Text } from '../text.js'

/**
 * What a server may offer beyond the routes that every server has. The first ones are seen when it is asked, the others
 * are told on the command line.
 */
export const offers = [
  'phone',
  'jwks',
  'device',
  'numbers',
  'guarded',
  'revoke',
  'refused',
  'prefetch',
] as const

export type Offer = (typeof offers)[number]

/**
 * Text in which references are replaced: `$code.alice` (a code of that person; `$code.alice.2` another one),
 * `$phoneCode.alice`, `$key.one` (an idempotency key, the same for the same name), `$openid.alice`, `$appId`, and
 * `$first.refresh_token`, a member of the answer that was kept as `first`. A member of a body whose value is `$?first.number`
 * is left out where there is none.
 */
export type Value = string

/** A JSON value with references in its texts. */
export type Template =
  | Value
  | number
  | boolean
  | null
  | readonly Template[]
  | { readonly [name: string]: Template }

/** A request to the server under test. */
export interface Send {
  /** Method and path below the login routes, `POST /login`; or `GET guarded` and `GET prefetch`, routes that were told. */
  readonly send: string
  /** Under which name later steps know the answer. */
  readonly as?: string
  /** The `Idempotency-Key`. */
  readonly key?: Value
  readonly headers?: Readonly<Record<string, Value>>
  /** Sent as JSON. */
  readonly body?: Template
  /** Sent as it is, in place of a body. */
  readonly text?: Value
  /** How long the text is made, with spaces at its end. */
  readonly bytes?: number
  readonly expect?: readonly Expectation[]
}

/** Of which requirements an expectation is part; see `docs/wire.md`. */
interface Part {
  readonly of: string | readonly string[]
}

/** What a member of an answer has to be. */
export type Member =
  | { readonly is: Template }
  | { readonly isNot: Value }
  | { readonly oneOf: readonly string[] }
  /** Or absent. */
  | { readonly noneOf: readonly string[] }
  /** `text`: a string that is not empty. `public keys`: a list of keys (RFC 7517) without private members. */
  | { readonly kind: 'text' | 'boolean' | 'public keys' }
  /** A whole number. */
  | { readonly atLeast: number; readonly atMost?: number }
  | 'absent'

/** What is expected of one answer. All that is named has to hold. */
export interface Expected {
  readonly status?: number | readonly number[]
  /** The body is JSON with these members. */
  readonly members?: Readonly<Record<string, Member>>
  /** Regular expressions, in which case does not matter. */
  readonly headers?: Readonly<Record<string, string>>
  readonly hasBody?: false
  readonly atMostBytes?: number
}

export interface Expectation extends Part, Expected {}

/** What is expected of answers to requests that were sent together. */
export interface Among extends Part {
  /** How many of them have to be as described. */
  readonly count?: number
  readonly are?: Expected
  /** Those that succeeded have the same value in this member. */
  readonly same?: string
}

export type Step =
  | Send
  | { readonly together: readonly Send[]; readonly expect: readonly Among[] }
  /** How the emulated WeChat answers from now on, to so many calls (default 1). */
  | { readonly wechat: FakeWeChatFault; readonly times?: number }
  | { readonly wechat: 'well' }
  | { readonly blocked: string }
  /** How many calls WeChat got since the scenario began. */
  | { readonly calls: number; readonly of: Part['of'] }
  /** What an attacker makes of a token. */
  | {
      readonly forge: Forgery
      readonly from: Value
      readonly as: string
      /** For `public-key`: where the public keys are. */
      readonly keys?: Value
    }
  /** The token is one of RFC 9068, signed with a key that the server publishes. */
  | { readonly token: Value; readonly keys: string; readonly expect: readonly TokenExpectation[] }
  /** The app ends the sessions of this user. */
  | { readonly revoke: Value }
  /** Waits. */
  | { readonly seconds: Value }

/**
 * `unsigned`: `alg` is `none` · `other-signature`: another letter in it · `other-user`: another `sub` under the same
 * signature · `public-key`: another `sub`, signed by HS256 with the text of the public key
 */
export type Forgery = 'unsigned' | 'other-signature' | 'other-user' | 'public-key'

export interface TokenExpectation extends Part {
  readonly header?: Readonly<Record<string, Member>>
  readonly claims?: Readonly<Record<string, Member>>
  readonly isSigned?: true
}

export interface Scenario {
  /** Kebab-case, and nobody else's. */
  readonly name: string
  readonly about: Text
  readonly needs?: readonly Offer[]
  /** Only for servers that do not offer this. */
  readonly without?: Offer
  readonly steps: readonly Step[]
}
