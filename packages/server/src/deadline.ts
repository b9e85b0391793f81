/** Gives work so long. Its signal aborts with `expired()` then, and without a reason once the work has ended. */
export async function within<T>(
  timeoutMs: number,
  expired: () => Error,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController()
  const timer = setTimeout(() => controller.abort(expired()), timeoutMs)
  try {
    return await work(controller.signal)
  } finally {
    clearTimeout(timer)
    controller.abort()
  }
}

/** Stops waiting for work when the signal aborts, also for work that does not look at the signal. */
export function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const giveUp = () => reject(signal.reason)
    signal.addEventListener('abort', giveUp)
    if (signal.aborted) giveUp()
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', giveUp))
  })
}
