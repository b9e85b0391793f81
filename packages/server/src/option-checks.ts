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

/** Whether it is what examples, templates and forms have in the place of a secret. Nothing that is random says so. */
export function isPlaceholder(text: string): boolean {
  return placeholder.test(text) || text === '0123456789abcdef0123456789abcdef'
}

const placeholder =
  /change[-_ ]?(me|this|it)|replace[-_ ]?(me|this|it)|your[-_ ]?(own[-_ ]?)?(\w+[-_ ])?(secret|key)|placeholder|^<.*>$|^[x*•.…_-]{8,}$/i

/** The same as {@link checkCredential}, of a secret that somebody else has given: nor may it be a placeholder. */
export function checkGivenSecret(name: string, value: unknown): asserts value is string {
  checkCredential(name, value)
  if (!isPlaceholder(value)) return
  throw new TypeError(`${name} is the placeholder of an example; put the real one where it is set`)
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
  known: Readonly<Record<string, unknown>>,
): void {
  checkObject(of, given)
  for (const name of Object.keys(given)) {
    if (Object.hasOwn(known, name)) continue
    const meant = meantBy(name, known)
    throw new TypeError(
      `${name} is not an option of ${of}; ${meant ? `did you mean ${meant}?` : `there are ${Object.keys(known).join(', ')}`}`,
    )
  }
}

function checkObject(of: string, given: unknown): asserts given is object {
  if (typeof given === 'object' && given !== null) return
  throw new TypeError(`The options of ${of} must be an object, not ${kindOf(given)}`)
}

const meantBy = (given: string, known: object) =>
  Object.keys(known).find((name) => isMeantBy(given, name))

/** What a member of an argument has to be; with a `?` it may be left out. */
type Rule = Kind | `${Kind}?`
type Kind = 'string' | 'boolean' | 'number' | 'object' | 'session' | 'anything'

/** A rule for every member of an argument: one that is left out does not compile. */
export type ArgumentRules<Argument> = Readonly<Record<keyof Argument, Rule>>

/**
 * Throws a `TypeError` that names the first member that is not what it has to be, or whose name is a slip: whoever calls
 * may have no types, and what is made of a wrong value is nothing that they meant. `of` is what is called.
 */
export function checkArguments<Argument extends object>(
  of: string,
  given: Argument,
  rules: ArgumentRules<Argument>,
): void {
  checkObject(of, given)
  // Not every unknown one: an object that holds more may be handed on as it is.
  for (const name of Object.keys(given)) {
    const meant = Object.hasOwn(rules, name) ? undefined : meantBy(name, rules)
    if (meant) throw new TypeError(`${of} takes no ${name}; did you mean ${meant}?`)
  }
  const members: Readonly<Record<string, unknown>> = Object(given)
  for (const [name, rule] of Object.entries<Rule>(rules)) checkArgument(name, members[name], rule)
}

/** The same for one argument. */
export function checkArgument(name: string, value: unknown, rule: Rule): void {
  const kind = rule.replace('?', '')
  if (kind === 'anything' || (value === undefined && kind !== rule)) return
  if (kind === 'session' ? isSession(value) : value !== null && typeof value === kind) return
  const wanted = kind === 'session' ? 'what authenticate or sessionOf gives' : a(kind)
  throw new TypeError(`${name} must be ${wanted}, not ${kindOf(value)}`)
}

function isSession(value: unknown): boolean {
  const { id, userId } = Object(value)
  return typeof id === 'string' && typeof userId === 'string'
}

/** What it is, with its article, and nothing of what is in it. */
export function kindOf(value: unknown): string {
  if (value === undefined || value === null) return String(value)
  return Array.isArray(value) ? 'a list' : a(typeof value)
}

const a = (kind: string) => (kind === 'object' ? 'an object' : `a ${kind}`)

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
