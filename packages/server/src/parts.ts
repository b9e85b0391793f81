import type { TokenAnswer } from '@wxlogin/shared'
import type { KeyRing } from './crypto/key-ring.js'
import type { OpenSession } from './login/open-session.js'
import type { PreviousSessions } from './login/previous-session.js'
import type { ResolvedOptions } from './options.js'
import type { SessionRecord } from './session.js'
import type { GuardedStore } from './sessions/guarded-store.js'
import type { Sessions } from './sessions/sessions.js'
import type { RefreshTokens } from './tokens/refresh-token.js'
import type { ServedApps } from './wechat/apps.js'

/** What the operations of one `Auth` share; each takes from it what it needs. */
export interface Parts<Claims extends object> {
  readonly resolved: ResolvedOptions<Claims>
  readonly keys: KeyRing
  readonly store: GuardedStore
  readonly sessions: Sessions
  readonly refreshTokens: RefreshTokens
  readonly previousSessions: PreviousSessions
  readonly openSession: OpenSession<Claims>
  readonly apps: ServedApps
  /** What the `claims` option says of a stored session; a user whom it refuses loses that session. */
  readonly claimsOrEnd: (record: SessionRecord) => Promise<Claims>
  /** The tokens of a session that is committed. */
  readonly answer: (record: SessionRecord, claims: Claims) => Promise<TokenAnswer>
}
