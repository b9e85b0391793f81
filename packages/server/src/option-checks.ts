/** Throws a `TypeError` that names the option if it is not a valid duration. */
export function checkDuration(name: string, value: unknown): void {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value <= 0) {
    const unit = name.endsWith('Ms') ? 'milliseconds' : 'seconds'
    throw new TypeError(`${name} must be a positive whole number of ${unit}`)
  }
  // A timer that is set for longer than that fires at once.
  if (name.endsWith('Ms') && value >= 2 ** 31)
    throw new TypeError(`${name} must be less than 2 ** 31`)
}

/** Throws a `TypeError` that names the option if it is not a count of at least `min`. */
export function checkCount(
  name: string,
  value: unknown,
  { min, of }: { readonly min: number; readonly of: string },
): void {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < min) {
    throw new TypeError(`${name} must be a whole number of ${of}, at least ${min}`)
  }
}

/** Throws a `TypeError` that names the first of these options that is set but is not a function. */
export function checkFunctions(options: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(options)) {
    if (value !== undefined && typeof value !== 'function') {
      throw new TypeError(`${name} must be a function`)
    }
  }
}

/** Throws a `TypeError` that names the first of these options that is set but is not true or false. */
export function checkFlags(options: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(options)) {
    if (value !== undefined && typeof value !== 'boolean') {
      throw new TypeError(`${name} must be true or false`)
    }
  }
}

/** What to ask of an option that comes from the environment and is not there. */
export const isItSet =
  'is the environment variable set? Node reads a .env file only with --env-file=.env'

/** Throws a `TypeError` that names the AppID or AppSecret if it is empty, or has something around it. */
export function checkCredential(name: string, value: unknown): asserts value is string {
  if (typeof value !== 'string' || value === '') {
    throw new TypeError(`${name} must be a non-empty string; ${isItSet}`)
  }
  if (value !== value.trim()) {
    throw new TypeError(
      `${name} has whitespace around it, a line break for example; take it out where it is set`,
    )
  }
  if (/^["'“‘]|["'”’]$/.test(value)) {
    throw new TypeError(`${name} has quotation marks around it; take them out where it is set`)
  }
}

/** Throws an `Error` on a Node that is too old, before anything fails in words that do not say so. */
export function checkNode(version = globalThis.process?.versions?.node): void {
  if (version === undefined) return
  const [major = 0, minor = 0, patch = 0] = version
    .split('.')
    .map((part) => Number.parseInt(part, 10))
  const isNewEnough = (major - 20 || minor - 18 || patch - 1) >= 0
  if (isNewEnough) return
  throw new Error(
    `@wxlogin/server needs Node 20.18.1 or newer, and this is Node ${version}; choose a newer one where the service is set up, or create the cloud function anew with one`,
  )
}

/** Every option of an interface: one that is left out does not compile. */
export type OptionNames<Options> = Readonly<Record<keyof Options, true>>

/**
 * Throws a `TypeError` that names the first option there is not, and the one that may be meant: an option that does
 * nothing is a rule that does not hold. `of` is what the options are those of.
 */
export function checkNames(
  of: string,
  given: unknown,
  known: Readonly<Record<string, true>>,
): void {
  if (typeof given !== 'object' || given === null) {
    throw new TypeError(`The options of ${of} must be an object`)
  }
  for (const name of Object.keys(given)) {
    if (Object.hasOwn(known, name)) continue
    const names = Object.keys(known)
    const meant = names.find((one) => isMeantBy(name, one))
    throw new TypeError(
      `${name} is not an option of ${of}; ${meant ? `did you mean ${meant}?` : `there are ${names.join(', ')}`}`,
    )
  }
}

/** Whether a name is another one but for case and a slip in every third letter. */
function isMeantBy(given: string, known: string): boolean {
  return distance(given.toLowerCase(), known.toLowerCase()) <= Math.ceil(known.length / 4)
}

/** How many letters have to be put in, taken out or replaced (Levenshtein). */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, n) => n)
  for (const letter of a) {
    const above = row
    row = [(above[0] ?? 0) + 1]
    for (let n = 0; n < b.length; n++) {
      const replaced = (above[n] ?? 0) + (letter === b[n] ? 0 : 1)
      row.push(Math.min(replaced, (above[n + 1] ?? 0) + 1, (row[n] ?? 0) + 1))
    }
  }
  return row[b.length] ?? 0
}
