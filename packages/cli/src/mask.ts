import { createHmac, randomBytes } from 'node:crypto'

/** The headers of a message, as `IncomingMessage` has them. */
export type Headers = Readonly<Record<string, string | readonly string[] | undefined>>

/** Takes secrets out of what is recorded. What it returns may be shown to anybody. */
export interface Mask {
  headers(headers: Headers): Readonly<Record<string, string>>
  /** A path with its query. */
  url(url: string): string
  /** `undefined` for what is no text: its size has to do. */
  body(body: Buffer, contentType: string | undefined): string | undefined
  text(text: string): string
}

/**
 * A value is masked for its name or for its looks, and the mask tells values apart: `•••#3f9c` is the same value
 * wherever it stands, which shows a token being used again. The number is made with a key of this process.
 */
export function createMask(): Mask {
  const key = randomBytes(32)

  const hidden = (value: string) =>
    `•••#${createHmac('sha256', key).update(value).digest('hex').slice(0, 4)}`

  function text(value: string): string {
    return value
      .replace(/[\w+/=.-]{16,}/g, run)
      .replace(/(?<![\d#])(\+?86[- ]?)?1[3-9]\d{9}(?!\d)/g, hidden)
  }

  /** Of letters, digits, and what stands in tokens, paths and domains. */
  function run(found: string): string {
    if (isToken(found)) return hidden(found)
    return found
      .split(/([/.])/)
      .map((part) => (isRandom(part) ? hidden(part) : part))
      .join('')
  }

  function named(name: string, value: string): string {
    if (value === '' || !isSecret(name)) return text(value)
    const [, scheme, credentials] = /^(Bearer|Basic) (.+)$/i.exec(value) ?? []
    return credentials === undefined ? hidden(value) : `${scheme} ${hidden(credentials)}`
  }

  function query(params: string): string {
    return params
      .split('&')
      .map((param) => {
        const [name = '', ...rest] = param.split('=')
        if (rest.length === 0) return text(decoded(param))
        return `${text(decoded(name))}=${named(decoded(name), decoded(rest.join('=')))}`
      })
      .join('&')
  }

  function json(value: unknown, name = ''): unknown {
    if (Array.isArray(value)) return value.map((item) => json(item, name))
    if (typeof value === 'object' && value !== null) {
      return Object.fromEntries(
        Object.entries(value).map(([member, inner]) => [text(member), json(inner, member)]),
      )
    }
    if (typeof value === 'number') {
      const isLong = Math.abs(value) >= 1e7
      return isLong && isSecret(name) ? hidden(String(value)) : numberOf(value)
    }
    if (typeof value !== 'string') return value
    const inner = isSecret(name) ? undefined : parsed(value)
    return inner === undefined ? named(name, value) : JSON.stringify(json(inner))
  }

  function numberOf(value: number): number | string {
    const masked = text(String(value))
    return masked === String(value) ? value : masked
  }

  return {
    text,

    headers: (headers) =>
      Object.fromEntries(
        Object.entries(headers).flatMap(([name, value]) =>
          value === undefined
            ? []
            : [[name, typeof value === 'string' ? named(name, value) : named(name, value.join())]],
        ),
      ),

    url(url) {
      const [path = '', ...rest] = url.split('?')
      const shown = path.split('/').map((part) => text(decoded(part)))
      return shown.join('/') + (rest.length > 0 ? `?${query(rest.join('?'))}` : '')
    },

    body(body, contentType = '') {
      const whole = body.toString()
      if (whole === '') return ''
      const value = parsed(whole)
      if (value !== undefined) return JSON.stringify(json(value), undefined, 2)
      if (/x-www-form-urlencoded/.test(contentType)) return query(whole)
      return /text|json|xml/.test(contentType) && !whole.includes('\0') ? text(whole) : undefined
    },
  }
}

/** Parts of names, so that what backends of others call their tokens is covered as well. */
const secretNames =
  /secret|code|token|ticket|sign|session|key|openp?id|unionid|phone|mobile|transaction|trade|passw|authorization|cookie|encrypted|^iv$|card|credential/i
const openNames =
  /^(err_?code|error_?code|status_?code|country_?code|token_type|sessions|content-encoding|sec-websocket-(key|accept))$/i

function isSecret(name: string): boolean {
  return secretNames.test(name) && !openNames.test(name)
}

/** A JWT, a session_key, or other bytes in base64. */
function isToken(found: string): boolean {
  const parts = found.split('.')
  if (parts.length === 3 && found.length >= 60) return parts.every((part) => part.length >= 8)
  if (/^[A-Za-z0-9+/]{20,}={1,2}$/.test(found)) return true
  return found.length >= 32 && isMixed(found) && /^[\w+/=-]+$/.test(found)
}

/** An openid, a code, a secret, a digest. */
function isRandom(part: string): boolean {
  if (part.length < 20 || harmless.test(part)) return false
  return part.length >= 32 || (/\d/.test(part) && /[A-Za-z]/.test(part))
}

function isMixed(found: string): boolean {
  return /\d/.test(found) && /[A-Z]/.test(found) && /[a-z]/.test(found)
}

/** A `rid` of WeChat, and a UUID. */
const harmless =
  /^([0-9a-f]{8}-[0-9a-f]{8}-[0-9a-f]{8}|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})$/

/** A JSON object or list; anything else is text. */
function parsed(value: string): unknown {
  if (!/^\s*[[{]/.test(value)) return undefined
  try {
    return JSON.parse(value)
  } catch {
    return undefined
  }
}

function decoded(value: string): string {
  try {
    return decodeURIComponent(value.replaceAll('+', ' '))
  } catch {
    return value
  }
}
