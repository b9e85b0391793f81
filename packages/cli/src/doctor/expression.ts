import { lineAt, type Modules, type Source } from './source.js'

/** A part of a program. */
export interface Expression {
  readonly source: Source
  /** Where it starts in the code. */
  readonly start: number
  readonly text: string
}

/** One of the values that an expression may have, and where that is written. */
export type Value = {
  readonly file: string
  readonly line: number
  /** When alone it has it: while developing, or as long as a variable of the environment is not set. */
  readonly only?: 'development' | 'unset'
} & ({ readonly literal: string } | { readonly variable: string } | { readonly unread: true })

/** What follows a name: `.api`, `['api']`, or `[nobody knows]`. */
type Step = string | undefined

// More than programs have, and fewer than those that lead to themselves.
const maxDepth = 12

/** Every value that an expression may have, as far as that can be read. */
export function valuesOf(
  expression: Expression,
  modules: Modules,
  path: readonly Step[] = [],
  depth = 0,
): readonly Value[] {
  const bare = stripped(expression)
  const place = { file: bare.source.file, line: lineAt(bare.source.code, bare.start) }
  const unread = [{ ...place, unread: true as const }]
  if (depth > maxDepth || bare.text === '') return unread
  const read = (one: Expression, steps = path) => valuesOf(one, modules, steps, depth + 1)

  const choice = conditionalIn(bare)
  if (choice) {
    const isRelease = holdsInRelease(choice.condition, modules, depth + 1)
    return [
      ...(isRelease === false ? read(choice.yes).map(whileDeveloping) : read(choice.yes)),
      ...(isRelease === true ? read(choice.no).map(whileDeveloping) : read(choice.no)),
    ]
  }
  const [first, ...others] = splitAt(bare, ['||', '??'])
  if (first && others.length > 0) {
    return [...read(first), ...others.flatMap((one) => read(one).map(whileUnset))]
  }
  const parts = path.length === 0 ? partsOf(bare) : undefined
  if (parts) return joined(parts, read) ?? unread
  const literal = /^(['"`])([^'"`$]*)\1$/.exec(bare.text)?.[2]
  if (literal !== undefined) return path.length === 0 ? [{ ...place, literal }] : unread
  const variable = wholeVariable(bare.text)
  if (variable !== undefined) return [{ ...place, variable }]

  if (bare.text.startsWith('{')) {
    const values = membersAt(bare, path[0]).flatMap(({ value, isRelease }) =>
      isRelease === false
        ? read(value, path.slice(1)).map(whileDeveloping)
        : read(value, path.slice(1)),
    )
    return path.length > 0 && values.length > 0 ? values : unread
  }
  const required = /^require\s*\(\s*['"`]([^'"`]+)['"`]\s*\)$/.exec(bare.text)?.[1]
  if (required !== undefined) {
    const found = exportOf(modules.find(bare.source, required), path, modules)
    return found ? read(found.expression, found.path) : unread
  }
  const chain = chainIn(bare.text)
  if (chain) {
    const found = behind(chain.root, [...chain.path, ...path], bare.source, modules)
    if (!found) return unread
    return 'variable' in found
      ? [{ ...place, variable: found.variable }]
      : read(found.expression, found.path)
  }
  const inside = variableIn(bare.text)
  return inside === undefined ? unread : [{ ...place, variable: inside }]
}

const whileDeveloping = (value: Value): Value => ({ ...value, only: 'development' })
const whileUnset = (value: Value): Value => ({ only: 'unset', ...value })

/** The whole of what starts here: up to a comma, a bracket that closes, or the end of a statement. */
export function expressionAt(source: Source, start: number): Expression {
  const { code } = source
  let depth = 0
  let at = start
  for (; at < code.length; at++) {
    const character = code[at] ?? ''
    if (isQuote(character)) at = endOfText(code, at)
    else if ('([{'.includes(character)) depth++
    else if (')]}'.includes(character) && depth-- === 0) break
    else if (depth === 0 && (character === ',' || character === ';')) break
    else if (depth === 0 && character === '\n' && !goesOn(code, start, at)) break
  }
  return { source, start, text: code.slice(start, at) }
}

const goesOn = (code: string, start: number, at: number): boolean => {
  const before = code.slice(start, at).trimEnd()
  return before === '' || /[?:=|&+.]$/.test(before) || /^\s*[?:.|&+]/.test(code.slice(at, at + 200))
}

const isQuote = (character: string): boolean => /^["'`]$/.test(character)

/** Where the string that starts here ends. */
function endOfText(code: string, start: number): number {
  const quote = code[start]
  let at = start + 1
  while (at < code.length && code[at] !== quote) at += code[at] === '\\' ? 2 : 1
  return at
}

function part({ source, start, text }: Expression, from: number, to = text.length): Expression {
  return { source, start: start + from, text: text.slice(from, to) }
}

/** Without blanks, brackets around it, and what types say. */
function stripped(expression: Expression): Expression {
  const { text } = expression
  const blanks = text.length - text.trimStart().length
  const trimmed = part(expression, blanks, text.trimEnd().length)
  const typed = /\s+(?:as|satisfies)\s+[\w.<>[\]'"| ]+$|!$/.exec(trimmed.text)
  if (typed && !/^["'`]/.test(trimmed.text)) return stripped(part(trimmed, 0, typed.index))
  const frozen = /^Object\.freeze\s*(?=\()/.exec(trimmed.text)?.[0].length ?? 0
  const isBracketed =
    trimmed.text[frozen] === '(' && closing(trimmed.text, frozen) === trimmed.text.length - 1
  return isBracketed ? stripped(part(trimmed, frozen + 1, trimmed.text.length - 1)) : trimmed
}

/** Where the bracket that opens here is closed. */
function closing(text: string, start: number): number {
  let depth = 0
  for (let at = start; at < text.length; at++) {
    const character = text[at] ?? ''
    if (isQuote(character)) at = endOfText(text, at)
    else if ('([{'.includes(character)) depth++
    else if (')]}'.includes(character) && --depth === 0) return at
  }
  return -1
}

/** The places outside of strings and brackets. */
function* outermost(text: string): Iterable<number> {
  for (let at = 0; at < text.length; at++) {
    const character = text[at] ?? ''
    if (isQuote(character)) at = endOfText(text, at)
    else if ('([{'.includes(character)) {
      const end = closing(text, at)
      if (end < 0) return
      at = end
    } else yield at
  }
}

/** The parts between these signs. */
function splitAt(expression: Expression, signs: readonly string[]): readonly Expression[] {
  const { text } = expression
  const parts: Expression[] = []
  let from = 0
  for (const at of outermost(text)) {
    const sign = at < from ? undefined : signs.find((one) => text.startsWith(one, at))
    if (sign === undefined) continue
    parts.push(part(expression, from, at))
    from = at + sign.length
  }
  return [...parts, part(expression, from)]
}

function conditionalIn(expression: Expression) {
  const { text } = expression
  let question = -1
  let depth = 0
  for (const at of outermost(text)) {
    const isCondition = text[at] === '?' && !/[?.]/.test(text[at + 1] ?? '') && text[at - 1] !== '?'
    if (isCondition && question < 0) question = at
    else if (isCondition) depth++
    else if (text[at] === ':' && question >= 0 && depth-- === 0) {
      return {
        condition: part(expression, 0, question),
        yes: part(expression, question + 1, at),
        no: part(expression, at + 1),
      }
    }
  }
  return undefined
}

/** The parts of a text that is put together, by `+` or in a template. */
function partsOf(expression: Expression): readonly (Expression | string)[] | undefined {
  const { text } = expression
  const added = splitAt(expression, ['+'])
  if (added.length > 1) return added
  if (!text.startsWith('`') || !text.includes('${')) return undefined
  const parts: (Expression | string)[] = []
  let at = 1
  for (let open = text.indexOf('${', at); open >= 0; open = text.indexOf('${', at)) {
    const end = closing(text, open + 1)
    if (end < 0) return undefined
    if (open > at) parts.push(text.slice(at, open))
    parts.push(part(expression, open + 2, end))
    at = end + 1
  }
  return [...parts, text.slice(at, -1)]
}

/** What the parts come to: what is not known in the midst of them is `…`, and without a beginning there is nothing. */
function joined(
  [first, ...others]: readonly (Expression | string)[],
  read: (one: Expression) => readonly Value[],
): readonly Value[] | undefined {
  if (first === undefined) return undefined
  const rest = others.map((one) => {
    if (typeof one === 'string') return one
    const [value, ...more] = read(one)
    return value && 'literal' in value && more.length === 0 ? value.literal : '…'
  })
  if (typeof first !== 'string') {
    return read(first).map((value) =>
      'literal' in value ? { ...value, literal: value.literal + rest.join('') } : value,
    )
  }
  const [anywhere] = others.filter((one) => typeof one !== 'string')
  if (!anywhere) return undefined
  const { source, start } = anywhere
  return [{ file: source.file, line: lineAt(source.code, start), literal: first + rest.join('') }]
}

const wholeVariable = (text: string): string | undefined =>
  /^(?:[\w$]+\??\.)*env\??\.([A-Za-z_]\w*)$/.exec(text)?.[1] ??
  /^(?:[\w$]+\??\.)*env(?:\.get)?[[(]\s*['"`](\w+)['"`]\s*[\])]$/.exec(text)?.[1]

/** `required(process.env.NAME)` */
const variableIn = (text: string): string | undefined =>
  /\benv\.([A-Za-z_]\w*)/.exec(text)?.[1] ?? /\benv(?:\.get)?[[(]\s*['"`](\w+)['"`]/.exec(text)?.[1]

/** `name.of['a'][member]` */
function chainIn(text: string): { root: string; path: readonly Step[] } | undefined {
  const root = /^[A-Za-z_$][\w$]*/.exec(text)?.[0]
  if (root === undefined) return undefined
  const path: Step[] = []
  for (let at = root.length; at < text.length; ) {
    const name = /^\s*\??\.\s*([A-Za-z_$][\w$]*)/.exec(text.slice(at))
    const bracket = /^(?:\?\.)?\[/.exec(text.slice(at))
    if (name) {
      path.push(name[1])
      at += name[0].length
    } else if (bracket) {
      const open = at + bracket[0].length - 1
      const end = closing(text, open)
      if (end < 0) return undefined
      path.push(/^\s*(['"`])([\w$-]+)\1\s*$/.exec(text.slice(open + 1, end))?.[2])
      at = end + 1
    } else return undefined
  }
  return { root, path }
}

/** The members of an object that a step leads to: one, or any, where nobody knows which. */
function membersAt(object: Expression, step: Step) {
  const inside = part(object, 1, object.text.length - 1)
  const members = splitAt(inside, [',']).flatMap((member) => {
    const [, blanks = '', , quoted, plain = quoted, colon] =
      /^(\s*)(?:(['"`])([^'"`]+)\2|([A-Za-z_$][\w$]*))\s*(:)?/.exec(member.text) ?? []
    if (plain === undefined) return []
    const from = colon === undefined ? blanks.length : member.text.indexOf(colon) + 1
    return [{ name: plain, value: part(member, from), isRelease: stageOf(plain) }]
  })
  if (step === undefined) return members
  return members
    .filter(({ name }) => name === step)
    .map((member) => ({ ...member, isRelease: undefined }))
}

type Found = { readonly expression: Expression; readonly path: readonly Step[] }

/** What a name stands for in a file. */
function behind(
  name: string,
  path: readonly Step[],
  source: Source,
  modules: Modules,
): Found | { readonly variable: string } | undefined {
  const { code } = source
  const escaped = name.replaceAll('$', '\\$')
  const variable = fromEnvironment(name, code)
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
function exportOf(
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
function fromEnvironment(name: string, code: string): string | undefined {
  for (const [, members = ''] of code.matchAll(/\{([^{}]*)\}\s*=\s*(?:[\w$]+\.)*env\b/g)) {
    for (const member of members.split(',')) {
      const [, variable, alias = variable] =
        /^\s*([A-Za-z_]\w*)\s*(?::\s*([A-Za-z_$][\w$]*))?/.exec(member) ?? []
      if (variable !== undefined && alias === name) return variable
    }
  }
  return undefined
}

const ofRelease = /^(?:prod|production|release|released|online|live|formal)$/
const ofDevelopment =
  /^(?:dev|devs|develop|developing|development|devtools|debug|debugging|local|localhost|test|testing|mock|mocked|sandbox|stage|staging|trial|preview|uat|beta)$/

/** Whether a name says release (`true`) or development (`false`), in a word of its own: `device` says neither. */
function stageOf(name: string): boolean | undefined {
  const words = name
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^a-z]+/)
  const isRelease = words.some((word) => ofRelease.test(word))
  const isDevelopment = words.some((word) => ofDevelopment.test(word))
  return isRelease === isDevelopment ? undefined : isRelease
}

/** Whether a condition holds in a release, if that can be told. */
function holdsInRelease(
  expression: Expression,
  modules: Modules,
  depth: number,
): boolean | undefined {
  const bare = stripped(expression)
  const { text } = bare
  if (depth > maxDepth) return undefined
  const holds = (one: Expression) => holdsInRelease(one, modules, depth + 1)
  const not = (held: boolean | undefined) => (held === undefined ? undefined : !held)

  const either = splitAt(bare, ['||', '??'])
  if (either.length > 1) return not(allOf(either.map((one) => not(holds(one)))))
  const both = splitAt(bare, ['&&'])
  if (both.length > 1) return allOf(both.map(holds))
  const compared = splitAt(bare, ['===', '!==', '==', '!='])
  if (compared.length === 2) {
    const words = compared.flatMap(
      ({ text: side }) => /^\s*(['"`])([^'"`]*)\1\s*$/.exec(side)?.[2] ?? [],
    )
    const stage = words.length === 1 ? stageOf(words[0] ?? '') : undefined
    return splitAt(bare, ['!==', '!=']).length > 1 ? not(stage) : stage
  }
  if (text.startsWith('!')) return not(holds(part(bare, 1)))
  if (text === 'true' || text === 'false') return text === 'true'
  const chain = chainIn(text)
  const found = chain && behind(chain.root, chain.path, bare.source, modules)
  const known =
    found && 'expression' in found && found.path.length === 0 ? holds(found.expression) : undefined
  return known ?? stageOf(text)
}

function allOf(parts: readonly (boolean | undefined)[]): boolean | undefined {
  if (parts.includes(false)) return false
  return parts.includes(undefined) ? undefined : true
}
