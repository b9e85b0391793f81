import type { TokenAnswer } from '@wxlogin/shared'
import type { SessionRecord } from '../session.js'
import type { AccessTokens } from './access-token.js'
import type { RefreshTokens } from './refresh-token.js'

/** The tokens of a session as the wire carries them (RFC 6749 §5.1). */
export type AnswerTokens<Claims extends object> = (
  record: SessionRecord,
  claims: Claims,
) => Promise<TokenAnswer>

export interface TokenAnswerNeeds<Claims extends object> {
  readonly accessTokens: AccessTokens<Claims>
  readonly refreshTokens: RefreshTokens
  readonly now: () => number
}

export function createTokenAnswer<Claims extends object>({
  accessTokens,
  refreshTokens,
  now,
}: TokenAnswerNeeds<Claims>): AnswerTokens<Claims> {
  return async (record, claims) => {
    const [access, refreshToken] = await Promise.all([
      accessTokens.issue(record, claims),
      refreshTokens.issue(record),
    ])
    return {
      access_token: access.token,
      token_type: 'Bearer',
      expires_in: access.expiresInSeconds,
      refresh_token: refreshToken,
      refresh_expires_in: record.expiresAt - Math.floor(now() / 1000),
      user_id: record.userId,
      ...(record.data !== undefined && { data: record.data }),
    }
  }
}
