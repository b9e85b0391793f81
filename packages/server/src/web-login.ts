import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { createRing, type KeyRingOptions, type SubKey } from './crypto/key-ring.js'
import { AuthError } from './errors.js'
import { checkCredential, checkFunctions, checkNames, type OptionNames } from './option-checks.js'
import { authorizeUrl } from './wechat/authorize-url.js'
import { type OfficialAccountApp, readScope } from './wechat/official-account.js'
import { type WebsiteApp, websiteScope } from './wechat/website.js'

export interface WebLoginOptions extends KeyRingOptions {
  /** The entry of `apps`: a website or an official account. */
  app: Pick<WebsiteApp, 'kind' | 'appId'> | Pick<OfficialAccountApp, 'kind' | 'appId' | 'scope'>
  /**
   * Where WeChat sends the browser back, `https://shop.example.com/wechat/callback` for example. Its host is the one that
   * is registered at WeChat (授权回调域, 网页授权域名). Plain http only for localhost.
   */
  redirectUri: string
  /** The clock, in milliseconds since the epoch (default `Date.now`). */
  now?: () => number
}

const names: OptionNames<WebLoginOptions> = {
  app: true,
  redirectUri: true,
  secret: true,
  now: true,
}

/** What a route answers to begin a login: the cookie, and a redirect. */
export interface WebLoginStart {
  /** Where the browser goes. For a QR code inside a page (`wxLogin.js`), `state` is enough. */
  readonly url: string
  readonly state: string
  /** The value of a `Set-Cookie` header: the browser in which the login begins is the one in which it must end. */
  readonly setCookie: string
}

/** What WeChat's redirect has brought, checked. */
export interface WebLoginCallback {
  /** For `auth.login`. A callback that arrives twice has the same idempotency key, and is one login. */
  readonly login: {
    readonly code: string
    readonly appId: string
    readonly kind: 'website' | 'official_account'
    readonly idempotencyKey: string
  }
  /** A path of this site, as it was given to `start`. */
  readonly returnTo: string
}

/** The two ends of a login by redirect, for any framework. */
export interface WebLogin {
  /**
   * Begins a login. `returnTo` is a path of this site for afterwards (default `/`); throws `invalid_request` for anything
   * else, so it may come from the request.
   */
  start(options?: { readonly returnTo?: string | undefined }): WebLoginStart
  /**
   * Checks a callback: the path with its query, and the `Cookie` header. Throws `invalid_request` for one that this browser
   * has not begun in the last 10 minutes, with the reason `state_missing`, `state_unknown` or `state_expired`, and
   * `access_denied` with the reason `declined` if the user refused.
   */
  finish(callback: {
    readonly url: string | undefined
    readonly cookie: string | null | undefined
  }): WebLoginCallback
}

const lifeSeconds = 10 * 60
const maxReturnToLength = 1024

/**
 * Logging in at a website by QR code, or in a page inside WeChat: WeChat's redirect, guarded against login CSRF by a
 * signed `state` (RFC 6749 §10.12). Throws a `TypeError` that names the wrong option.
 *
 * @example
 * const web = createWebLogin({ app, secret, redirectUri: 'https://shop.example.com/wechat/callback' })
 */
