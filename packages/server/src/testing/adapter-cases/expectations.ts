import { inspect, isDeepStrictEqual } from 'node:util'
import type { Answer } from './exchange.js'

export function expectEqual(actual: unknown, expected: unknown, what: string): void {
  if (isDeepStrictEqual(actual, expected)) return
  throw new Error(`${what}: expected ${shown(expected)}, got ${shown(actual)}`)
}

export function expectStatus({ what, status, text }: Answer, ...expected: readonly number[]): void {
  if (expected.includes(status)) return
  throw new Error(
    `${what}: expected status ${expected.join(' or ')}, got ${status} with ${shown(text)}`,
  )
}

/** A body of its own, as whatever comes behind an adapter may answer 200 too. */
export function expectTokens(answer: Answer): void {
  expectStatus(answer, 200)
  expectBody(answer, { token_type: 'Bearer' })
}

/** Looks at the named members only. */
export function expectBody(
  { what, status, text, body }: Answer,
  expected: Readonly<Record<string, unknown>>,
): void {
  const members = new Map(Object.entries(body ?? {}))
  for (const [name, value] of Object.entries(expected)) {
    if (isDeepStrictEqual(members.get(name), value)) continue
    throw new Error(
      `${what}: expected ${shown({ [name]: value })} in the body, got ${status} with ${shown(text)}`,
    )
  }
}

export function expectHeaders(
  { what, header }: Answer,
  expected: Readonly<Record<string, string>>,
): void {
  for (const [name, value] of Object.entries(expected)) {
    expectEqual(header(name), value, `${what}, the header ${name} of the answer`)
  }
}

/** What came over a bare connection. */
export function expectRaw(received: string, expected: RegExp, what: string): void {
  if (expected.test(received)) return
  throw new Error(`${what}: expected an answer like ${expected}, got ${shown(received)}`)
}

/** The text member of this name. */
export function textIn({ what, text, body }: Answer, name: string): string {
  const value = new Map<string, unknown>(Object.entries(body ?? {})).get(name)
  if (typeof value === 'string') return value
  throw new Error(`${what}: expected ${JSON.stringify(name)} in the body, got ${shown(text)}`)
}

function shown(value: unknown): string {
  const text = typeof value === 'string' ? JSON.stringify(value) : inspect(value, { depth: 4 })
  return text.length > 300 ? `${text.slice(0, 300)}…` : text
}
