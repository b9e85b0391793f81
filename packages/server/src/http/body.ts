import { withDeadline } from '../deadline.js'
import { AuthError } from '../errors.js'
import { readAtMost } from '../read-at-most.js'
import type { AuthRequest } from '../request.js'
import { HttpError } from './responses.js'

const maxBodyBytes = 8 * 1024
const bodyTimeoutMs = 15_000

/** The members of a JSON object by name; a Map, so that no name can reach a prototype. */
export type Body = ReadonlyMap<string, unknown>

const malformed = (message: string) => new AuthError('invalid_request', message)

/** Reads a JSON body within limits of size and time. Throws `invalid_request`. */
export async function readBody(request: AuthRequest): Promise<Body> {
  const type = request.header('content-type') ?? ''
  if (!/^\s*application\/json\s*(;\s*charset\s*=\s*"?utf-8"?\s*)?$/i.test(type)) {
    throw new HttpError(415, 'The body must be application/json in UTF-8', { closes: true })
  }
  if (Number(request.header('content-length') ?? 0) > maxBodyBytes) throw tooLarge()

  const { body } = request
  const given = body && 'parsed' in body ? parsedBy(body) : await readBytes(body ?? noBody())
  const value = typeof given === 'string' || given instanceof Uint8Array ? parseJson(given) : given
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw malformed('The body must be a JSON object')
  }
  return new Map(Object.entries(value))
}

/** What was made of a body that is gone. Some platforms make it only now, and throw. */
function parsedBy(before: { readonly parsed: unknown }): unknown {
  let parsed: unknown
  try {
    parsed = before.parsed
  } catch {
    throw malformed('The body must be a JSON object')
  }
  if (parsed !== undefined) return parsed
  throw malformed(
    'Something on this server has already read the body and left nothing of it; mount the routes before it, or a JSON body parser',
  )
}

const tooLarge = () =>
  new HttpError(413, `The body must not be larger than ${maxBodyBytes} bytes`, { closes: true })

async function* noBody(): AsyncGenerator<never> {}

const tooLate = () => new HttpError(408, 'The body did not arrive in time', { closes: true })

async function readBytes(source: AsyncIterable<Uint8Array | string>): Promise<Uint8Array> {
  let chunks: AsyncIterator<Uint8Array | string> | undefined
  try {
    const opened = source[Symbol.asyncIterator]()
    chunks = opened
    const bytes = await withDeadline(bodyTimeoutMs, tooLate, () => readAtMost(opened, maxBodyBytes))
    if (!bytes) throw tooLarge()
    return bytes
  } catch (error) {
    if (error instanceof AuthError) throw error
    throw new HttpError(400, 'The body ended early or was already consumed', { closes: true })
  } finally {
    // Not awaited: a stalled sender would hold back the response.
    chunks?.return?.().catch(() => undefined)
  }
}

function parseJson(given: string | Uint8Array): unknown {
  try {
    const text =
      typeof given === 'string' ? given : new TextDecoder('utf-8', { fatal: true }).decode(given)
    return JSON.parse(text)
  } catch {
    // The parser's message quotes the body, which holds a code or a token, so it is not kept as a cause.
    throw malformed('The body must be a JSON object in UTF-8')
  }
}

export function text(body: Body, name: string): string {
  const value = body.get(name)
  if (typeof value !== 'string' || value === '')
    throw malformed(`"${name}" must be a non-empty string`)
  return value
}

export function optionalText(body: Body, name: string): string | undefined {
  const value = body.get(name)
  if (value !== undefined && typeof value !== 'string')
    throw malformed(`"${name}" must be a string`)
  return value === '' ? undefined : value
}

/** One of these texts, if it is there at all. */
export function oneOf<T extends string>(
  body: Body,
  name: string,
  choices: readonly T[],
): T | undefined {
  const value = body.get(name)
  const known = choices.find((one) => one === value)
  if (known === undefined && value !== undefined) {
    throw malformed(`"${name}" must be one of ${choices.join(', ')}`)
  }
  return known
}

/** True or false, where leaving it out must not mean one of them. */
export function choice(body: Body, name: string): boolean {
  const value = body.get(name)
  if (typeof value === 'boolean') return value
  throw malformed(`"${name}" must be true or false`)
}

export function flag(body: Body, name: string): boolean {
  const value = body.get(name) ?? false
  if (typeof value !== 'boolean') throw malformed(`"${name}" must be true or false`)
  return value
}
