import { inspect } from 'node:util'

/** The code of an error of the system, a driver or undici, or the code of its cause. */
export function systemCodeOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null) return undefined
  if ('code' in error && typeof error.code === 'string' && /^[A-Z0-9_]{1,64}$/.test(error.code)) {
    return error.code
  }
  return 'cause' in error ? systemCodeOf(error.cause) : undefined
}

/**
 * What is safe to keep of a foreign error: its name, message and code, without the given secrets. Other members are
 * dropped: database clients attach whole commands to their errors, and a `fetch` may quote its URL.
 */
export function redactError(error: unknown, secrets: readonly string[]): Error {
  const text =
    error instanceof Error
      ? `${error.name}: ${error.message}`
      : 'something other than an Error was thrown'
  const clean = secrets
    .filter((secret) => secret !== '')
    .flatMap((secret) => [
      secret,
      encodeURIComponent(secret),
      new URLSearchParams([['', secret]]).toString().slice(1),
    ])
    .reduce((message, secret) => message.replaceAll(secret, '[redacted]'), text)
  const code = systemCodeOf(error)
  return code === undefined ? new Error(clean) : Object.assign(new Error(clean), { code })
}

/**
 * A text that nobody knows the secrets of, without what may be one: an openid, a code, a token, a phone number. Names
 * and words stay.
 */
export function redactText(text: string): string {
  // No look ahead: from every letter of a long word it would be one to its end.
  return text.replace(/[\w-]{20,}|\d{7,}/g, (word) =>
    /\d/.test(word) ? '[redacted]' : word.replace(/\bo[\w-]{27}$/, '[redacted]'),
  )
}

/**
 * Makes `JSON.stringify` and `util.inspect` show the named members as `[redacted]`, in case the data ends up in a log;
 * all members can be read as usual. A copy made by spreading loses this.
 */
export function redactMembers<T extends object>(
  data: T,
  secretNames: readonly string[],
): Readonly<T> {
  const shown = () =>
    Object.fromEntries(
      Object.entries(data).map(([name, value]) => [
        name,
        secretNames.includes(name) ? '[redacted]' : value,
      ]),
    )
  const hidden = { value: shown, enumerable: false }
  return Object.defineProperties(data, { toJSON: hidden, [inspect.custom]: hidden })
}
