/** Throws a `TypeError` that names the option when it is not a time that a timer or a clock can take. */
export function checkDuration(name: string, value: unknown): void {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value <= 0) {
    const unit = name.endsWith('Ms') ? 'milliseconds' : 'seconds'
    throw new TypeError(`${name} must be a positive whole number of ${unit}`)
  }
  // A timer that is set for longer fires at once.
  if (name.endsWith('Ms') && value >= 2 ** 31)
    throw new TypeError(`${name} must be less than 2 ** 31`)
}
