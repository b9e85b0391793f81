import type { FakeWeChat } from '@wxlogin/server/testing'
import type { Mask } from '../mask.js'
import type { Offer } from './scenario.js'

/** Where scenarios are played. */
export interface Stage {
  /** Of this run: its people are new to a server that remembers those of an earlier one. */
  readonly run: string
  readonly wechat: FakeWeChat
  /** Of the login routes. */
  readonly serverUrl: string
  /** A route for users who are logged in; without it `POST /phone` is one. */
  readonly guardedUrl: string | undefined
  /** Where the app ends the sessions of a user. */
  readonly revokeUrl: string | undefined
  readonly prefetchUrl: string | undefined
  readonly offers: ReadonlySet<Offer>
  readonly refusedInput: unknown
  readonly mask: Mask
}
