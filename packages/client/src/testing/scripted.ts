/** What a test ordered to happen: a few times in turn, or from now on. */
export interface Orders<S, B> {
  /** Without `times` the order stands until a newer one that matches. */
  add(matches: (subject: S) => boolean, behaviour: B, times: number | undefined): void
  /** What happens to this one; counts down the order that it used. */
  next(subject: S): B
}

/** `usual` is what happens without any order. */
export function createOrders<S, B>(usual: B): Orders<S, B> {
  interface Order {
    readonly matches: (subject: S) => boolean
    readonly behaviour: B
    timesLeft: number
  }
  const counted: Order[] = []
  const standing: Order[] = []
  return {
    add(matches, behaviour, times) {
      const order = { matches, behaviour, timesLeft: times ?? Number.POSITIVE_INFINITY }
      if (times === undefined) standing.unshift(order)
      else counted.push(order)
    },

    next(subject) {
      const order = [...counted, ...standing].find(
        ({ matches, timesLeft }) => timesLeft > 0 && matches(subject),
      )
      if (!order) return usual
      order.timesLeft -= 1
      return order.behaviour
    },
  }
}
