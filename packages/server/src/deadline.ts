/** Waits for work, and rejects with the error of `expired` after `timeoutMs`; the work itself is not stopped. */
export async function withDeadline<T>(
  timeoutMs: number,
  expired: () => Error,
  work: () => Promise<T>,
): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  try {
    const settled = work()
    const expiry = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(expired()), timeoutMs)
    })
    return await Promise.race([settled, expiry])
  } finally {
    clearTimeout(timer)
  }
}

/** Runs work whose signal aborts with the error of `expired` after `timeoutMs`, and in any case once it has settled. */
export async function withAbortableDeadline<T>(
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

/** Waits for shared work until the signal aborts; the work itself goes on. */
export function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const giveUp = () => reject(signal.reason)
    signal.addEventListener('abort', giveUp)
    if (signal.aborted) giveUp()
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', giveUp))
  })
}
