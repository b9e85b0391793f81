import { codes, mistakes, reasons } from './explanations.js'

export { mistakes }

/** What an error means, and what to do about it. */
export interface Explanation {
  /** For the user, in Chinese. */
  readonly zh: string
  /** For the user, in English. */
  readonly en: string
  /** For the developer. */
  readonly todo: string
  /** Where more is to be read. */
  readonly url: string
}

const page = 'https://wxlogin.github.io/wxlogin/reference/errors'

/**
 * Explains what a client rejected with, or what `createClient` threw. Works with the errors of both entries, and for
 * anything else there is an answer as well.
 */
export function explain(error: unknown): Explanation {
  const { code, reason } = Object(error)
  const mistake = mistakeOf(error)
  const isRefusal = code === 'signed_out' || code === 'access_denied'
  const own = isRefusal && has(reasons, reason)
  const known = has(codes, code)
  const [
    todo = 'This is no error of wxlogin: look at your own API',
    zh = '出了点问题，请稍后重试',
    en = 'Something went wrong. Please try again later',
  ] = (own && reasons[reason]) || (known && codes[code]) || []
  return {
    zh,
    en,
    todo: mistake ? mistakes[mistake] : todo,
    url: `${page}#${mistake || (own ? reason : known ? code : 'errors')}`,
  }
}

/** Whether it is in the table, and not on its prototype. */
const has = (table: object, name: string): boolean => Object.keys(table).indexOf(name) >= 0

/** A mistake in how the client is set up, by its signs. */
function mistakeOf(error: unknown): keyof typeof mistakes | undefined {
  const { code, url, statusCode, reason, message, cause } = Object(error)
  if (error instanceof TypeError) {
    if (/^(appSecret|secret) /.test(message)) return 'app_secret'
    if (/^(container|cloudFunction) is/.test(message)) return 'small_entry'
    if (/^wx /.test(message)) return 'no_wx'
    const isOurs =
      /^((baseUrl|trustedOrigins|appId|storageKey|\w*imeoutMs|container\.\w+|cloudFunction|sandbox) must|give one) /.test(
        message,
      )
    return isOurs ? 'wrong_option' : undefined
  }
  // Of the computer itself, or of a network at home or at work (RFC 1918).
  const isNear = /^http:\/\/(localhost|(127|10|192\.168|172\.(1[6-9]|2\d|3[01]))\.\d)/.test(url)
  if (isNear && code === 'network') return 'not_running'
  if (/^http:/.test(url) && /^(domain_not_allowed|network)$/.test(code)) return 'plain_http'
  // What a framework failed with says so; what was thrown here does not.
  if (code === 'network' && cause instanceof Error && !Object(cause).errMsg) return 'threw'
  if (!/\/(login|refresh|logout|phone)$/.test(url)) return undefined
  if (reason === 'unusable_string') return 'not_json'
  if (reason === 'unusable_object') return 'wrapped'
  if (reason === 'unusable_undefined') return 'no_tokens'
  if (/^30/.test(statusCode)) return 'redirected'
  if (code === 'invalid_token' && /(login|refresh)$/.test(url)) return 'guarded'
  if (!/^40[45]$/.test(statusCode)) return undefined
  if (/[^:]\/\//.test(url)) return 'auth_path_slash'
  return /(\/[^/]+)\1\/\w+$/.test(url) ? 'auth_path_twice' : 'auth_path'
}
