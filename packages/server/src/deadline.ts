/** Waits so long for work, and then rejects with what `expired` makes. Work that goes on is not waited for. */
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

/** Gives work so long that can be stopped: its signal aborts with the error then, and in any case once it has ended. */
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

/** Stops waiting for work that others wait for too when the signal aborts. */
export function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const giveUp = () => reject(signal.reason)
    signal.addEventListener('abort', giveUp)
    if (signal.aborted) giveUp()
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', giveUp))
  })
}