export function createWebLogin(options: WebLoginOptions): WebLogin {
  checkNames('createWebLogin', options, names)
  const { app, redirectUri, now = Date.now } = options
  checkFunctions({ now })
  checkCredential('app.appId', app?.appId)
  checkRedirectUri(redirectUri)
  const urlWith = urlMaker(app, redirectUri)
  const ring = createRing(options, 'web')
  const { appId, kind } = app

  const signatureOf = ({ key }: SubKey, begun: string, cookie: string) =>
    createHmac('sha256', key)
      .update(JSON.stringify([kind, appId, redirectUri, begun, cookie]))
      .digest()

  const isSigned = (begun: string, signature: Buffer, cookie: string) =>
    ring.some((member) => timingSafeEqual(signatureOf(member, begun, cookie), signature))

  return {
    start({ returnTo = '/' } = {}) {
      const endsAt = Math.floor(now() / 1000) + lifeSeconds
      // WeChat takes letters and digits alone, 128 of them.
      const begun = endsAt.toString(16).padStart(10, '0') + randomBytes(12).toString('hex')
      const target = Buffer.from(localPath(returnTo)).toString('base64url')
      const cookie = `${randomBytes(16).toString('base64url')}.${target}`
      const state = begun + signatureOf(ring[0], begun, cookie).toString('hex')
      return {
        url: urlWith(state),
        state,
        // Lax: the browser comes from WeChat. One a login, so that two tabs do not get in each other's way.
        setCookie: `${cookieNameOf(begun)}=${cookie}; Path=/; Max-Age=${lifeSeconds}; HttpOnly; Secure; SameSite=Lax`,
      }
    },

    finish({ url, cookie: header }) {
      const query = new URLSearchParams(/\?([^#]*)/.exec(url ?? '')?.[1])
      const state = query.get('state')
      const [, begun = '', signature = ''] =
        /^([0-9a-f]{34})([0-9a-f]{64})$/.exec(state ?? '') ?? []
      if (state === null || begun === '') {
        throw refused('state_missing', 'The callback has no state of this site')
      }
      const cookie = cookieIn(header ?? '', cookieNameOf(begun))
      if (cookie === undefined || !isSigned(begun, Buffer.from(signature, 'hex'), cookie)) {
        throw refused(
          'state_unknown',
          'This browser has not begun the login that it comes back from',
        )
      }
      if (Number.parseInt(begun.slice(0, 10), 16) * 1000 <= now()) {
        throw refused('state_expired', 'The login took more than 10 minutes')
      }
      const code = query.get('code')
      if (!code) {
        throw new AuthError('access_denied', 'The user has not agreed at WeChat', {
          reason: 'declined',
          scope: 'attempt',
        })
      }
      const idempotencyKey = createHash('sha256').update(`${state} ${cookie}`).digest('base64url')
      const [, target = ''] = cookie.split('.')
      const returnTo = Buffer.from(target, 'base64url').toString()
      return { login: { code, appId, kind, idempotencyKey }, returnTo }
    },
  }
}

function urlMaker(app: WebLoginOptions['app'], redirectUri: string): (state: string) => string {
  const { kind, appId } = app
  if (kind === 'website') {
    return (state) => authorizeUrl('qrconnect', { appId, redirectUri, scope: websiteScope, state })
  }
  if (kind !== 'official_account') {
    throw new TypeError("app must be an entry of apps of the kind 'website' or 'official_account'")
  }
  const scope = readScope('app', app.scope)
  return (state) => authorizeUrl('oauth2/authorize', { appId, redirectUri, scope, state })
}

// No other host, and no page without TLS, can set a cookie of this prefix.
const cookieNameOf = (begun: string) => `__Host-wxlogin-${begun.slice(10, 22)}`

function cookieIn(header: string, name: string): string | undefined {
  // Not `trim`: it also takes away what browsers count as part of a name, which then has no prefix for them.
  const pairs = header.split(';').map((pair) => pair.replace(/^[ \t]+/, ''))
  return pairs.find((pair) => pair.startsWith(`${name}=`))?.slice(name.length + 1)
}

/** A path of this site, normalised as a browser would. Throws `invalid_request` for what leads anywhere else. */
function localPath(returnTo: unknown): string {
  const text = String(returnTo)
  const here = 'https://here.invalid'
  const url = text.startsWith('/') && URL.canParse(text, here) ? new URL(text, here) : undefined
  const path = url && url.pathname + url.search + url.hash
  if (path && url.origin === here && !path.startsWith('//') && path.length <= maxReturnToLength) {
    return path
  }
  throw new AuthError('invalid_request', 'returnTo must be a path of this site, such as /orders')
}

function checkRedirectUri(redirectUri: unknown): void {
  const text = String(redirectUri)
  const url = URL.canParse(text) ? new URL(text) : undefined
  const isLocal = url?.hostname === 'localhost' || url?.hostname === '127.0.0.1'
  const isSafe = url?.protocol === 'https:' || (url?.protocol === 'http:' && isLocal)
  if (url && isSafe && url.username === '' && !text.includes('#')) return
  throw new TypeError(
    'redirectUri must be a URL such as https://shop.example.com/wechat/callback, without a fragment; plain http only for localhost',
  )
}

function refused(reason: string, message: string): AuthError {
  return new AuthError('invalid_request', `${message}; start again`, { reason })
}
