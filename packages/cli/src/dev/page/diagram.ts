import type { Entry, Exchange } from '../log.js'
import { button, byId, create, timeOf } from './elements.js'
import type { TextName, Words } from './texts.js'

/** The calls as a sequence diagram, one row for each message. */
export interface Diagram {
  /** An entry that is new, or has changed. */
  put(entry: Entry): void
  /** Draws everything anew: at the start, and in another language. */
  redraw(): void
  clear(entries: readonly Entry[]): void
}

export interface DiagramOptions {
  readonly words: Words
  readonly titleOf: (phone: string) => string
  readonly show: (entry: Entry) => void
}

/** As many rows as somebody may scroll through. */
const maxRows = 600

export function createDiagram({ words, titleOf, show }: DiagramOptions): Diagram {
  const list = byId<HTMLOListElement>('diagram')
  const empty = byId('empty')
  const entries = new Map<number, Entry>()
  const ended = new Set<number>()

  function put(entry: Entry) {
    const isNew = !entries.has(entry.id)
    entries.set(entry.id, entry)
    if (entry.type === 'event' && entry.event.type === 'wechat') return
    if (isNew) append(firstRow(entry))
    if (entry.type === 'exchange' && entry.outcome && !ended.has(entry.id)) {
      ended.add(entry.id)
      append(answerRow(entry))
    }
  }

  function append(row: HTMLLIElement) {
    const isAtEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 80
    list.append(row)
    while (list.children.length > maxRows) list.firstElementChild?.remove()
    empty.hidden = true
    if (isAtEnd) list.scrollTop = list.scrollHeight
  }

  function row({ id }: Entry, { atMs, place, text, detail, tone }: Row): HTMLLIElement {
    const face = button('', () => {
      const entry = entries.get(id)
      if (entry) show(entry)
    })
    face.className = `message ${place} ${tone}`
    face.append(
      create('span', { className: 'what', text }),
      create('span', { className: 'detail', text: detail }),
    )
    const time = create('time', { text: timeOf(atMs) })
    return create('li', {}, [time, face])
  }

  function firstRow(entry: Entry): HTMLLIElement {
    switch (entry.type) {
      case 'exchange':
        return row(entry, {
          atMs: entry.startedMs,
          place: `to-${entry.to}`,
          text: `${entry.method} ${entry.url.split('?')[0]}`,
          detail: entry.phone === undefined ? '' : titleOf(entry.phone),
          tone: 'asked',
        })
      case 'event':
        return row(entry, {
          atMs: entry.atMs,
          place: 'at-backend',
          text: [entry.event.type, entry.event.outcome, entry.event.reason, entry.event.state]
            .filter((part) => typeof part === 'string')
            .join(' · '),
          detail: '',
          tone: 'event',
        })
      case 'phone':
        return row(entry, {
          atMs: entry.atMs,
          place: 'at-phone',
          text: entry[words.language()],
          detail: titleOf(entry.phone),
          tone: entry.isOk ? 'good' : 'bad',
        })
      case 'trouble':
        return row(entry, {
          atMs: entry.atMs,
          place: 'across',
          text: words.say(entry.trouble as TextName),
          detail: entry.isOn ? '' : words.say('over'),
          tone: 'trouble',
        })
    }
  }

  function answerRow(exchange: Exchange): HTMLLIElement {
    const { outcome = 'answered', status = 0, code, startedMs, endedMs = startedMs } = exchange
    const isGood = outcome === 'answered' && status < 400 && !(Number(code) > 0 || Number(code) < 0)
    const said =
      outcome === 'answered'
        ? [status, exchange.to === 'wechat' && code ? `errcode ${code}` : code || ''].join(' ')
        : words.say(outcome)
    return row(exchange, {
      atMs: endedMs,
      place: `from-${exchange.to}`,
      text: `${isGood ? '✓' : '✗'} ${said}`.trim(),
      detail: `${endedMs - startedMs} ms`,
      tone: isGood ? 'good' : outcome === 'answered' ? 'bad' : 'broken',
    })
  }

  list.addEventListener('keydown', (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key]
    if (step === undefined) return
    const buttons: (Element | null)[] = [...list.querySelectorAll('button')]
    const next = buttons[buttons.indexOf(document.activeElement) + step]
    if (!(next instanceof HTMLElement)) return
    event.preventDefault()
    next.focus()
  })

  function redraw() {
    list.replaceChildren()
    ended.clear()
    empty.hidden = entries.size > 0
    const rows = [...entries.values()].flatMap((entry) => {
      if (entry.type === 'event' && entry.event.type === 'wechat') return []
      const atMs = entry.type === 'exchange' ? entry.startedMs : entry.atMs
      const first = { atMs, make: () => firstRow(entry) }
      if (entry.type !== 'exchange' || !entry.outcome) return [first]
      ended.add(entry.id)
      return [first, { atMs: entry.endedMs ?? atMs, make: () => answerRow(entry) }]
    })
    rows.sort((a, b) => a.atMs - b.atMs)
    for (const { make } of rows) append(make())
  }

  return {
    put,
    redraw,
    clear(kept) {
      entries.clear()
      for (const entry of kept) entries.set(entry.id, entry)
      redraw()
    },
  }
}

interface Row {
  readonly atMs: number
  readonly place: string
  readonly text: string
  readonly detail: string
  readonly tone: 'asked' | 'good' | 'bad' | 'broken' | 'event' | 'trouble'
}
