import { request } from 'node:http'

/** What came back. */
export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly text: string
  /** The members of a JSON object; without any for everything else. */
  readonly members: Readonly<Record<string, unknown>>
}

/** What came in place of an answer. */
export interface NoAnswer {
  readonly failure: string
}

export interface Sent {
  readonly method: string
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string | undefined
}

/** A phone waits for so long. */
const timeoutMs = 20_000

/** Sends one request on a connection of its own, and follows no redirect. Never rejects. */
export function exchange({ method, url, headers, body }: Sent): Promise<Answer | NoAnswer> {
  return new Promise((tell) => {
    const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) }
    const sent = request(url, { method, agent: false, headers: { ...headers, ...length } })
    const timer = setTimeout(() => {
      tell({ failure: `no answer within ${timeoutMs / 1000} seconds` })
      sent.destroy()
    }, timeoutMs)
    const end = (outcome: Answer | NoAnswer) => {
      clearTimeout(timer)
      tell(outcome)
    }
    const fail = (error: NodeJS.ErrnoException) =>
      end({ failure: `no answer: ${error.code ?? 'the connection broke'}` })

    sent.on('error', fail)
    sent.on('response', (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('error', fail)
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString()
        end({
          status: response.statusCode ?? 0,
          headers: Object.fromEntries(
            Object.entries(response.headers).map(([name, value]) => [name, String(value)]),
          ),
          text,
          members: membersOf(text),
        })
      })
    })
    sent.end(body)
  })
}

function membersOf(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value }
  } catch {}
  return {}
}
