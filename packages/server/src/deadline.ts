/** Waits for work, and rejects with the error of `expired` after `timeoutMs`; the work itself is not stopped. */
export async function withDeadline<T>(
  timeoutMs: number,
  expired: () => Error,
  work: () => Promise<T>,
): Promise<T> {
  let stop = () => {}
  try {
    const settled = work()
    const expiry = new Promise<never>((_, reject) => {
      stop = startTimer(timeoutMs, () => reject(expired()))
    })
    return await Promise.race([settled, expiry])
  } finally {
    stop()
  }
}

/**
 * Calls back after `delayMs`, unless the returned function was called before. After the event loop was blocked, timers run
 * before sockets are read: what has arrived in time is handled first, so that it does not count as late.
 */
export function startTimer(delayMs: number, callBack: () => void): () => void {
  let turn: NodeJS.Immediate | undefined
  const timer = setTimeout(() => {
    turn = setImmediate(callBack)
  }, delayMs)
  return () => {
    clearTimeout(timer)
    clearImmediate(turn)
  }
}

/** Runs work whose signal aborts with the error of `expired` after `timeoutMs`, and in any case once it has settled. */
export async function withAbortableDeadline<T>(
  timeoutMs: number,
  expired: () => Error,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController()
  const stop = startTimer(timeoutMs, () => controller.abort(expired()))
  try {
    return await work(controller.signal)
  } finally {
    stop()
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
