import { AuthError } from './errors.js'

/**
 * A copy that nobody else holds, with exactly what JSON keeps of a value that the app returned.
 * Throws `server_error` for what JSON cannot hold, a circle or a bigint.
 */
export function jsonCopy<T>(value: T, what: string): T {
  try {
    return JSON.parse(JSON.stringify(value))
  } catch (cause) {
    throw new AuthError('server_error', `${what} must be made of JSON values`, { cause })
  }
}
