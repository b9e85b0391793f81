import type { Entry } from '../log.js'
import type { Order, State } from '../page-server.js'
import { createDetails } from './details.js'
import { createDiagram } from './diagram.js'
import { byId, setText } from './elements.js'
import { createPanels } from './panels.js'
import { createWords, type TextName, texts } from './texts.js'

const words = createWords()
const show = createDetails(words)
let state: State | undefined

const titleOf = (id: string) => {
  const phone = state?.phones.find((one) => one.id === id)
  return phone ? words.say(phone.title) : id
}
const diagram = createDiagram({ words, titleOf, show })
const panels = createPanels({ words, order })

let ordered: Promise<unknown> = Promise.resolve()

/** One after another, as they were pressed. */
function order(what: Order) {
  ordered = ordered
    .then(() => fetch('/orders', { method: 'POST', body: JSON.stringify(what) }))
    .catch(() => undefined)
}

function connect() {
  const events = new EventSource('/events')
  const on = <T>(name: string, listener: (value: T) => void) =>
    events.addEventListener(name, (event) => listener(JSON.parse(event.data)))

  on<State>('state', (next) => {
    state = next
    panels.show(next)
    tellConnection('connected')
  })
  on<readonly Entry[]>('entries', (entries) => {
    panels.clearEvents()
    for (const entry of entries) panels.event(entry)
    diagram.clear(entries)
  })
  on<Entry>('entry', (entry) => {
    diagram.put(entry)
    panels.event(entry)
    if (entry.type === 'phone') {
      setText(byId('news'), `${titleOf(entry.phone)}: ${entry[words.language()]}`)
    }
  })
  events.addEventListener('error', () => tellConnection('disconnected'))
}

function tellConnection(name: 'connected' | 'disconnected') {
  const place = byId('connection')
  place.dataset.text = name
  setText(place, words.say(name))
}

function translate() {
  document.documentElement.lang = words.language() === 'zh' ? 'zh-CN' : 'en'
  for (const element of document.querySelectorAll<HTMLElement>('[data-text]')) {
    const { text = '' } = element.dataset
    if (text in texts) setText(element, words.say(text as TextName))
  }
  setText(byId('language'), words.say('otherLanguage'))
  if (state) panels.show(state)
  diagram.redraw()
}

byId('language').addEventListener('click', () => {
  words.toggle()
  translate()
})
byId('clear').addEventListener('click', () => order({ do: 'clear' }))

translate()
connect()
