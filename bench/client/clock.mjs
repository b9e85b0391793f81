/**
 * Time that passes as fast as the work in it: a timer runs when everything before it has run, promises included.
 * Nobody is late because the machine is slow, so that four seconds are the same four seconds for all.
 */
export function createClock(startMs = 1_800_000_000_000) {
  let nowMs = startMs
  let ids = 0
  let awaited = 0
  const timers = new Map()

  function setTimeout(run, ms = 0, ...args) {
    timers.set(++ids, { atMs: nowMs + Math.max(0, Number(ms) || 0), run: () => run(...args) })
    return ids
  }

  function setInterval(run, ms, ...args) {
    const id = setTimeout(again, ms)
    function again() {
      timers.set(id, { atMs: nowMs + Math.max(1, ms), run: again })
      run(...args)
    }
    return id
  }

  const clear = (id) => void timers.delete(id)

  /** The earliest; of several at the same time the one that was set first. */
  function nextUntil(endMs) {
    let next
    for (const [id, { atMs }] of timers) {
      if (atMs <= endMs && (next === undefined || atMs < timers.get(next).atMs)) next = id
    }
    return next
  }

  // Promises' reactions all run before an immediate does; a server's work may take more than one.
  async function settle() {
    do await new Promise((resolve) => setImmediate(resolve))
    while (awaited > 0)
  }

  return {
    now: () => nowMs,
    setTimeout,
    setInterval,
    clearTimeout: clear,
    clearInterval: clear,

    /** Time stands still until this has ended. */
    async waitFor(work) {
      awaited++
      try {
        await work
      } finally {
        awaited--
      }
    },

    async pass(ms) {
      const endMs = nowMs + ms
      await settle()
      for (let id = nextUntil(endMs); id !== undefined; id = nextUntil(endMs)) {
        const { atMs, run } = timers.get(id)
        timers.delete(id)
        nowMs = atMs
        run()
        await settle()
      }
      nowMs = endMs
    },
  }
}
