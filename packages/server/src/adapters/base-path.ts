export interface AuthRoutesOptions {
  /** The path where the routes are mounted, for example `/wx` (default: none). */
  basePath?: string
}

/** Strips the base path from a path; a path that is not below it becomes one that matches no route. */
export function pathBelow(basePath: string): (path: string) => string {
  if (!/^(\/[^/?#\s]+)*$/.test(basePath)) {
    throw new TypeError(
      "basePath must be '' or start with a slash and end without one, such as '/wx'",
    )
  }
  return (path) => (path.startsWith(`${basePath}/`) ? path.slice(basePath.length) : '')
}
