import { AuthError } from '@wxlogin/server'
import { hasRoundedNumber } from './rounded-numbers.js'

/** What a body may have, by the name of the member. A `?` may be left out; nothing may be null. */
export type Takes = Readonly<Record<string, Kind>>

type Kind =
  | 'text'
  | 'string'
  | 'text?'
  | 'id'
  | 'flag?'
  | 'seconds?'
  | 'bytes?'
  | 'object?'
  | 'texts?'
  | 'true?'

/** The members of a body, each of the kind that was asked for. */
export interface Body {
  text(name: string): string
  optionalText(name: string): string | undefined
  id(name: string): string | number
  flag(name: string): boolean | undefined
  number(name: string): number | undefined
  object(name: string): object | undefined
  texts(name: string): Readonly<Record<string, string>> | undefined
}

export const maxBodyBytes = 64 * 1024

/** Reads a JSON object, and checks it. What is not understood is refused, and nothing of it is quoted. */
export async function readBody(request: Request, takes: Takes): Promise<Body> {
  const type = request.headers.get('content-type') ?? ''
  if (!/^application\/json *(; *charset="?utf-8"?)?$/i.test(type.trim())) {
    throw malformed('The body must be application/json in UTF-8', 'content_type')
  }
  if (request.headers.has('content-encoding')) {
    throw malformed('The body must not be compressed', 'content_type')
  }
  return check(parse(await readBytes(request)), takes)
}

async function readBytes({ headers, body }: Request): Promise<Uint8Array> {
  const tooLarge = () =>
    malformed(`The body must not be larger than ${maxBodyBytes} bytes`, 'too_large')
  if (Number(headers.get('content-length') ?? 0) > maxBodyBytes) throw tooLarge()
  const chunks: Uint8Array[] = []
  let bytes = 0
  // Read to its end or cancelled: nobody else waits for the rest.
  for await (const chunk of (body ?? []) as AsyncIterable<Uint8Array>) {
    bytes += chunk.byteLength
    if (bytes > maxBodyBytes) throw tooLarge()
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

function parse(bytes: Uint8Array): object {
  let text = ''
  let value: unknown
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
    value = JSON.parse(text)
  } catch {
    // The parser's message quotes what stands there.
    value = undefined
  }
  if (!isObject(value)) throw malformed('The body must be a JSON object in UTF-8')
  if (hasRoundedNumber(text)) {
    throw malformed('A whole number must be below 2^53, or it is another one here; send a text')
  }
  if (isDeeper(value, maxDepth)) {
    throw malformed(`The body must not be nested more than ${maxDepth} levels deep`)
  }
  return value
}

const maxDepth = 64

/** Further down nobody writes anything, and what is passed on has to be written. */
const isDeeper = (value: unknown, levels: number): boolean =>
  typeof value === 'object' &&
  value !== null &&
  (levels === 0 || Object.values(value).some((one) => isDeeper(one, levels - 1)))

function check(given: object, takes: Takes): Body {
  const kinds = new Map(Object.entries(takes))
  // A Map, so that no name reaches a prototype.
  const members = new Map<string, unknown>(Object.entries(given))
  for (const name of members.keys()) {
    if (kinds.has(name)) continue
    throw malformed(`The body may have ${[...kinds.keys()].join(', ')}, and nothing else`)
  }
  for (const [name, kind] of kinds) {
    const value = members.get(name)
    const isOptional = kind.endsWith('?')
    if (value === undefined && isOptional) continue
    const [isFine, rule] = rules[kind]
    if (isFine(value)) continue
    const instead = isOptional ? '; leave it out in place of null' : ''
    throw malformed(`"${name}" must be ${rule}${instead}`)
  }
  return {
    text: (name) => members.get(name) as string,
    optionalText: (name) => members.get(name) as string | undefined,
    id: (name) => members.get(name) as string | number,
    flag: (name) => members.get(name) as boolean | undefined,
    number: (name) => members.get(name) as number | undefined,
    object: (name) => members.get(name) as object | undefined,
    texts: (name) => members.get(name) as Readonly<Record<string, string>> | undefined,
  }
}

const isText = (value: unknown) => typeof value === 'string' && value !== ''
const isCount = (value: unknown) => Number.isSafeInteger(value) && Number(value) > 0
const isObject = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const aText = [isText, 'a text that is not empty'] as const
const aCount = [isCount, 'a whole number above zero'] as const

const rules: Readonly<Record<Kind, readonly [(value: unknown) => boolean, string]>> = {
  text: aText,
  'text?': aText,
  string: [(value) => typeof value === 'string', 'a text'],
  id: [
    // A number of more than 53 bits has been rounded by now, and is somebody else's.
    (value) => isText(value) || Number.isSafeInteger(value),
    'a text that is not empty, or a whole number below 2^53',
  ],
  'flag?': [(value) => typeof value === 'boolean', 'true or false'],
  'true?': [(value) => value === true, 'true'],
  'seconds?': aCount,
  'bytes?': aCount,
  'object?': [isObject, 'an object'],
  'texts?': [
    (value) => isObject(value) && Object.values(value).every((one) => typeof one === 'string'),
    'an object of texts',
  ],
}

/** What HTTP has a better status for than 400. */
export const statuses = {
  no_route: 404,
  method: 405,
  too_large: 413,
  content_type: 415,
} as const

/** An `invalid_request`, with the reason for its status if that is not 400. */
export function malformed(message: string, reason?: keyof typeof statuses): AuthError {
  return new AuthError('invalid_request', message, reason === undefined ? {} : { reason })
}
