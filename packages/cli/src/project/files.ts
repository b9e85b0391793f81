import { readdir, readFile, stat } from 'node:fs/promises'
import { join, relative, sep } from 'node:path'

const notOurs: ReadonlySet<string> = new Set([
  'node_modules',
  '.git',
  '.svn',
  '.hg',
  'coverage',
  '.cache',
])

/** Every file below a folder, but for those of packages and of version control. Links are not followed. */
export async function filesBelow(
  folder: string,
  without: ReadonlySet<string> = notOurs,
): Promise<readonly string[]> {
  const found: string[] = []
  const open = [folder]
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const entries = await readdir(next, { withFileTypes: true }).catch(() => [])
    for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const path = join(next, entry.name)
      if (entry.isDirectory() && !without.has(entry.name)) open.push(path)
      if (entry.isFile()) found.push(path)
    }
  }
  return found.sort()
}

/** The text of a file, or nothing if it cannot be read. */
export async function textOf(file: string): Promise<string | undefined> {
  return readFile(file, 'utf8').catch(() => undefined)
}

/** A JSON file that is an object, also one with comments and trailing commas, as DevTools takes it. */
export async function jsonOf(file: string): Promise<Readonly<Record<string, unknown>> | undefined> {
  const text = await textOf(file)
  return text === undefined ? undefined : objectIn(text)
}

export function objectIn(text: string): Readonly<Record<string, unknown>> | undefined {
  const plain = text
    .replace(/^\uFEFF/, '')
    .replace(/("(?:[^"\\]|\\.)*")|\/\/[^\n]*|\/\*[\s\S]*?\*\//g, '$1')
    .replace(/("(?:[^"\\]|\\.)*")|,(\s*[}\]])/g, '$1$2')
  try {
    return asObject(JSON.parse(plain))
  } catch {
    return undefined
  }
}

export function asObject(value: unknown): Readonly<Record<string, unknown>> | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? { ...value }
    : undefined
}

export const isFolder = async (path: string): Promise<boolean> =>
  stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  )

export const exists = async (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  )

/** As it is shown: from where the command runs, with slashes on every system. */
export function shown(cwd: string, path: string): string {
  return relative(cwd, path).split(sep).join('/') || '.'
}
