import {
  argumentsIn,
  chainIn,
  closing,
  conditionalIn,
  type Expression,
  membersAt,
  part,
  type Step,
  splitAt,
  stripped,
} from './expression.js'
import { behind, exportOf } from './names.js'
import { holdsInRelease, stageOf } from './release.js'
import { lineAt, type Modules } from './source.js'

/** One of the values that an expression may have, and where that is written. */
export type Value = {
  readonly file: string
  readonly line: number
  /**
   * When alone it has it: while developing, in place of what is missing, or, behind the name of a variable, if that is
   * set or not.
   */
  readonly only?: 'development' | 'fallback' | 'if_set' | 'if_unset'
} & ({ readonly literal: string } | { readonly variable: string } | { readonly unread: true })

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
    if (isVariable(choice.condition, modules)) {
      return [...read(choice.yes).map(only('if_set')), ...read(choice.no).map(only('if_unset'))]
    }
    const isRelease = holdsInRelease(choice.condition, modules, depth + 1)
    return [
      ...(isRelease === false ? read(choice.yes).map(only('development')) : read(choice.yes)),
      ...(isRelease === true ? read(choice.no).map(only('development')) : read(choice.no)),
    ]
  }
  const [first, ...others] = splitAt(bare, ['||', '??'])
  if (first && others.length > 0) {
    return [...read(first), ...others.flatMap((one) => read(one).map(only('fallback')))]
  }
  const parts = path.length === 0 ? partsOf(bare) : undefined
  if (parts) return joined(parts, read) ?? unread
  const literal = /^(['"`])([^'"`$]*)\1$/.exec(bare.text)?.[2]
  if (literal !== undefined) return path.length === 0 ? [{ ...place, literal }] : unread
  const variable = wholeVariable(bare.text)
  if (variable !== undefined) return [{ ...place, variable }]

  // Of a list the first member is what is used; the others are there while it is changed.
  if (bare.text.startsWith('[')) {
    const [head] = splitAt(part(bare, 1, bare.text.length - 1), [','])
    return head ? read(head) : unread
  }
  if (bare.text.startsWith('{')) {
    const [step] = path
    const values = membersAt(bare, step).flatMap(({ name, value }) =>
      step === undefined && stageOf(name) === false
        ? read(value, path.slice(1)).map(only('development'))
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
  const given = argumentsIn(bare).flatMap((one) => read(one, []))
  const named = given.find((value) => 'variable' in value)
  if (named) return [named]
  const inside = variableIn(bare.text)
  return inside === undefined ? unread : [{ ...place, variable: inside }]
}

const only =
  (when: NonNullable<Value['only']>) =>
  (value: Value): Value =>
    when === 'development' ? { ...value, only: when } : { only: when, ...value }

/** Whether a condition is no more than that a variable of the environment is set. */
function isVariable({ source, text }: Expression, modules: Modules): boolean {
  const bare = text.trim()
  const chain = chainIn(bare)
  const found = chain && behind(chain.root, chain.path, source, modules)
  return wholeVariable(bare) !== undefined || (found !== undefined && 'variable' in found)
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
