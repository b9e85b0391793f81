import { inspect } from 'node:util'
import { expect } from 'vitest'

/** A text as it would look after the usual ways of writing it down. */
const spellings = (text: string) => [
  text,
  encodeURIComponent(text),
  new URLSearchParams({ '': text }).toString().slice(1),
  JSON.stringify(text).slice(1, -1),
  Buffer.from(text).toString('hex'),
  Buffer.from(text).toString('base64').replace(/=+$/, ''),
  Buffer.from(text).toString('base64url'),
]

/** Fails when one of the secrets stands anywhere in the values, in whatever spelling. */
export function expectNone(
  secrets: Readonly<Record<string, string>>,
  what: string,
  values: readonly unknown[],
): void {
  const text = values
    .map(
      (value) =>
        inspect(value, {
          depth: Number.POSITIVE_INFINITY,
          showHidden: true,
          maxStringLength: null,
        }) + toJson(value),
    )
    .join('\n')
  for (const [name, secret] of Object.entries(secrets)) {
    for (const spelling of spellings(secret)) {
      expect(text.includes(spelling), `${name} in ${what}`).toBe(false)
    }
  }
}

const toJson = (value: unknown): string =>
  JSON.stringify(value, (_key, member: unknown) =>
    member instanceof Error ? { ...member, cause: member.cause } : member,
  ) ?? ''
