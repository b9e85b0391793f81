/** What becomes of an answer: it comes twice, or again when nobody waits for it, or so late that nobody does. */
export type Mishap = 'twice' | 'again later' | 'late' | 'never'

interface Callbacks<S, F> {
  success?: ((result: S) => void) | undefined
  fail?: ((failure: F) => void) | undefined
}

// Longer than any deadline of the client.
const lateMs = 40_000

export type Tampering = ReturnType<typeof createTampering>

/** Callbacks of `wx` that misbehave, now and then, as on real phones. */
export function createTampering({
  pause,
  count,
}: {
  pause: (what: string) => Promise<unknown>
  count: (what: string) => void
}) {
  let planned: Mishap[] = []

  function tampered<V>(give: ((value: V) => void) | undefined, mishap: Mishap | undefined) {
    return (value: V): void => {
      if (!give) return
      if (mishap === 'never') return
      if (mishap === 'late') {
        setTimeout(() => give(value), lateMs)
        return
      }
      give(value)
      if (mishap === 'twice') give(value)
      if (mishap === 'again later') pause('repeats a callback').then(() => give(value))
    }
  }

  return {
    plan: (mishap: Mishap) => void planned.push(mishap),

    calm(): void {
      planned = []
    },

    /** The callbacks that `wx` gets instead; those of a process that died are not called. */
    of<S, F>({ success, fail }: Callbacks<S, F>, isAlive: () => boolean) {
      const mishap = planned.shift()
      if (mishap) count(`callback: ${mishap}`)
      const living =
        <V>(give: ((value: V) => void) | undefined) =>
        (value: V) => {
          if (isAlive()) give?.(value)
        }
      return {
        success: tampered(living(success), mishap),
        fail: tampered(living(fail), mishap),
      }
    },
  }
}
