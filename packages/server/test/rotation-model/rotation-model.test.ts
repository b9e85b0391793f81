import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { identityOf } from './identity.js'
import { promises } from './promises.js'
import { createRealServer, recordsOf } from './real-server.js'
import { brokenRules, realRules } from './rules.js'
import { search } from './search.js'
import { begin, type State } from './state.js'
import { type Bounds, stepsFrom } from './steps.js'
import { take } from './take.js'
import { tell } from './tell.js'
import { nothing, shallow, worlds } from './worlds.js'

const pages = [
  { language: 'en', page: read('docs/security/rotation-model.md') },
  { language: 'zh', page: read('docs/security/rotation-model.zh-CN.md') },
] as const

describe('the real rules', () => {
  test('break no promise in short stories in which everything may happen', () => {
    const { bounds, depth } = shallow
    const { broken, isComplete, states } = search({ rules: realRules, bounds, depth })

    expect(broken).toBeUndefined()
    expect(isComplete).toBe(false)
    expect(states).toBeGreaterThan(10_000)
  })

  test('break none on bad networks and with a store that fails over twice, however long the story', () => {
    const [network] = worlds
    const { bounds } = network ?? shallow
    const { broken, isComplete } = search({ rules: realRules, bounds, depth: 1000 })

    expect(broken).toBeUndefined()
    expect(isComplete).toBe(true)
  })
})

describe('broken rules', () => {
  test.each(brokenRules)('are rejected, with a story that the docs tell: $name', (broken) => {
    const { rules, bounds } = broken
    const found = search({ rules, bounds: { ...nothing, ...bounds }, depth: 12 })

    expect(found.broken).toBeDefined()
    if (!found.broken) return
    for (const { language, page } of pages) {
      expect(page).toContain(broken[language])
      expect(page).toContain(`\`\`\`text\n${tell(found.broken, rules, language)}\n\`\`\`\n`)
    }
  })
})

describe('the docs name', () => {
  test.each(Object.values(promises))('the promise: $en', (promise) => {
    for (const { language, page } of pages) expect(page).toContain(promise[language])
  })

  test.each(worlds)('what may happen: $en', (world) => {
    for (const { language, page } of pages) expect(page).toContain(`| ${world[language]} | `)
  })
})

// Nothing is left out because two states are taken for one: whoever tells them apart by every number in them finds the
// same ones.
test.each([
  { name: 'when everything may happen', bounds: shallow.bounds, depth: 4 },
  { name: 'on bad networks', bounds: { ...nothing, failovers: 2 }, depth: 12 },
  { name: 'with a thief', bounds: { ...nothing, thefts: 1, failovers: 1 }, depth: 6 },
])('states that count as one lead to states that count as one $name', ({ bounds, depth }) => {
  const apart = new Map([[JSON.stringify(begin()), begin()]])
  let level = [begin()]
  for (let at = 0; at < depth; at++) {
    const next: State[] = []
    for (const outcome of level.flatMap((state) => outcomesOf(state, bounds))) {
      const text = JSON.stringify(outcome)
      if (apart.has(text)) continue
      apart.set(text, outcome)
      next.push(outcome)
    }
    level = next
  }
  const identities = new Set([...apart.values()].map(identityOf))

  const { states } = search({ rules: realRules, bounds, depth })

  expect(states).toBe(identities.size)
  expect(apart.size).toBeGreaterThan(states * 1.3)
})

describe('the real server', () => {
  test('does what the model says, in every step of hundreds of stories', async () => {
    const seen = new Set<string>()
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(), { minLength: 5, maxLength: 30 }), async (choices) => {
        const server = await createRealServer()
        let state = begin()
        for (const choice of choices) {
          const next = choose(state, choice)
          if (!next) continue
          const { step, outcome } = next
          const answer = await server.take(step, outcome, state)
          state = outcome.state
          server.setUser(state.user)
          seen.add(`${step.do}: ${outcome.verdict ?? 'done'}`)

          if (typeof answer === 'object') {
            expect(server.learn(outcome.answer ?? 'nothing', answer)).toBe(true)
          } else expect(answer).toBe(answersTo.includes(step.do) ? outcome.answer : undefined)
          expect(server.records(), JSON.stringify(step)).toEqual(recordsOf(state))
        }
      }),
      { numRuns: 500, seed: 20_261_128 },
    )

    for (const what of verdicts) expect([...seen]).toContain(what)
  })
})

const verdicts = [
  'judge: rotated',
  'judge: retried',
  'judge: reused',
  'judge: refused',
  'present: rotated',
  'present: retried',
  'present: healed',
  'present: reused',
  'write: rotated',
  'write: refused',
  'tell: ended',
  'end: reused',
  'phone: done',
  'fail over: done',
]

// The other steps are the phone's, or are answered with nothing.
const answersTo = ['judge', 'present', 'write']

function choose(state: State, choice: number) {
  const steps = stepsFrom(state, realRules, { ...shallow.bounds, weeks: 2 })
  const step = steps[choice % steps.length]
  const outcome = step && take(state, step, realRules)
  return outcome && { step, outcome }
}

const outcomesOf = (state: State, bounds: Bounds): State[] =>
  stepsFrom(state, realRules, bounds).flatMap((step) => take(state, step, realRules)?.state ?? [])

function read(path: string): string {
  return readFileSync(new URL(`../../../../${path}`, import.meta.url), 'utf8')
}
