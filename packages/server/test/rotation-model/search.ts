import { brokenInCalm, type CalmStep } from './calm.js'
import { identityOf } from './identity.js'
import type { PromiseName } from './promises.js'
import type { Rules } from './rules.js'
import { begin, type State } from './state.js'
import { type Bounds, type Outcome, type Step, stepsFrom } from './steps.js'
import { take } from './take.js'

export interface SearchOptions {
  readonly rules: Rules
  readonly bounds: Bounds
  /** How many steps a story has at most. */
  readonly depth: number
  readonly onDepth?: (depth: number, states: number) => void
}

export interface Found {
  readonly states: number
  readonly transitions: number
  /** The longest story that leads to something new. */
  readonly depth: number
  /** Whether nothing is left that has not been looked at. */
  readonly isComplete: boolean
  /** The shortest story that breaks a promise. */
  readonly broken?: Broken
}

export interface Broken {
  readonly promise: PromiseName
  readonly story: readonly Step[]
  /** What happens after it, if the promise is about that. */
  readonly calm: readonly CalmStep[]
}

/** Looks at every state that can be reached, those first that take the fewest steps. */
export function search({ rules, bounds, depth, onDepth }: SearchOptions): Found {
  const start = begin()
  const known = new Set([identityOf(start)])
  // How each state was reached: the number of the one before, and of the step from there.
  const parents: number[] = [-1]
  const choices: number[] = [-1]
  let level: { number: number; state: State }[] = [{ number: 0, state: start }]
  let transitions = 0
  let reached = 0

  const storyTo = (number: number, last?: Step): Step[] => {
    const numbers: number[] = []
    for (let at = number; at > 0; at = parents[at] ?? 0) numbers.unshift(at)
    const story: Step[] = []
    let state = start
    for (const at of numbers) {
      const step = stepsFrom(state, rules, bounds)[choices[at] ?? 0]
      const outcome = step && take(state, step, rules)
      if (!outcome) throw new Error('a story cannot be told again')
      story.push(step)
      state = outcome.state
    }
    return last ? [...story, last] : story
  }
  const found = (rest: Partial<Found>): Found => ({
    states: known.size,
    transitions,
    depth: reached,
    isComplete: false,
    ...rest,
  })

  while (level.length > 0 && reached < depth) {
    const next: typeof level = []
    for (const { number, state } of level) {
      const steps = stepsFrom(state, rules, bounds)
      for (const [choice, step] of steps.entries()) {
        const outcome: Outcome | undefined = take(state, step, rules)
        if (!outcome) continue
        transitions++
        if (outcome.broken) {
          reached++
          const story = storyTo(number, step)
          return found({ broken: { promise: outcome.broken, story, calm: [] } })
        }
        const identity = identityOf(outcome.state)
        if (known.has(identity)) continue
        known.add(identity)
        parents.push(number)
        choices.push(choice)
        const reachedBy = { number: parents.length - 1, state: outcome.state }
        const broken = brokenInCalm(outcome.state, rules)
        if (broken) {
          reached++
          const { promise, trail: calm } = broken
          return found({ broken: { promise, story: storyTo(reachedBy.number), calm } })
        }
        next.push(reachedBy)
      }
    }
    if (next.length > 0) reached++
    level = next
    onDepth?.(reached, known.size)
  }
  return found({ isComplete: level.length === 0 })
}
