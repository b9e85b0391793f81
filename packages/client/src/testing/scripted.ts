/** What a test has scripted: each behaviour for a number of times, or from now on. */
export interface Scripted<S, B> {
  /** Without `times` it holds until a newer one matches. */
  add(step: {
    readonly matches: (subject: S) => boolean
    readonly behaviour: B
    readonly times: number | undefined
  }): void
  /** How this one behaves; counts as one of its times. */
  next(subject: S): B
}

/** `usual` is the behaviour where nothing is scripted. */
export function createScripted<S, B>(usual: B): Scripted<S, B> {
  interface Step {
    readonly matches: (subject: S) => boolean
    readonly behaviour: B
    timesLeft: number
  }
  const counted: Step[] = []
  const standing: Step[] = []
  return {
    add({ matches, behaviour, times }) {
      const step = { matches, behaviour, timesLeft: times ?? Number.POSITIVE_INFINITY }
      if (times === undefined) standing.unshift(step)
      else counted.push(step)
    },

    next(subject) {
      const step = [...counted, ...standing].find(
        ({ matches, timesLeft }) => timesLeft > 0 && matches(subject),
      )
      if (!step) return usual
      step.timesLeft -= 1
      return step.behaviour
    },
  }
}
