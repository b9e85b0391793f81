import { checkCredential, checkGivenSecret } from '../option-checks.js'

/** An app that WeChat knows, with which this backend calls it. */
export interface AppCredentials {
  /** `wx` and 16 hexadecimal digits; public. */
  readonly appId: string
  /** From the WeChat console. It never leaves the server. */
  readonly appSecret: string
}

/** Throws a `TypeError` that names the wrong one; `place` is what they are members of. */
export function readCredentials(
  place: string,
  { appId, appSecret }: Readonly<Record<string, unknown>>,
): AppCredentials {
  checkWeChatAppId(`${place}appId`, appId)
  const name = `${place}appSecret`
  // The other one is then the secret, so it is not quoted.
  if (appSecret === appId || /^\s*wx[0-9a-f]{16}\s*$/.test(String(appSecret))) {
    throw new TypeError(
      `${name} looks like an AppID; are the two swapped, or is it one for the other?`,
    )
  }
  checkGivenSecret(place === '' ? name : `${name} (of ${appId})`, appSecret)
  return { appId, appSecret }
}

/** The AppID of an app that WeChat knows. */
export function checkWeChatAppId(name: string, appId: unknown): asserts appId is string {
  checkAppId(name, appId)
  // Not quoted: what stands in its place may be the secret.
  if (/^wx[0-9a-z]+$/.test(appId)) return
  throw new TypeError(
    `${name} is no AppID, which is wx and 16 of 0-9 and a-f; copy it from the WeChat console (开发管理)`,
  )
}

/** Of any platform. */
export function checkAppId(name: string, appId: unknown): asserts appId is string {
  checkCredential(name, appId)
  if (!/^gh_/.test(appId)) return
  throw new TypeError(
    `${name} is an original id (原始 ID); the AppID, which begins with wx, stands beside it in the WeChat console`,
  )
}
