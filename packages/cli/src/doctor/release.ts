import { chainIn, type Expression, part, splitAt, stripped } from './expression.js'
import { behind } from './names.js'
import type { Modules } from './source.js'

const maxDepth = 12

const ofRelease = /^(?:prod|production|release|released|online|live|formal)$/
const ofDevelopment =
  /^(?:dev|devs|develop|developing|development|devtools|debug|debugging|local|localhost|test|testing|mock|mocked|sandbox|stage|staging|trial|preview|uat|beta)$/

/** Whether a name says release (`true`) or development (`false`), in a word of its own: `device` says neither. */
export function stageOf(name: string): boolean | undefined {
  const words = name
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^a-z]+/)
  const isRelease = words.some((word) => ofRelease.test(word))
  const isDevelopment = words.some((word) => ofDevelopment.test(word))
  return isRelease === isDevelopment ? undefined : isRelease
}

/** Whether a condition holds in a release, if that can be told. */
export function holdsInRelease(
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
