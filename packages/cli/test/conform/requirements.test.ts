import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { requirements } from '../../src/conform/requirements.js'
import { requirementsIn, scenarios } from '../../src/conform/scenarios.js'
import { watches } from '../../src/conform/watches.js'

const page = (name: string) =>
  readFileSync(new URL(`../../../../docs/${name}`, import.meta.url), 'utf8')

/** The table at the end of the specification: what it demands of servers. */
const rowsOf = (text: string) =>
  [...text.matchAll(/^\| \[(S-[A-Z]+-\d+)\]\(#\1\) \| (MUST|SHOULD) \| (.+) \|$/gm)].map(
    ([, id, level, line]) => ({ id, level, line }),
  )

const looked = new Set([
  ...scenarios.flatMap((scenario) => requirementsIn(scenario)),
  ...watches.flatMap(({ of }) => of),
])

test.each([
  ['wire.md', 'en'],
  ['wire.zh-CN.md', 'zh'],
] as const)('the requirements are those of docs/%s', (name, language) => {
  const own = requirements.map(({ id, level, about }) => ({ id, level, line: about[language] }))

  expect(own).toEqual(rowsOf(page(name)))
})

test('what scenarios name is a requirement, and each requirement is looked at, or it is said why not', () => {
  const ids = requirements.map(({ id }) => id)

  expect([...looked].filter((id) => !ids.includes(id))).toEqual([])
  for (const { id, unseen } of requirements) {
    expect([id, unseen !== undefined]).toEqual([id, !looked.has(id)])
  }
})

test.each(['conform.md', 'conform.zh-CN.md'])(
  'docs/%s names what nobody looks at, and nothing else',
  (name) => {
    const named = [...page(name).matchAll(/\[(S-[A-Z]+-\d+)\]\(wire(?:\.zh-CN)?\.md#\1\)/g)]
    const left = requirements.filter(({ unseen, level }) => unseen && level === 'MUST')

    expect(named.map(([, id]) => id).sort()).toEqual(left.map(({ id }) => id).sort())
  },
)

test('scenarios are data, with names of their own', () => {
  const names = scenarios.map(({ name }) => name)

  expect(JSON.parse(JSON.stringify(scenarios))).toEqual(scenarios)
  expect(new Set(names).size).toBe(names.length)
  for (const name of names) expect(name).toMatch(/^[a-z]+(-[a-z]+)*$/)
})
