import { type Expression, expressionAt } from './expression.js'
import type { Modules, Source } from './source.js'
import { type Value, valuesOf } from './values.js'

/** What an option is set to: a text, or a variable of the environment. */
export type Setting = Exclude<Value, { readonly unread: true }>

/** Every value that an option may have, wherever it stands in a file. */
export function settingsOf(option: string, source: Source, modules: Modules): readonly Value[] {
  const { code } = source
  const places = code.matchAll(new RegExp(`(?<![\\w$.])${option}\\s*:\\s*`, 'g'))
  const shorthands = code.matchAll(new RegExp(`(?<=[{,]\\s*)${option}(?=\\s*[,}])`, 'g'))
  const expressions: readonly Expression[] = [
    ...[...places]
      .map((match) => expressionAt(source, match.index + match[0].length))
      .filter(({ text }) => !isType.test(text)),
    ...[...shorthands].map((match) => ({ source, start: match.index, text: match[0] })),
  ]
  const seen = new Map<string, Value>()
  for (const value of expressions.flatMap((one) => valuesOf(one, modules))) {
    seen.set(JSON.stringify(value), value)
  }
  return [...seen.values()]
}

const isType = /^\s*(?:string|URL|undefined)\b/

/** What it is set to in a release, without what only stands in for what is not set. */
export const isSetting = (value: Value): value is Setting =>
  !('unread' in value) && (value.only === undefined || value.only === 'if_unset')
