import { withoutComments } from '../scan/findings.js'

/** A file of a program. */
export interface Source {
  readonly file: string
  /** Without its comments. */
  readonly code: string
}

/** What an option is set to: a text, or a variable of the environment. */
export type Setting =
  | { readonly literal: string; readonly file: string; readonly line: number }
  | { readonly variable: string; readonly file: string; readonly line: number }

export const sourceOf = (file: string, text: string): Source => ({
  file,
  code: withoutComments(text),
})

/** What an option is set to wherever it stands in a program, as far as that can be read. */
export function settingsOf(option: string, { file, code }: Source): readonly Setting[] {
  const places = code.matchAll(new RegExp(`(?<![\\w$.])${option}\\s*:\\s*([^,}\\n]+)`, 'g'))
  const shorthands = code.matchAll(new RegExp(`(?<=[{,]\\s*)(${option})(?=\\s*[,}])`, 'g'))
  return [...places, ...shorthands].flatMap((match) => {
    const line = lineAt(code, match.index)
    const value = readSetting(match[1]?.trim() ?? '', code)
    return value ? [{ ...value, file, line }] : []
  })
}

function readSetting(
  expression: string,
  code: string,
  depth = 0,
): { readonly literal: string } | { readonly variable: string } | undefined {
  const literal = /^(['"`])([^'"`$]*)\1/.exec(expression)?.[2]
  if (literal !== undefined) return { literal }
  const variable =
    /\benv\.([A-Za-z_]\w*)/.exec(expression)?.[1] ??
    /\benv(?:\.get)?[[(]\s*['"`](\w+)['"`]/.exec(expression)?.[1]
  if (variable !== undefined) return { variable }
  const name = /^([A-Za-z_$][\w$]*)/.exec(expression)?.[1]
  if (name === undefined || depth > 2) return undefined
  return fromEnvironment(name, code) ?? assigned(name, code, depth)
}

/** `const { NAME, OTHER: name = '' } = process.env` */
function fromEnvironment(name: string, code: string): { readonly variable: string } | undefined {
  for (const [, members = ''] of code.matchAll(/\{([^{}]*)\}\s*=\s*(?:\w+\.)*env\b/g)) {
    for (const member of members.split(',')) {
      const [, variable, alias = variable] =
        /^\s*([A-Za-z_]\w*)\s*(?::\s*([A-Za-z_$][\w$]*))?/.exec(member) ?? []
      if (variable !== undefined && alias === name) return { variable }
    }
  }
  return undefined
}

function assigned(name: string, code: string, depth: number) {
  const escaped = name.replaceAll('$', '\\$')
  const found = new RegExp(`\\b(?:const|let|var)\\s+${escaped}\\s*(?::[^=]+)?=\\s*([^;\\n]+)`).exec(
    code,
  )?.[1]
  return found === undefined ? undefined : readSetting(found.trim(), code, depth + 1)
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
