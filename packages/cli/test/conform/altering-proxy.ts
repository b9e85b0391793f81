import { text as readText } from 'node:stream/consumers'
import { listen } from '../set-up.js'

/** What was asked, with the path as it came. */
export interface Asked {
  readonly method: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly text: string
  /** Of a body that is a JSON object. */
  readonly body: Readonly<Record<string, unknown>>
}

export interface Answered {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly text: string
  readonly body: Readonly<Record<string, unknown>>
}

/** What stands between, and is wrong. */
export interface Altering {
  /** What the phone gets in place of the answer; `undefined` for the answer itself. */
  alter?(asked: Asked, answered: Answered, memory: Map<string, Answered>): Answered | undefined
  /** What the server is asked before, which nobody has asked for. */
  also?(asked: Asked): readonly Asked[]
}

/** A server in front of ours that is wrong in one way. */
export async function alteringProxy(target: string, { alter, also }: Altering): Promise<string> {
  const memory = new Map<string, Answered>()

  async function forward({ method, path, headers, text }: Asked): Promise<Answered> {
    const { host: _host, 'content-length': _length, connection: _connection, ...own } = headers
    const response = await fetch(target + path, {
      method,
      headers: own,
      ...(text !== '' && { body: text }),
      redirect: 'manual',
    })
    const answer = await response.text()
    return {
      status: response.status,
      headers: Object.fromEntries(response.headers),
      text: answer,
      body: membersOf(answer),
    }
  }

  return listen(async (req, res) => {
    const text = await readText(req)
    const asked: Asked = {
      method: req.method ?? '',
      path: req.url ?? '',
      headers: Object.fromEntries(
        Object.entries(req.headers).map(([name, value]) => [name, String(value)]),
      ),
      text,
      body: membersOf(text),
    }
    for (const one of also?.(asked) ?? []) await forward(one)
    const answered = await forward(asked)
    const { status, headers, text: body } = alter?.(asked, answered, memory) ?? answered
    const { 'content-length': _length, 'transfer-encoding': _encoding, ...own } = headers
    res.writeHead(status, own).end(body)
  })
}

/** An answer with other members. */
export const withBody = (answered: Answered, body: object): Answered => ({
  ...answered,
  text: JSON.stringify(body),
})

export const refused = (status: number, error: string): Answered => ({
  status,
  headers: { 'content-type': 'application/json', 'cache-control': 'no-store' },
  text: JSON.stringify({ error, error_description: 'No' }),
  body: {},
})

function membersOf(text: string): Readonly<Record<string, unknown>> {
  try {
    return Object(JSON.parse(text))
  } catch {
    return {}
  }
}
