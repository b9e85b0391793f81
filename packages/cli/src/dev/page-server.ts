import { readFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { ListedSession } from './backend.js'
import { isFromPage } from './guard.js'
import type { Entry, Log } from './log.js'
import { type PhoneAction, type PhoneState, type Phones, phoneActions } from './phones.js'
import { type TroubleName, type TroubleState, type Troubles, troubleNames } from './troubles.js'

/** What stands at the top of the page. */
export interface Setup {
  readonly phoneUrl: string
  readonly wechatUrl: string
  /** The user's own backend; missing for the built-in one. */
  readonly backendUrl?: string
  /** `wxlogin serve` beside it, if there is one. */
  readonly serviceUrl?: string
  readonly appId: string
  readonly authPath: string
  readonly path: string
}

/** All but the entries, which come one by one. */
export interface State {
  readonly setup: Setup
  readonly phones: readonly PhoneState[]
  readonly troubles: readonly TroubleState[]
  /** Missing where the backend is not ours. */
  readonly sessions?: readonly ListedSession[]
}

/** What the page asks for. */
export type Order =
  | { readonly do: 'phone'; readonly phone: string; readonly action: PhoneAction }
  | { readonly do: 'trouble'; readonly name: TroubleName; readonly phone: string }
  | { readonly do: 'clear' }

export interface PageServerOptions {
  /** Where `index.html`, `page.js` and `page.css` are. */
  readonly pageFolder: URL
  readonly log: Log
  readonly phones: Phones
  readonly troubles: Troubles
  readonly state: () => Promise<State>
}

export interface PageServer {
  readonly server: Server
  /** Sends the state to every page that is open. */
  tell(): void
}

const files: Readonly<Record<string, readonly [name: string, type: string]>> = {
  '/': ['index.html', 'text/html; charset=utf-8'],
  '/page.js': ['page.js', 'text/javascript; charset=utf-8'],
  '/page.css': ['page.css', 'text/css; charset=utf-8'],
}

const always = {
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
}

/** The live page, what it hears (server-sent events), and what it orders. */
export function createPageServer({
  pageFolder,
  log,
  phones,
  troubles,
  state,
}: PageServerOptions): PageServer {
  const pages = new Set<ServerResponse>()
  let isTelling = false

  const server = createServer((request, response) => {
    serve(request, response).catch(() => {
      if (!response.headersSent) response.writeHead(500, always)
      response.end()
    })
  })
  const stop = log.subscribe((entry) => send('entry', entry))
  server.on('close', stop)

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (!isFromPage(request)) {
      response.writeHead(403, { ...always, 'content-type': 'text/plain; charset=utf-8' })
      response.end('This page is for the browser of this machine alone: open http://127.0.0.1.\n')
      return
    }
    const { method, url = '/' } = request
    const [name, type] = files[url] ?? []
    if (method === 'GET' && name !== undefined) {
      const content = await readFile(new URL(name, pageFolder))
      response.writeHead(200, { ...always, 'content-type': type }).end(content)
    } else if (method === 'GET' && url === '/events') {
      await open(response)
    } else if (method === 'POST' && url === '/orders') {
      response.writeHead(await take(request), always).end()
    } else {
      response.writeHead(404, always).end()
    }
  }

  async function open(response: ServerResponse): Promise<void> {
    response.writeHead(200, { ...always, 'content-type': 'text/event-stream; charset=utf-8' })
    const first = await state()
    // Nothing may come between what there is and what is new.
    write(response, 'state', first)
    write(response, 'entries', log.entries())
    pages.add(response)
    response.on('close', () => pages.delete(response))
  }

  async function take(request: IncomingMessage): Promise<number> {
    const order = readOrder(await bodyOf(request))
    if (!order) return 400
    if (order.do === 'clear') {
      log.clear()
      for (const page of pages) write(page, 'entries', [])
      return 204
    }
    if (!phones.has(order.phone)) return 400
    if (order.do === 'trouble') await troubles.toggle(order.name, order.phone)
    // It may take as long as a login; the page hears of it as an event.
    else void phones.act(order.phone, order.action)
    return 204
  }

  function send(event: 'entry', value: Entry) {
    for (const page of pages) write(page, event, value)
  }

  return {
    server,

    // Several changes of one turn are told once.
    tell() {
      if (isTelling || pages.size === 0) return
      isTelling = true
      setImmediate(async () => {
        isTelling = false
        const current = await state()
        for (const page of pages) write(page, 'state', current)
      })
    },
  }
}

function write(page: ServerResponse, event: string, value: unknown): void {
  page.write(`event: ${event}\ndata: ${JSON.stringify(value)}\n\n`)
}

const maxBytes = 1_024

async function bodyOf(request: IncomingMessage): Promise<string> {
  let text = ''
  for await (const chunk of request) {
    text += chunk
    if (text.length > maxBytes) return ''
  }
  return text
}

/** `undefined` for what the page does not send. */
function readOrder(text: string): Order | undefined {
  let given: unknown
  try {
    given = JSON.parse(text)
  } catch {
    return undefined
  }
  const { do: what, phone, action, name } = Object(given)
  if (what === 'clear') return { do: 'clear' }
  if (typeof phone !== 'string') return undefined
  const isAction = phoneActions.includes(action)
  if (what === 'phone') return isAction ? { do: 'phone', phone, action } : undefined
  const isTrouble = troubleNames.includes(name)
  return what === 'trouble' && isTrouble ? { do: 'trouble', name, phone } : undefined
}
