export interface AuthRoutesOptions {
  /** The path below which the routes are, `/wx` for example (default: none). */
  basePath?: string
}

/** Gives the part of a path below the base path; a path that is not below it gives one that no route has. */
export function pathBelow(basePath: string): (path: string) => string {
  if (!/^(\/[^/?#\s]+)*$/.test(basePath)) {
    throw new TypeError(
      "basePath must be '' or start with a slash and end without one, such as '/wx'",
    )
  }
  return (path) => (path.startsWith(`${basePath}/`) ? path.slice(basePath.length) : '')
}
