/**
 * Calls `expire` after `timeoutMs`; returns the function that prevents it. When this process was stopped, or too busy to
 * look, what it waits for may have come long ago: then it gets as much time again as the timer is late.
 */
function onExpiry(timeoutMs: number, expire: () => void): () => void {
  const dueMs = performance.now() + timeoutMs
  let timer = setTimeout(() => {
    const lateMs = performance.now() - dueMs
    if (lateMs < usualLatenessMs) return expire()
    timer = setTimeout(expire, Math.min(lateMs, timeoutMs))
  }, timeoutMs)
  return () => clearTimeout(timer)
}

const usualLatenessMs = 5

/** Waits for work, and rejects with the error of `expired` after `timeoutMs`; the work itself is not stopped. */
export async function withDeadline<T>(
  timeoutMs: number,
  expired: () => Error,
  work: () => Promise<T>,
): Promise<T> {
  let cancel: (() => void) | undefined
  try {
    const settled = work()
    const expiry = new Promise<never>((_, reject) => {
      cancel = onExpiry(timeoutMs, () => reject(expired()))
    })
    return await Promise.race([settled, expiry])
  } finally {
    cancel?.()
  }
}

/** Runs work whose signal aborts with the error of `expired` after `timeoutMs`, and in any case once it has settled. */
export async function withAbortableDeadline<T>(
  timeoutMs: number,
  expired: () => Error,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController()
  const cancel = onExpiry(timeoutMs, () => controller.abort(expired()))
  try {
    return await work(controller.signal)
  } finally {
    cancel()
    controller.abort()
  }
}

/** Waits for shared work until the signal aborts; the work itself goes on. */
export function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const giveUp = () => reject(signal.reason)
    signal.addEventListener('abort', giveUp)
    if (signal.aborted) giveUp()
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', giveUp))
  })
}
