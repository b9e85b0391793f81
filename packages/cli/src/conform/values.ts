import { randomBytes } from 'node:crypto'
import type { FakeWeChat } from '@wxlogin/server/testing'
import type { Text } from '../text.js'
import type { Template } from './scenario.js'
import type { Secrets } from './watches.js'

/** The references of one scenario, and what they stand for. */
export interface Values {
  /** Keeps what later steps refer to by a name. */
  keep(name: string, members: Readonly<Record<string, unknown>>): void
  /** Says why there is nothing by this name. */
  lack(name: string, why: Text): void
  /** Why a reference stands for nothing, if that was said. */
  whyNot(reference: string): Text | undefined
  /** The first reference that stands for nothing, because what it refers to went wrong. */
  missing(template: Template | undefined): string | undefined
  /** A text that is a reference and nothing else becomes what it stands for, of whatever type. */
  filled(template: Template): unknown
  text(template: string): string
  /** What is known here, and told in no answer. */
  secrets(): Omit<Secrets, 'appSecret'>
}

export interface ValuesOptions {
  /** Of the run and the scenario; its people are nobody else's. */
  readonly name: string
  readonly wechat: FakeWeChat
  /** What the command line told: `appId`, `refusedInput`. */
  readonly told: Readonly<Record<string, unknown>>
}

const references = /\$([A-Za-z]\w*(?:\.\w+)*)/g

export function createValues({ name, wechat, told }: ValuesOptions): Values {
  const kept = new Map<string, unknown>(Object.entries(told))
  const reasons = new Map<string, Text>()
  const made = new Map<string, string>()
  const people = new Set<string>()
  const sessionKeys = new Set<string>()

  function personOf(who: string): string {
    const person = `${name}/${who}`
    people.add(person)
    return person
  }

  /** One a reference. */
  function make(reference: string, maker: () => string): string {
    const value = made.get(reference) ?? maker()
    made.set(reference, value)
    return value
  }

  function find(reference: string): unknown {
    const [first = '', second = '', ...others] = reference.split('.')
    if (first === 'code') {
      return make(reference, () => {
        const code = wechat.codeFor(personOf(second))
        sessionKeys.add(wechat.sessionKeyOf(personOf(second)))
        return code
      })
    }
    if (first === 'phoneCode') return make(reference, () => wechat.phoneCodeFor(personOf(second)))
    if (first === 'phoneNumber') return wechat.phoneNumberOf(personOf(second))
    if (first === 'person') return personOf(second)
    if (first === 'openid') return wechat.openidOf(personOf(second))
    if (first === 'key') return make(reference, () => randomBytes(16).toString('base64url'))
    let value = kept.get(first)
    for (const member of second === '' ? [] : [second, ...others]) {
      value = typeof value === 'object' && value !== null ? Reflect.get(value, member) : undefined
    }
    return value
  }

  function textsIn(template: Template): readonly string[] {
    if (typeof template === 'string') return [template]
    if (typeof template !== 'object' || template === null) return []
    return Object.values(template).flatMap((inner) => textsIn(inner))
  }

  function filled(template: Template): unknown {
    if (typeof template === 'string') {
      const [, whole] = /^\$([A-Za-z]\w*(?:\.\w+)*)$/.exec(template) ?? []
      return whole === undefined ? text(template) : find(whole)
    }
    if (Array.isArray(template)) return template.map((inner: Template) => filled(inner))
    if (typeof template !== 'object' || template === null) return template
    return Object.fromEntries(
      Object.entries(template).flatMap(([member, inner]) => {
        const [, optional] = /^\$\?(.+)$/.exec(String(inner)) ?? []
        const value = optional === undefined ? filled(inner) : find(optional)
        return optional !== undefined && value === undefined ? [] : [[member, value]]
      }),
    )
  }

  function text(template: string): string {
    return template.replace(references, (_, reference: string) => String(find(reference)))
  }

  return {
    keep: (as, members) => void kept.set(as, members),
    lack: (as, why) => void reasons.set(as, why),
    whyNot: (reference) => reasons.get(reference.split('.')[0] ?? ''),

    missing(template) {
      if (template === undefined) return undefined
      const found = textsIn(template).flatMap((one) => [...one.matchAll(references)])
      const lost = found.find(([, reference = '']) => find(reference) === undefined)
      return lost?.[1]
    },

    filled,
    text,

    secrets: () => ({
      openids: [...people].map((person) => wechat.openidOf(person)),
      phoneNumbers: [...people].map((person) => wechat.phoneNumberOf(person)),
      sessionKeys: [...sessionKeys],
      sent: [...made.values(), ...tokensIn([...kept.values()])],
    }),
  }
}

function tokensIn(answers: readonly unknown[]): readonly string[] {
  return answers.flatMap((answer) => {
    const { access_token, refresh_token, device_code } = Object(answer)
    return [access_token, refresh_token, device_code].filter((token) => typeof token === 'string')
  })
}
