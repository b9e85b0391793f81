/** Waits for work, and rejects with the error of `expired` after `timeoutMs`; the work itself is not stopped. */
export function withDeadline<T>(
  timeoutMs: number,
  expired: () => Error,
  work: () => Promise<T>,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = startTimer(timeoutMs, () => reject(expired()))
    const fail = (error: unknown) => {
      stop()
      reject(error)
    }
    try {
      work().then((result) => {
        stop()
        resolve(result)
      }, fail)
    } catch (error) {
      fail(error)
    }
  })
}

/**
 * Calls back after `delayMs`, unless the returned function was called before. What has arrived in time does not count as
 * late: after the event loop was blocked, timers run before sockets are read, so the call waits a turn; and where the timer
 * itself is late, because this process was stopped or busy, it waits as long again.
 */
export function startTimer(delayMs: number, callBack: () => void): () => void {
  const dueMs = performance.now() + delayMs
  let turn: NodeJS.Immediate | undefined
  let timer = setTimeout(() => {
    const lateMs = performance.now() - dueMs
    if (lateMs < usualLatenessMs) turn = setImmediate(callBack)
    else timer = setTimeout(callBack, Math.min(lateMs, delayMs))
  }, delayMs)
  return () => {
    clearTimeout(timer)
    clearImmediate(turn)
  }
}

const usualLatenessMs = 5

/** Runs work whose signal aborts with the error of `expired` after `timeoutMs`, or with its own once it has failed. */
export async function withAbortableDeadline<T>(
  timeoutMs: number,
  expired: () => Error,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController()
  const stop = startTimer(timeoutMs, () => controller.abort(expired()))
  try {
    return await work(controller.signal)
  } catch (error) {
    // Not after a success: nothing is left to stop then, and an abort without a reason of its own makes an exception.
    controller.abort(error)
    throw error
  } finally {
    stop()
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
