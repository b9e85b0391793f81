import { describe, expect, test } from 'vitest'
import { requirements } from '../../src/conform/requirements.js'
import { alterations } from './alterations.js'
import { type Fault, faults } from './faults.js'
import { conformAltered, conformFaulty } from './set-up.js'

test('in the small server without a fault nothing is found', async () => {
  const { exit, failures, found } = await conformFaulty()

  expect(failures()).toEqual([])
  expect(exit).toBe(0)
  expect(found().passed).toBeGreaterThan(60)
})

/** All of them are run by `npm run long`. */
const few: readonly Fault[] = [
  'session-key-answered',
  'retry-mints-another',
  'race-gives-two',
  'previous-ended-early',
  'down-as-401',
  'any-method',
]
const isAll = process.env.CONFORM_FAULTS === 'all'
const chosen = isAll ? (Object.keys(faults) as Fault[]) : few

/** Nobody outside can tell: it takes longer than a run. */
const unseen: readonly Fault[] = ['expired-token-opens']

/** Requirements that were seen broken, and found so. */
const seenBroken = new Set<string>()

describe('a fault is found', () => {
  const rows: string[][] = []

  test.each(chosen)('%s', async (fault) => {
    const { exit, found } = await conformFaulty(fault)

    const broken = found().requirements.filter(({ outcome }) => outcome === 'failed')
    for (const { id } of broken) seenBroken.add(id)
    const names = new Set(
      broken.flatMap(({ failures }) => failures.map(({ scenario }) => scenario)),
    )
    const isDemanded = broken.some(({ level }) => level === 'MUST')
    const level = broken.length === 0 ? '' : isDemanded ? 'MUST' : 'SHOULD'
    const more = names.size > 3 ? [`and ${names.size - 3} more`] : []
    const shown = [...[...names].slice(0, 3), ...more].join(', ')
    rows.push([fault, level, broken.map(({ id }) => id).join(' '), shown])
    if (unseen.includes(fault)) return expect(broken).toEqual([])
    expect(broken).not.toEqual([])
    expect(exit).toBe(isDemanded ? 1 : 0)
  })

  test('by these scenarios', () => {
    if (isAll) console.log(rows.map((row) => `| ${row.join(' | ')} |`).join('\n'))

    const isFound = rows.filter(([, level]) => level !== '')
    expect(isFound).toHaveLength(chosen.filter((fault) => !unseen.includes(fault)).length)
  })
})

test('39 of 40 can be found', () => {
  const all = Object.keys(faults)

  expect(all).toHaveLength(40)
  expect(all.length - unseen.length).toBe(39)
})

describe('what none of them breaks is broken by something between', () => {
  const ids = Object.keys(alterations)

  test.each(isAll ? ids : ['S-LOGOUT-4', 'S-JWKS-1'])('%s', async (id) => {
    const found = await conformAltered(id, alterations[id] ?? {})

    expect(found?.outcome).toBe('failed')
    seenBroken.add(id)
  })

  test('so that each requirement that is looked at can fail', () => {
    const looked = requirements.filter(({ unseen }) => !unseen).map(({ id }) => id)

    const never = looked.filter((id) => !seenBroken.has(id))

    expect(isAll ? never : []).toEqual([])
    expect(ids.filter((id) => !looked.includes(id))).toEqual([])
  })
})
