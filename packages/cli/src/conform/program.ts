import { spawn } from 'node:child_process'

/** A program that was started for a run. */
export interface Program {
  /** Resolves when it ends, by itself or not: whether it had been started at all. */
  readonly ended: Promise<{ readonly wasStarted: boolean }>
  hasEnded(): boolean
  /** Ends it, and whatever it has started. */
  end(): Promise<void>
}

export interface ProgramOptions {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly cwd: string
}

/** How long it may take to end when it is asked to. */
const graceMs = 5_000

/** What it says goes to where errors go. */
export function startProgram(
  [name = '', ...args]: readonly string[],
  { env, cwd }: ProgramOptions,
): Program {
  const isWindows = process.platform === 'win32'
  // A group of its own, so that a JVM that a build tool starts ends as well.
  const child = spawn(name, args, { env, cwd, stdio: ['ignore', 2, 2], detached: !isWindows })
  let isOver = false
  const ended = new Promise<{ wasStarted: boolean }>((tell) => {
    const over = (wasStarted: boolean) => {
      isOver = true
      tell({ wasStarted })
    }
    child.once('exit', () => over(true))
    child.once('error', () => over(child.pid !== undefined))
  })

  function send(signal: NodeJS.Signals): void {
    try {
      if (child.pid !== undefined) process.kill(isWindows ? child.pid : -child.pid, signal)
    } catch {
      // It has ended in the meantime.
    }
  }

  return {
    ended,
    hasEnded: () => isOver,

    async end() {
      send('SIGTERM')
      const timer = setTimeout(() => send('SIGKILL'), graceMs)
      await ended
      clearTimeout(timer)
    },
  }
}
