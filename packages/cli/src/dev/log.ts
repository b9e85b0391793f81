import type { AuthEvent } from '@wxlogin/server'

/** Who speaks: the three lines of the diagram. */
export type Party = 'phone' | 'backend' | 'wechat'

/** What went over the wire one way, without secrets. */
export interface Message {
  readonly headers: Readonly<Record<string, string>>
  /** Absent while it is on its way, and for what is no text. */
  readonly body?: string
  readonly bytes?: number
  /** Whether more followed than is kept. */
  readonly isCut?: boolean
}

/**
 * How an exchange ended. `lost`: the connection broke before the answer was complete · `withheld`: the sandbox threw the
 * answer away · `unreachable`: nobody listens there · `abandoned`: who had asked did not wait.
 */
export type Outcome = 'answered' | 'lost' | 'withheld' | 'unreachable' | 'abandoned'

/** A request and its answer. */
export interface Exchange {
  readonly type: 'exchange'
  readonly id: number
  readonly from: Party
  readonly to: Party
  /** Which of the page's phones sent it. */
  readonly phone?: string
  readonly method: string
  readonly url: string
  readonly startedMs: number
  readonly request: Message
  readonly endedMs?: number
  readonly outcome?: Outcome
  readonly status?: number
  /** WeChat's errcode, 0 for a success, or the `error` of the backend's answer. */
  readonly code?: string | number
  readonly answer?: Message
}

/** Something that the backend's `onEvent` told. */
export interface BackendEvent {
  readonly type: 'event'
  readonly id: number
  readonly atMs: number
  readonly event: Readonly<Record<string, unknown>> & { readonly type: AuthEvent['type'] }
}

/** What somebody did to a phone, and what its mini program made of it. */
export interface PhoneNote {
  readonly type: 'phone'
  readonly id: number
  readonly atMs: number
  readonly phone: string
  readonly action: string
  readonly isOk: boolean
  readonly en: string
  readonly zh: string
}

/** Something that went wrong on purpose. */
export interface TroubleNote {
  readonly type: 'trouble'
  readonly id: number
  readonly atMs: number
  readonly trouble: string
  readonly isOn: boolean
}

export type Entry = Exchange | BackendEvent | PhoneNote | TroubleNote

type Without<E, K extends PropertyKey> = E extends unknown ? Omit<E, K> : never

/** What happened, newest last. Holds no secret: whoever adds something has masked it. */
export interface Log {
  /** Returns the number by which it can be changed. */
  add(entry: Without<Entry, 'id'>): number
  /** Completes an exchange. Nothing happens when it is no longer kept. */
  change(id: number, parts: Partial<Omit<Exchange, 'id' | 'type'>>): void
  entries(): readonly Entry[]
  clear(): void
  /** Hears of each entry, anew after each change. Returns what ends it. */
  subscribe(listener: (entry: Entry) => void): () => void
}

export function createLog({ limit = 1_000 }: { limit?: number } = {}): Log {
  const entries = new Map<number, Entry>()
  const listeners = new Set<(entry: Entry) => void>()
  let last = 0

  function put(entry: Entry) {
    entries.set(entry.id, entry)
    for (const listener of listeners) listener(entry)
  }

  return {
    add(entry) {
      last += 1
      put({ ...entry, id: last } as Entry)
      for (const id of entries.keys()) {
        if (entries.size <= limit) break
        entries.delete(id)
      }
      return last
    },

    change(id, parts) {
      const entry = entries.get(id)
      if (entry?.type === 'exchange') put({ ...entry, ...parts })
    },

    entries: () => [...entries.values()],

    clear: () => entries.clear(),

    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}
