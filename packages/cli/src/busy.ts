import type { World } from './command.js'

/** What is written to while something takes its time. */
export interface Terminal {
  readonly columns?: number
  write(text: string): unknown
}

const frames = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏']
const eraseLine = '\r\u001b[K'

/**
 * Says on one line of a terminal what takes its time, and takes it back; without a terminal it says nothing. The keyboard
 * is left alone, so that Ctrl+C ends the program as a failure: `wxlogin scan && upload` must not go on.
 */
export function createBusy(
  terminal: Terminal | undefined,
  { delayMs = 400, everyMs = 100 } = {},
): World['busy'] {
  return (text) => {
    if (!terminal) return () => {}
    let frame = 0
    let isShown = false
    const draw = () => {
      isShown = true
      const line = `${frames[frame++ % frames.length]} ${text} …`
      // A Chinese character takes two columns.
      terminal.write(`${eraseLine}${line.slice(0, Math.floor(((terminal.columns || 80) - 2) / 2))}`)
      timer = setTimeout(draw, everyMs)
    }
    let timer = setTimeout(draw, delayMs)
    return () => {
      clearTimeout(timer)
      if (isShown) terminal.write(eraseLine)
      isShown = false
    }
  }
}
