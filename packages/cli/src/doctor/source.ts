import { dirname, join } from 'node:path'
import { withoutComments } from '../scan/findings.js'

/** A file of a program. */
export interface Source {
  readonly file: string
  /** Without its comments. */
  readonly code: string
}

export const sourceOf = (file: string, text: string): Source => ({
  file,
  code: withoutComments(text),
})

/** The files that a program may import. */
export interface Modules {
  find(from: Source, specifier: string): Source | undefined
}

const extensions = ['', '.ts', '.js', '.tsx', '.jsx', '.mjs', '.mts', '.cjs', '.cts', '.vue']

/** Finds what is imported by a path, or by an alias of one of these roots (`@/config`). */
export function modulesOf(sources: readonly Source[], roots: readonly string[] = []): Modules {
  const byFile = new Map(sources.map((source) => [source.file, source]))
  return {
    find({ file }, specifier) {
      const alias = /^(?:@|~|@@)?\/(.*)$/.exec(specifier)?.[1]
      const bases = specifier.startsWith('.')
        ? [join(dirname(file), specifier)]
        : alias === undefined
          ? []
          : roots.map((root) => join(root, alias))
      return bases
        .flatMap((base) => [base, base.replace(/\.[cm]?jsx?$/, ''), join(base, 'index')])
        .flatMap((base) => extensions.map((extension) => byFile.get(base + extension)))
        .find((found) => found !== undefined)
    },
  }
}

/** The arguments of every call of a function, brackets and all. */
export function callsOf(name: string, code: string): readonly string[] {
  const starts = code.matchAll(
    new RegExp(`(?<!function\\s+|[\\w$.])${name}(?:<[^(){}]*>)?\\s*\\(`, 'g'),
  )
  return [...starts].map((match) => {
    const start = match.index + match[0].length
    let depth = 1
    let at = start
    while (at < code.length && depth > 0) {
      if ('([{'.includes(code[at] ?? '')) depth++
      if (')]}'.includes(code[at] ?? '')) depth--
      at++
    }
    return code.slice(start, at - 1)
  })
}

export const lineAt = (code: string, index: number): number =>
  code.slice(0, index).split('\n').length
