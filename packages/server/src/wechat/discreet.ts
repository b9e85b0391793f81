import { inspect } from 'node:util'

/**
 * Data whose members can be read as ever, while `JSON.stringify` and `util.inspect` show the named ones as
 * `[redacted]`: what ends up in a log by accident tells nothing. A copy made by spreading has lost this.
 */
export function discreet<T extends object>(data: T, secretNames: readonly string[]): Readonly<T> {
  const shown = () =>
    Object.fromEntries(
      Object.entries(data).map(([name, value]) => [
        name,
        secretNames.includes(name) ? '[redacted]' : value,
      ]),
    )
  const hidden = { value: shown, enumerable: false }
  return Object.defineProperties(data, { toJSON: hidden, [inspect.custom]: hidden })
}
