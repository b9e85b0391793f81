// How the demo speaks: numbered steps, what was checked, and JSON without its secrets.

let steps = 0

/** @type {Set<string>} */
const secrets = new Set()

/**
 * From now on no line may hold this text.
 * @param {string} text
 */
export function keepSecret(text) {
  secrets.add(text)
}

/** @param {string} line */
export function say(line) {
  if ([...secrets].some((text) => line.includes(text)) || /eyJ[\w-]/.test(line)) {
    throw new Error(`step ${steps}: a line with a secret in it was about to be printed`)
  }
  console.log(line)
}

/** @param {string} title */
export function step(title) {
  steps += 1
  say(`\n${steps}. ${title}`)
}

/**
 * Says what holds, or ends the demo.
 * @param {boolean} holds @param {string} sentence @param {string} [details]
 */
export function check(holds, sentence, details = '') {
  if (!holds) throw new Error(`step ${steps}: this does not hold: ${sentence}. ${details}`)
  say(`  ✓ ${sentence}`)
}

/**
 * @param {() => unknown} holds @param {string} title
 */
export async function until(holds, title) {
  const endsAt = Date.now() + 10_000
  while (!holds()) {
    if (Date.now() > endsAt) throw new Error(`step ${steps}: ${title} took more than 10 seconds`)
    await new Promise((wake) => setTimeout(wake, 5))
  }
}

const secretNames = /^(code|phone_number|.*token|.*key|.*secret)$/i

/**
 * A JSON text with the length of each secret in its place.
 * @param {string | undefined} json
 */
export function readable(json) {
  if (!json) return '(no body)'
  const value = JSON.parse(json)
  // What the phone stores is JSON within JSON.
  if (typeof value === 'string') return readable(value)
  return JSON.stringify(value, (name, member) => {
    const isSecret = typeof member === 'string' && (secretNames.test(name) || isJwt(member))
    return isSecret ? hidden(member) : member
  })
}

/** @param {string} secret */
function hidden(secret) {
  // Every JWT starts with these three letters, so they give nothing away.
  return `${isJwt(secret) ? 'eyJ… ' : ''}(${secret.length} characters)`
}

/** @param {string} text */
function isJwt(text) {
  return /^eyJ[\w-]+\./.test(text)
}
