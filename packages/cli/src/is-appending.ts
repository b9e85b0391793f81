import { fstatSync } from 'node:fs'

/** Whether what is printed is added to a file that has something in it. */
export function isAppending(): boolean {
  try {
    // In bigint: from any other, Node 20 takes the next paths for pipes too, and follows no link to a package (pnpm's).
    const found = fstatSync(1, { bigint: true })
    return found.isFile() && found.size > 0n
  } catch {
    // Windows cannot tell of every output what it is.
    return false
  }
}
