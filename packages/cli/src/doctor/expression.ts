import type { Source } from './source.js'

/** A part of a program. */
export interface Expression {
  readonly source: Source
  /** Where it starts in the code. */
  readonly start: number
  readonly text: string
}

/** What follows a name: `.api`, `['api']`, or `[nobody knows]`. */
export type Step = string | undefined

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

export function part(
  { source, start, text }: Expression,
  from: number,
  to = text.length,
): Expression {
  return { source, start: start + from, text: text.slice(from, to) }
}

// What changes a text, and not where it comes from.
const changes = /\??\.(?:trim|trimStart|trimEnd|replace|replaceAll|split|toString)\s*\(/g

/** Without blanks, brackets around it, what types say, and what only trims it. */
export function stripped(expression: Expression): Expression {
  const { text } = expression
  const blanks = text.length - text.trimStart().length
  const trimmed = part(expression, blanks, text.trimEnd().length)
  const typed = /\s+(?:as|satisfies)\s+[\w.<>[\]'"| ]+$|!$/.exec(trimmed.text)
  if (typed && !/^["'`]/.test(trimmed.text)) return stripped(part(trimmed, 0, typed.index))
  const [changed] = [...trimmed.text.matchAll(changes)].filter(
    ({ 0: call, index }) =>
      closing(trimmed.text, index + call.length - 1) === trimmed.text.length - 1,
  )
  if (changed) return stripped(part(trimmed, 0, changed.index))
  const frozen = /^Object\.freeze\s*(?=\()/.exec(trimmed.text)?.[0].length ?? 0
  const isBracketed =
    trimmed.text[frozen] === '(' && closing(trimmed.text, frozen) === trimmed.text.length - 1
  return isBracketed ? stripped(part(trimmed, frozen + 1, trimmed.text.length - 1)) : trimmed
}

/** Where the bracket that opens here is closed. */
export function closing(text: string, start: number): number {
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
export function splitAt(expression: Expression, signs: readonly string[]): readonly Expression[] {
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

export function conditionalIn(expression: Expression) {
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

/** `name.of['a'][member]` */
export function chainIn(text: string): { root: string; path: readonly Step[] } | undefined {
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
export function membersAt(object: Expression, step: Step) {
  const inside = part(object, 1, object.text.length - 1)
  const members = splitAt(inside, [',']).flatMap((member) => {
    const [, blanks = '', , quoted, plain = quoted, colon] =
      /^(\s*)(?:(['"`])([^'"`]+)\2|([A-Za-z_$][\w$]*))\s*(:)?/.exec(member.text) ?? []
    if (plain === undefined) return []
    const from = colon === undefined ? blanks.length : member.text.indexOf(colon) + 1
    return [{ name: plain, value: part(member, from) }]
  })
  return step === undefined ? members : members.filter(({ name }) => name === step)
}

/** What is given to a function, if the expression is nothing but its call. */
export function argumentsIn(expression: Expression): readonly Expression[] {
  const { text } = expression
  const open = /^[\w$.]+\s*\(/.exec(text)?.[0].length ?? 0
  if (open === 0 || closing(text, open - 1) !== text.length - 1) return []
  return splitAt(part(expression, open, text.length - 1), [','])
}
