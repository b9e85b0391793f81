import type { Entry, Exchange, Message } from '../log.js'
import { byId, create } from './elements.js'
import type { Words } from './texts.js'

/** Shows what went over the wire, or what else an entry holds. */
export function createDetails(words: Words): (entry: Entry) => void {
  const dialog = byId<HTMLDialogElement>('details')
  const title = byId('details-title')
  const body = byId('details-body')

  function message(message: Message | undefined, first: string): Node[] {
    if (!message) return []
    const headers = Object.entries(message.headers).map(([name, value]) => `${name}: ${value}`)
    return [create('pre', { text: [first, ...headers, '', bodyOf(message)].join('\n') })]
  }

  function bodyOf({ body, bytes, isCut }: Message): string {
    if (body !== undefined && body !== '') return body
    if (!bytes) return `(${words.say('noBody')})`
    return `(${bytes} ${words.say('bytes')}, ${words.say(isCut ? 'cut' : 'notShown')})`
  }

  function exchange(entry: Exchange): Node[] {
    const { method, url, request, outcome, status, answer, startedMs, endedMs } = entry
    const heading = (text: string) => create('h3', { text })
    const end =
      outcome === undefined ? '…' : outcome === 'answered' ? String(status) : words.say(outcome)
    const took = endedMs === undefined ? '' : ` · ${endedMs - startedMs} ms`
    return [
      create('p', { className: 'hint', text: words.say('masked') }),
      heading(`${words.say('request')}: ${words.say(entry.from)} → ${words.say(entry.to)}`),
      ...message(request, `${method} ${url}`),
      heading(`${words.say('answer')}: ${end}${took}`),
      ...message(answer, `HTTP ${status ?? ''}`),
    ]
  }

  return (entry) => {
    const isExchange = entry.type === 'exchange'
    title.textContent = isExchange
      ? `${entry.method} ${entry.url.split('?')[0]}`
      : entry.type === 'event'
        ? entry.event.type
        : words.say(entry.type === 'phone' ? 'phone' : 'troubles')
    const shown = entry.type === 'event' ? entry.event : entry
    body.replaceChildren(
      ...(isExchange
        ? exchange(entry)
        : [create('pre', { text: JSON.stringify(shown, undefined, 2) })]),
    )
    dialog.showModal()
    // The button at its end has the focus, which would scroll there.
    dialog.scrollTop = 0
  }
}
