import { describe, expect, test } from 'vitest'
import { type Fault, faults } from './faults.js'
import { conformFaulty } from './set-up.js'

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
  'reuse-only-refused',
  'race-gives-two',
  'previous-ended-early',
  'everywhere-unread',
  'down-as-401',
  'any-method',
]
const chosen = process.env.CONFORM_FAULTS === 'all' ? (Object.keys(faults) as Fault[]) : few

/** Nobody outside can tell: it takes longer than a run. */
const unseen: readonly Fault[] = ['expired-token-opens']

describe('a fault is found', () => {
  const rows: string[][] = []

  test.each(chosen)('%s', async (fault) => {
    const { exit, found } = await conformFaulty(fault)

    const broken = found().requirements.filter(({ outcome }) => outcome === 'failed')
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
    if (chosen.length > few.length)
      console.log(rows.map((row) => `| ${row.join(' | ')} |`).join('\n'))

    const isFound = rows.filter(([, level]) => level !== '')
    expect(isFound).toHaveLength(chosen.filter((fault) => !unseen.includes(fault)).length)
  })
})

test('39 of 40 can be found', () => {
  const all = Object.keys(faults)

  expect(all).toHaveLength(40)
  expect(all.length - unseen.length).toBe(39)
})
