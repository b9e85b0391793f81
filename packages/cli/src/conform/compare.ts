import { isDeepStrictEqual } from 'node:util'
import type { Answer } from './exchange.js'
import type { Expected, Member } from './scenario.js'
import type { Values } from './values.js'

/** What was expected and did not come, in words that are the same in every language; empty if all came. */
export function differences(expected: Expected, answer: Answer, values: Values): string[] {
  const { status, members = {}, headers = {}, hasBody, atMostBytes } = expected
  const statuses = typeof status === 'number' ? [status] : (status ?? [answer.status])
  return [
    ...(statuses.includes(answer.status) ? [] : [`status ${statuses.join(' / ')}`]),
    ...memberDifferences(members, answer.members, values),
    ...Object.entries(headers).flatMap(([name, pattern]) =>
      new RegExp(pattern, 'i').test(answer.headers[name.toLowerCase()] ?? '')
        ? []
        : [`header ${name}: ${pattern}`],
    ),
    ...(hasBody === false && answer.text !== '' ? ['no body'] : []),
    ...(Buffer.byteLength(answer.text) > (atMostBytes ?? Number.POSITIVE_INFINITY)
      ? [`at most ${atMostBytes} bytes`]
      : []),
  ]
}

export function memberDifferences(
  wanted: Readonly<Record<string, Member>>,
  members: Readonly<Record<string, unknown>>,
  values: Values,
): string[] {
  return Object.entries(wanted).flatMap(([name, member]) =>
    holds(member, members[name], values) ? [] : [`${name} ${inWords(member)}`],
  )
}

/** References in what is expected that stand for nothing. */
export function missingIn(
  members: Readonly<Record<string, Member>> | undefined,
  values: Values,
): string | undefined {
  for (const member of Object.values(members ?? {})) {
    if (member === 'absent') continue
    const missing =
      'is' in member
        ? values.missing(member.is)
        : 'isNot' in member
          ? values.missing(member.isNot)
          : undefined
    if (missing !== undefined) return missing
  }
  return undefined
}

function holds(member: Member, value: unknown, values: Values): boolean {
  if (member === 'absent') return value === undefined
  if ('is' in member) return isDeepStrictEqual(value, values.filled(member.is))
  if ('isNot' in member) return value !== undefined && value !== values.filled(member.isNot)
  if ('oneOf' in member) return member.oneOf.some((one) => one === value)
  if ('noneOf' in member) return !member.noneOf.some((one) => one === value)
  if ('atLeast' in member) {
    const { atLeast, atMost = Number.POSITIVE_INFINITY } = member
    return Number.isSafeInteger(value) && Number(value) >= atLeast && Number(value) <= atMost
  }
  if (member.kind === 'text') return typeof value === 'string' && value !== ''
  if (member.kind === 'boolean') return typeof value === 'boolean'
  return Array.isArray(value) && value.length > 0 && value.every(isPublicKey)
}

// RFC 7518 §6: what only the owner of a key has, and the key of a symmetric algorithm.
const privateMembers = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k']

function isPublicKey(key: unknown): boolean {
  if (typeof key !== 'object' || key === null) return false
  return 'kty' in key && privateMembers.every((name) => !(name in key))
}

function inWords(member: Member): string {
  if (member === 'absent') return 'absent'
  if ('is' in member) return JSON.stringify(member.is)
  if ('isNot' in member) return `other than ${member.isNot}`
  if ('oneOf' in member) return member.oneOf.join(' / ')
  if ('noneOf' in member) return `none of ${member.noneOf.join(', ')}`
  if ('atLeast' in member) {
    const { atLeast, atMost } = member
    return atMost === undefined ? `integer ≥ ${atLeast}` : `integer ${atLeast}–${atMost}`
  }
  return { text: 'a string', boolean: 'true / false', 'public keys': 'public keys' }[member.kind]
}
