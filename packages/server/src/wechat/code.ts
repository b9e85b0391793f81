import { mockCode } from '@wxlogin/shared'
import { AuthError } from '../errors.js'

/** Throws `invalid_code` for what cannot be a WeChat code, before anything is sent. */
export function checkCode(code: string): void {
  if (code === mockCode) {
    throw new AuthError(
      'invalid_code',
      'DevTools made this code without a real AppID; set your AppID in the project and log in again',
      { reason: 'mock_code' },
    )
  }
  if (typeof code !== 'string' || !/^[A-Za-z0-9_-]{1,128}$/.test(code)) {
    throw new AuthError('invalid_code', 'This is not a WeChat code; get a new one')
  }
}
