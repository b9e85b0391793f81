import type process from 'node:process'

const maxCauses = 5

/**
 * Ends the program for what nobody catches, as Node does, but says no more of it than what was thrown and where: drivers
 * hang the command on their errors, with every token that was in it.
 */
export function endOnUncaught(program: typeof process): void {
  program.on('uncaughtException', (error: unknown) => {
    program.stderr.write(`${storyOf(error).join('\nCaused by: ')}\n`, () => program.exit(1))
  })
}

function storyOf(error: unknown, causes = maxCauses): readonly string[] {
  if (!(error instanceof Error)) return ['Something other than an Error was thrown']
  const { stack, name, message, cause } = error
  const said = stack ?? `${name}: ${message}`
  return cause === undefined || causes === 0 ? [said] : [said, ...storyOf(cause, causes - 1)]
}
