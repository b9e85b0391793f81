import { untilAborted } from '../deadline.js'
import { redactMembers } from '../redact.js'
import type { WeChatAnswer } from './answer.js'
import type { AppCredentials } from './credentials.js'
import { unavailable } from './http-client.js'
import type { Transport, WeChatRequest } from './transport.js'

// In a token's last 5 minutes WeChat issues a new one, while the old one still works.
const renewalSeconds = 5 * 60
const renewalPauseMs = 10_000

/** Grants access to the APIs of one mini program. When printed or serialised, the token is `[redacted]`. */
export interface AccessToken {
  readonly token: string
  /** In seconds since the epoch. */
  readonly expiresAt: number
}

export interface StableToken {
  /** A token that is valid now. Waits only for the first one, or if the last one has expired. */
  current(signal: AbortSignal): Promise<AccessToken>
  /** WeChat rejected this token: it is dropped, if it is still the cached one. */
  refused(token: string): void
  /** Makes WeChat replace the token. The old one ends at once, everywhere. */
  force(signal: AbortSignal): Promise<AccessToken>
}

/**
 * The access token of one mini program. Any number of processes may fetch it: without force all get the same.
 * https://developers.weixin.qq.com/miniprogram/dev/server/API/mp-access-token/api_getstableaccesstoken
 */
export function createStableToken(
  transport: Transport,
  credentials: () => Promise<AppCredentials>,
  now: () => number,
): StableToken {
  let kept: AccessToken | undefined
  let fetching: Promise<AccessToken> | undefined
  let forcing: Promise<AccessToken> | undefined
  let timesForced = 0
  let renewAtMs = 0

  const secondsLeft = (token: AccessToken) => token.expiresAt - now() / 1000

  async function fetchToken(isForced: boolean): Promise<AccessToken> {
    const { appId, appSecret } = await credentials()
    const requestedAtMs = now()
    const request: WeChatRequest<AccessToken> = {
      endpoint: 'accessToken',
      group: 'access_token',
      appId,
      method: 'POST',
      path: '/cgi-bin/stable_token',
      query: {},
      body: {
        grant_type: 'client_credential',
        appid: appId,
        secret: appSecret,
        force_refresh: isForced,
      },
      isRepeatable: !isForced,
      unknownErrcode: 'wechat_unavailable',
      // Counted from the request, so that it never is taken for good when WeChat does not.
      read: (answer) => readToken(answer, requestedAtMs / 1000),
    }
    return transport.inPlace(request, (signal) => transport.send(request, signal))
  }

  async function fetchCurrent(): Promise<AccessToken> {
    const timesForcedBefore = timesForced
    const token = await fetchToken(false)
    // A forced token is newer than the answer to a request that was sent before it.
    if (kept && timesForced > timesForcedBefore) return kept
    kept = token
    return token
  }

  async function fetchForced(): Promise<AccessToken> {
    kept = await fetchToken(true)
    timesForced += 1
    return kept
  }

  function fetchOnce(): Promise<AccessToken> {
    fetching ??= fetchCurrent().finally(() => {
      fetching = undefined
    })
    return fetching
  }

  return {
    async current(signal) {
      if (!kept || secondsLeft(kept) <= 0) return untilAborted(fetchOnce(), signal)
      if (secondsLeft(kept) <= renewalSeconds && now() >= renewAtMs) {
        renewAtMs = now() + renewalPauseMs
        // A failure becomes an event, and this token is still valid.
        fetchOnce().catch(() => undefined)
      }
      return kept
    },

    refused(token) {
      if (kept?.token === token) kept = undefined
    },

    force(signal) {
      forcing ??= fetchForced().finally(() => {
        forcing = undefined
      })
      return untilAborted(forcing, signal)
    },
  }
}

/** WeChat rejects the access token: it has expired, was replaced, or was truncated. */
export const isTokenRefusal = (errcode: number | undefined): boolean =>
  errcode === 40001 || errcode === 40014 || errcode === 42001

function readToken(answer: WeChatAnswer, requestedAt: number): AccessToken {
  const { access_token: token, expires_in: lifeSeconds } = answer
  if (typeof token !== 'string' || token === '' || token.length > 2048) {
    throw unavailable('WeChat answered without an access_token')
  }
  if (typeof lifeSeconds !== 'number' || !(lifeSeconds > 0)) {
    throw unavailable('WeChat answered without the lifetime of the access_token')
  }
  return redactMembers({ token, expiresAt: Math.floor(requestedAt + lifeSeconds) }, ['token'])
}
