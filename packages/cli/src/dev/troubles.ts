import type { FakeWeChat, FakeWeChatFault } from '@wxlogin/server/testing'
import type { Text } from '../text.js'
import type { Log } from './log.js'
import type { Phones } from './phones.js'

/** What goes wrong on demand. */
export const troubleNames = [
  'code-used',
  'code-expired',
  'wechat-slow',
  'wechat-down',
  'wechat-busy',
  'wechat-answer-lost',
  'answer-lost',
  'token-expired',
  'session-revoked',
  'session-key-replaced',
  'phone-denied',
] as const

export type TroubleName = (typeof troubleNames)[number]

/** A trouble as the page shows it. */
export interface TroubleState {
  readonly name: TroubleName
  /** Whether it lasts until it is switched off. */
  readonly isLasting: boolean
  readonly isOn: boolean
  /** Why there is none of it here. */
  readonly missing?: Text
}

export interface Troubles {
  list(): readonly TroubleState[]
  /** `phone` is whom it befalls, where it befalls one. */
  toggle(name: TroubleName, phone: string): Promise<void>
  /** Whether the answer to the phone is to be thrown away. */
  withholds(): boolean
}

export interface TroublesOptions {
  readonly wechat: Pick<FakeWeChat, 'fail' | 'recover'>
  readonly phones: Phones
  readonly log: Log
  readonly now: () => number
  /** Lets time go by, more for the servers than for the phones; of the user's own backend only for the phones. */
  readonly passTime: () => void
  /** Revokes the sessions of the phone's user; missing where the backend is not ours. */
  readonly revoke: ((phone: string) => Promise<void>) | undefined
  readonly onChange: () => void
}

const codeExchange = { endpoint: 'GET /sns/jscode2session' } as const

/** The next call fails like this. */
const once: Partial<Record<TroubleName, readonly [FakeWeChatFault, { endpoint?: string }]>> = {
  'code-used': [40163, codeExchange],
  'code-expired': [40029, codeExchange],
  'wechat-answer-lost': ['drop-after', codeExchange],
}

/** Every call fails like this, until it is over. */
const lasting: Partial<Record<TroubleName, FakeWeChatFault>> = {
  'wechat-slow': { latencyMs: 2_000 },
  'wechat-down': 'html-502',
  'wechat-busy': 45011,
}

export function createTroubles(options: TroublesOptions): Troubles {
  const { wechat, phones, log, now, passTime, revoke, onChange } = options
  const on = new Set<TroubleName>()
  let isAnswerLost = false

  function note(trouble: TroubleName, isOn: boolean) {
    log.add({ type: 'trouble', atMs: now(), trouble, isOn })
    onChange()
  }

  /** WeChat has one trouble that lasts at a time: the one that was asked for last. */
  function last(name: TroubleName, fault: FakeWeChatFault) {
    const isOn = !on.has(name)
    for (const other of on) if (other !== name) note(other, false)
    on.clear()
    wechat.recover()
    if (isOn) {
      wechat.fail(fault, { times: Number.POSITIVE_INFINITY })
      on.add(name)
    }
    note(name, isOn)
  }

  return {
    list: () =>
      troubleNames.map((name) => ({
        name,
        isLasting: name in lasting,
        isOn: on.has(name),
        ...(name === 'session-revoked' && !revoke && { missing: yours }),
      })),

    async toggle(name, phone) {
      const fault = lasting[name]
      if (fault !== undefined) return last(name, fault)

      const failure = once[name]
      if (failure) wechat.fail(...failure)
      else if (name === 'answer-lost') isAnswerLost = true
      else if (name === 'token-expired') passTime()
      else if (name === 'session-key-replaced') phones.replaceSessionKey(phone)
      else if (name === 'phone-denied') phones.denyPhone(phone)
      else if (name === 'session-revoked') await revoke?.(phone)
      note(name, true)
    },

    withholds() {
      const isWithheld = isAnswerLost
      isAnswerLost = false
      return isWithheld
    },
  }
}

const yours: Text = {
  en: 'Your backend keeps its sessions itself: revoke one there',
  zh: '会话由你自己的后端保存，请在那里撤销',
}
