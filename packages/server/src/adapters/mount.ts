import { checkGuardOptions } from '../guard-options.js'
import { checkNames, type OptionNames } from '../option-checks.js'

export interface AuthRoutesOptions {
  /** The path where the routes are mounted, for example `/wx` (default: none). */
  basePath?: string
}

const names: OptionNames<AuthRoutesOptions> = { basePath: true }

/** Checks what the routes are mounted with, and gives the path where they are. `more` are options of one adapter alone. */
export function mountRoutes(
  auth: unknown,
  options: AuthRoutesOptions = {},
  more: Readonly<Record<string, true>> = {},
): string {
  checkAuth(() => 'authRoutes(auth)', auth)
  checkNames('authRoutes', options, { ...names, ...more })
  const { basePath = '' } = options
  if (!/^(\/[^/?#\s]+)*$/.test(basePath)) {
    throw new TypeError("basePath must be like '/wx', with no slash at the end")
  }
  return basePath
}

/** A target without scheme and host, which one in absolute form has (RFC 9112 §3.2.2). */
export const pathOf = (target = ''): string => target.replace(/^https?:\/\/[^/?#]*/i, '')

/** Strips the base path from a target; one that is not below it becomes one that matches no route. */
export function pathBelow(basePath: string, target?: string): string {
  const path = pathOf(target)
  return path.startsWith(`${basePath}/`) ? path.slice(basePath.length) : ''
}

/** Checks what a guard is mounted with. */
export function mountGuard(auth: unknown, options: unknown = {}): void {
  checkAuth(() => 'requireAuth(auth)', auth)
  checkGuardOptions(options)
}

/** A handler that is mounted without having been called gets a request here, and would never answer it. */
export function checkAuth(call: () => string, auth: unknown): void {
  const { handle, guard } = Object(auth)
  if (typeof handle === 'function' && typeof guard === 'function') return
  throw new TypeError(`Write ${call()}, with what createAuth returned`)
}
