import { readFile, stat } from 'node:fs/promises'
import { basename, extname, sep } from 'node:path'
import { filesBelow, isFolder, objectIn } from '../project/files.js'
import { findMiniPrograms } from '../project/mini-programs.js'
import type { LeakKind } from './findings.js'
import { readWxapkg, type Unreadable } from './wxapkg.js'

interface Place {
  readonly file: string
  /** The file inside of it, if it is a package or a source map. */
  readonly inside?: string
}

/** Something that leaks, and where. What leaks is not in it. */
export interface FoundLeak extends Place {
  readonly kind: LeakKind
  /** From 1. */
  readonly line: number
  /** From 1. */
  readonly column: number
}

/** A file that was not looked at. */
export interface Skipped {
  readonly file: string
  readonly why: Unreadable | 'unreadable'
}

export interface ScanResult {
  readonly files: number
  readonly leaks: readonly FoundLeak[]
  /** What could be a leak, for somebody to look at. */
  readonly possible: readonly FoundLeak[]
  readonly skipped: readonly Skipped[]
}

const maxBytes = 64 * 1024 * 1024
const isSourceMap = (name: string) => name.endsWith('.map')
// What no mini program runs, and its tools do not upload.
const notUploaded =
  /(?:^|[\\/])(?:[^\\/]*\.md|LICENSE|package-lock\.json|pnpm-lock\.yaml|yarn\.lock)$/i
const isKeyFile = (name: string) => /\.(?:p12|pfx)$/i.test(name)

/** What there is to look at. */
export interface ToScan {
  readonly paths: readonly string[]
  /** Files and folders in them that are not shipped. */
  readonly without: readonly string[]
  /** They belong to a mini program: its tools leave out hidden files, `.env` for example. */
  readonly isMiniProgram: boolean
}

/** What a path ships: the parts of the mini programs below it, or everything if there is none. */
export async function whatShips(path: string): Promise<ToScan> {
  if (!(await isFolder(path))) return { paths: [path], without: [], isMiniProgram: false }
  const miniPrograms = await findMiniPrograms(path)
  const paths = new Set(miniPrograms.flatMap(({ shippedFolders }) => shippedFolders))
  return {
    paths: paths.size > 0 ? [...paths] : [path],
    without: miniPrograms.flatMap(({ notShipped }) => notShipped),
    isMiniProgram: paths.size > 0,
  }
}

/** Looks through files and folders. */
export async function scanPaths({ paths, without, isMiniProgram }: ToScan): Promise<ScanResult> {
  const files = new Set<string>()
  for (const path of paths) {
    if (await isFolder(path)) for (const file of await filesBelow(path)) files.add(file)
    else files.add(path)
  }
  const all: FoundLeak[] = []
  const skipped: Skipped[] = []
  const look = await createLook()
  let count = 0
  for (const file of files) {
    const isShipped = !without.some((one) => file === one || file.startsWith(one + sep))
    const isHidden = isMiniProgram && basename(file).startsWith('.')
    if (!isShipped || isHidden || notUploaded.test(file)) continue
    count++
    const bytes = await read(file)
    const found = typeof bytes === 'string' ? bytes : await look(file, bytes)
    if (typeof found === 'string') skipped.push({ file, why: found })
    else all.push(...found)
  }
  const isPossible = ({ kind }: FoundLeak) => kind === 'possible_app_secret'
  const leaks = all.filter((one) => !isPossible(one))
  return { files: count, leaks, possible: all.filter(isPossible), skipped }
}

async function read(file: string): Promise<Buffer | 'too_large' | 'unreadable'> {
  try {
    if ((await stat(file)).size > maxBytes) return 'too_large'
    return await readFile(file)
  } catch {
    return 'unreadable'
  }
}

/** The engine is loaded once there is something to look at. */
async function createLook() {
  const { lintSource } = await import('@secretlint/core')
  const { creator } = await import('./secretlint-rule.js')
  const config = { rules: [{ id: creator.meta.id, rule: creator, options: { possible: true } }] }

  async function lookAtText({ file, inside }: Place, content: string): Promise<FoundLeak[]> {
    const filePath = inside ?? file
    const { messages } = await lintSource({
      source: { filePath, ext: extname(filePath), content, contentType: 'text' },
      options: { config, noPhysicFilePath: true },
    })
    return messages.map(({ messageId, loc: { start } }) => ({
      kind: kindOf(messageId),
      file,
      ...(inside !== undefined && { inside }),
      line: start.line,
      column: start.column + 1,
    }))
  }

  async function lookAtBytes(place: Place, bytes: Buffer): Promise<FoundLeak[]> {
    const name = place.inside ?? place.file
    if (isKeyFile(name)) return [{ kind: 'private_key', ...place, line: 1, column: 1 }]
    if (bytes.subarray(0, 8_192).includes(0)) return []
    const content = bytes.toString('utf8')
    const sources = isSourceMap(name) ? sourcesIn(content) : undefined
    if (!sources) return lookAtText(place, content)
    const before = place.inside === undefined ? '' : `${place.inside}!/`
    const found: FoundLeak[] = []
    for (const [source, text] of sources) {
      found.push(...(await lookAtText({ file: place.file, inside: `${before}${source}` }, text)))
    }
    return found
  }

  return async (file: string, bytes: Buffer): Promise<FoundLeak[] | Unreadable> => {
    if (!file.endsWith('.wxapkg')) return lookAtBytes({ file }, bytes)
    const packed = readWxapkg(bytes)
    if (typeof packed === 'string') return packed
    const found: FoundLeak[] = []
    for (const { name, content } of packed) {
      found.push(...(await lookAtBytes({ file, inside: name }, content)))
    }
    return found
  }
}

function kindOf(messageId: string): LeakKind {
  switch (messageId) {
    case 'session_key':
    case 'private_key':
    case 'wechat_call':
    case 'possible_app_secret':
      return messageId
    default:
      return 'app_secret'
  }
}

/** The sources that a source map carries. */
function sourcesIn(map: string): readonly (readonly [name: string, text: string])[] | undefined {
  const parsed = objectIn(map)
  const { sources, sourcesContent } = parsed ?? {}
  if (!Array.isArray(sources) || !Array.isArray(sourcesContent)) return undefined
  return sourcesContent.flatMap((text: unknown, n) =>
    typeof text === 'string' ? [[String(sources[n] ?? n), text] as const] : [],
  )
}
