import type { Entry } from '../log.js'
import type { Order, State } from '../page-server.js'
import type { PhoneAction, PhoneState } from '../phones.js'
import { button, byId, create, setText, timeOf } from './elements.js'
import type { TextName, Words } from './texts.js'

/** Everything beside the diagram. */
export interface Panels {
  show(state: State): void
  event(entry: Entry): void
  clearEvents(): void
}

export interface PanelsOptions {
  readonly words: Words
  readonly order: (order: Order) => void
}

const actions: readonly (readonly [PhoneAction, TextName])[] = [
  ['launch', 'launch'],
  ['request', 'requestOne'],
  ['ten', 'ten'],
  ['login', 'login'],
  ['phone', 'phoneNumber'],
  ['open-data', 'openData'],
  ['logout', 'logout'],
  ['background', 'background'],
  ['offline', 'offline'],
]

const maxEvents = 50

export function createPanels({ words, order }: PanelsOptions): Panels {
  const cards = new Map<string, ReturnType<typeof createCard>>()
  const troubles = new Map<string, HTMLButtonElement>()
  const befalls = byId<HTMLSelectElement>('befalls')
  const events = byId<HTMLOListElement>('events')
  const { say } = words

  function createCard(id: string) {
    const title = create('h3')
    const who = create('p', { className: 'who' })
    const buttons = actions.map(
      ([action, text]) =>
        [action, text, button('', () => order({ do: 'phone', phone: id, action }))] as const,
    )
    const row = create(
      'div',
      { className: 'buttons' },
      buttons.map(([, , face]) => face),
    )
    const card = create('article', { className: 'phone' }, [title, who, row])
    card.dataset.phone = id
    byId('phones').append(card)

    return (phone: PhoneState, isBuiltIn: boolean) => {
      setText(
        title,
        [phone.title, phone.about].flatMap((text) => (text ? [say(text)] : [])).join(' · '),
      )
      setText(who, whoOf(phone))
      card.classList.toggle('signed-in', phone.user !== undefined)
      card.setAttribute('aria-busy', String(phone.busy > 0))
      const pressed = { background: phone.isHidden, offline: phone.isOffline }
      for (const [action, text, face] of buttons) {
        setText(face, say(text))
        face.dataset.action = action
        face.hidden = action === 'open-data' && !isBuiltIn
        face.disabled = action !== 'launch' && !phone.isRunning
        if (action === 'background' || action === 'offline') {
          face.setAttribute('aria-pressed', String(pressed[action]))
        }
      }
    }
  }

  function whoOf({ isRunning, user, busy }: PhoneState): string {
    const name = user ? (user.name ?? user.id) : say(isRunning ? 'nobody' : 'notRunning')
    return busy > 0 ? `${name} · ${say('busy')} …` : name
  }

  function showPhones({ phones, setup }: State) {
    for (const phone of phones) {
      const update = cards.get(phone.id) ?? createCard(phone.id)
      cards.set(phone.id, update)
      update(phone, setup.backendUrl === undefined)
    }
    const chosen = befalls.value
    befalls.replaceChildren(
      ...phones.map(({ id, title }) => {
        const option = create('option', { text: say(title) })
        option.value = id
        return option
      }),
    )
    if (chosen !== '') befalls.value = chosen
  }

  function showTroubles({ troubles: list }: State) {
    for (const { name, isLasting, isOn, missing } of list) {
      const face =
        troubles.get(name) ??
        button('', () => {
          if (face.getAttribute('aria-disabled') === 'true') return
          order({ do: 'trouble', name, phone: befalls.value })
        })
      if (!troubles.has(name)) byId('troubles').append(face)
      troubles.set(name, face)
      face.dataset.trouble = name
      setText(face, say(name))
      face.title = missing ? say(missing) : ''
      face.setAttribute('aria-disabled', String(missing !== undefined))
      if (isLasting) face.setAttribute('aria-pressed', String(isOn))
    }
  }

  function showSessions({ sessions }: State) {
    const place = byId('sessions')
    if (!sessions || sessions.length === 0) {
      place.replaceChildren(
        create('p', { className: 'hint', text: say(sessions ? 'noSessions' : 'theirSessions') }),
      )
      return
    }
    const names = ['user', 'device', 'since', 'refreshed'] as const
    const head = create(
      'tr',
      {},
      names.map((name) => create('th', { text: say(name) })),
    )
    const rows = sessions.map(({ id, user, device = '', method, createdAt, lastRefreshAt }) =>
      create('tr', { title: `${id} · ${method}` }, [
        create('td', { text: user }),
        create('td', { text: device }),
        create('td', { text: timeOf(createdAt * 1000).slice(0, 8) }),
        create('td', { text: timeOf(lastRefreshAt * 1000).slice(0, 8) }),
      ]),
    )
    place.replaceChildren(
      create('table', {}, [create('thead', {}, [head]), create('tbody', {}, rows)]),
    )
  }

  function showSetup({ setup }: State) {
    const { phoneUrl, wechatUrl, backendUrl, serviceUrl } = setup
    const toWeChat =
      serviceUrl === undefined
        ? `wechatHosts: ['${wechatUrl}']`
        : `${serviceUrl} · WXLOGIN_WECHAT_HOSTS=${wechatUrl}`
    const pairs: (readonly [TextName, string])[] = [
      ['miniProgram', `createClient({ baseUrl: '${phoneUrl}', sandbox: true })`],
      backendUrl === undefined
        ? ['backend', say('builtIn')]
        : ['yourBackend', `${backendUrl} · ${toWeChat}`],
    ]
    byId('setup').replaceChildren(
      ...pairs.flatMap(([name, value]) => [
        create('dt', { text: say(name) }),
        create('dd', {}, [create('code', { text: value })]),
      ]),
    )
  }

  return {
    show(state) {
      showSetup(state)
      showPhones(state)
      showTroubles(state)
      showSessions(state)
      events.dataset.none = say(state.sessions ? 'noEvents' : 'theirEvents')
    },

    event(entry) {
      if (entry.type !== 'event') return
      const { type, ...rest } = entry.event
      const parts = Object.entries(rest)
        .filter(([name, value]) => value !== undefined && !/^(started|appId)/.test(name))
        .map(([name, value]) => `${name}: ${value}`)
      const item = create('li', {}, [
        create('strong', { text: type }),
        create('span', { text: ` ${parts.join(' · ')}` }),
      ])
      events.prepend(item)
      while (events.children.length > maxEvents) events.lastElementChild?.remove()
    },

    clearEvents: () => events.replaceChildren(),
  }
}
