import { closing, type Expression, expressionAt, type Step, splitAt } from './expression.js'
import type { Modules, Source } from './source.js'

export type Found = { readonly expression: Expression; readonly path: readonly Step[] }

/** What a name stands for in a file. */
export function behind(
  name: string,
  path: readonly Step[],
  source: Source,
  modules: Modules,
): Found | { readonly variable: string } | undefined {
  const { code } = source
  const escaped = name.replaceAll('$', '\\$')
  const variable = fromEnvironment(name, source)
  if (variable !== undefined) return { variable }
  const declared = new RegExp(
    `\\b(?:const|let|var)\\s+${escaped}\\s*(?::[^=;\\n]+)?=(?!=)\\s*`,
  ).exec(code)
  if (declared) {
    return { expression: expressionAt(source, declared.index + declared[0].length), path }
  }
  for (const [, names = '', specifier = ''] of code.matchAll(
    /\bimport\s+(?!type\b)([^'"`;]+?)\s+from\s*['"`]([^'"`]+)['"`]/g,
  )) {
    const steps = imported(name, names, 'as')
    if (steps) return exportOf(modules.find(source, specifier), [...steps, ...path], modules)
  }
  for (const [, names = '', specifier = ''] of code.matchAll(
    /\b(?:const|let|var)\s*(\{[^{}]*\})\s*=\s*require\s*\(\s*['"`]([^'"`]+)['"`]\s*\)/g,
  )) {
    const steps = imported(name, names, ':')
    if (steps) return exportOf(modules.find(source, specifier), [...steps, ...path], modules)
  }
  return undefined
}

/** The way from a module to one of the names that are taken from it. */
function imported(name: string, names: string, renames: string): readonly Step[] | undefined {
  const [, braces = ''] = /\{([^{}]*)\}/.exec(names) ?? []
  for (const member of braces.split(',')) {
    const [theirs = '', ours = theirs] = member
      .split(renames === ':' ? ':' : /\sas\s/)
      .map((one) => one.trim())
    if (ours === name) return [theirs]
  }
  const outside = names.replace(/\{[^{}]*\}/, '').split(',')
  if (outside.some((one) => one.trim() === name)) return ['default']
  return outside.some((one) => /^\*\s*as\s/.test(one.trim()) && one.trim().endsWith(` ${name}`))
    ? []
    : undefined
}

/** What a module exports, in either of the two ways. */
export function exportOf(
  module: Source | undefined,
  [name, ...rest]: readonly Step[],
  modules: Modules,
): Found | undefined {
  if (!module) return undefined
  const { code } = module
  const after = (pattern: RegExp): Expression | undefined => {
    const match = pattern.exec(code)
    return match ? expressionAt(module, match.index + match[0].length) : undefined
  }
  const whole = after(/\bmodule\.exports\s*=\s*/)
  if (name === 'default') {
    const expression = after(/\bexport\s+default\s+/) ?? whole
    return expression && { expression, path: rest }
  }
  if (name !== undefined) {
    const escaped = name.replaceAll('$', '\\$')
    const own =
      after(new RegExp(`\\bexport\\s+(?:const|let|var)\\s+${escaped}\\s*(?::[^=;\\n]+)?=\\s*`)) ??
      after(new RegExp(`\\bexports\\.${escaped}\\s*=\\s*`))
    if (own) return { expression: own, path: rest }
    for (const [, names = '', specifier] of code.matchAll(
      /\bexport\s*(\{[^{}]*\})(?:\s*from\s*['"`]([^'"`]+)['"`])?/g,
    )) {
      const [theirs] = imported(name, names, 'as') ?? []
      if (theirs === undefined) continue
      if (specifier === undefined) {
        return { expression: { source: module, start: 0, text: theirs }, path: rest }
      }
      const next = modules.find(module, specifier)
      return next === module ? undefined : exportOf(next, [theirs, ...rest], modules)
    }
  }
  return whole && { expression: whole, path: [name, ...rest] }
}

/** `const { NAME, OTHER: name = '' } = process.env` */
function fromEnvironment(name: string, source: Source): string | undefined {
  const { code } = source
  for (const { 0: start, index } of code.matchAll(/\b(?:const|let|var)\s*\{/g)) {
    const open = index + start.length - 1
    const end = closing(code, open)
    if (end < 0 || !/^\}\s*(?::[^=;]+)?=\s*(?:[\w$]+\.)*env\b/.test(code.slice(end, end + 200)))
      continue
    const members = { source, start: open + 1, text: code.slice(open + 1, end) }
    for (const { text } of splitAt(members, [','])) {
      const [, variable, alias = variable] =
        /^\s*([A-Za-z_]\w*)\s*(?::\s*([A-Za-z_$][\w$]*))?/.exec(text) ?? []
      if (variable !== undefined && alias === name) return variable
    }
  }
  return undefined
}
