import { checkCredential } from '../option-checks.js'

/** An app that WeChat knows, with which this backend calls it. */
export interface AppCredentials {
  /** `wx` and 16 hexadecimal digits; public. */
  readonly appId: string
  /** From the WeChat console. It never leaves the server. */
  readonly appSecret: string
}

/** Throws a `TypeError` that names the wrong one. */
export function readCredentials(
  place: string,
  { appId, appSecret }: Readonly<Record<string, unknown>>,
): AppCredentials {
  checkAppId(place, appId)
  // The other one is then the secret, so it is not quoted.
  if (/^\s*wx[0-9a-f]{16}\s*$/.test(String(appSecret))) {
    throw new TypeError(`${place}.appSecret looks like an AppID; are the two swapped?`)
  }
  checkCredential(`${place}.appSecret (of ${appId})`, appSecret)
  return { appId, appSecret }
}

export function checkAppId(place: string, appId: unknown): asserts appId is string {
  checkCredential(`${place}.appId`, appId)
  if (!/^gh_/.test(appId)) return
  throw new TypeError(
    `${place}.appId is an original id (原始 ID); the AppID, which begins with wx, stands beside it in the WeChat console`,
  )
}
