import type { ExchangeSurroundings, Habits, Outgoing } from './fake-exchange.js'
import { createExchange } from './fake-exchange.js'
import {
  aborted,
  interrupted,
  invalidUrl,
  notLegalDomain,
  offline,
  type Reason,
  timedOut,
} from './reasons.js'
import type { FakeRequestBehaviour, FakeRequestKind, RecordedRequest } from './recorded-request.js'
import type { Place } from './slots.js'
import { createSlots } from './slots.js'

/** What the four calls need to know of the phone. */
export interface TransportSurroundings extends ExchangeSurroundings {
  /** Lower case; no list, no check. */
  readonly domains: Readonly<Partial<Record<FakeRequestKind, readonly string[] | undefined>>>
  readonly behaviourFor: (request: RecordedRequest) => FakeRequestBehaviour
  readonly isOnline: () => boolean
  readonly isHidden: () => boolean
}

/** What carries the requests of one running mini program. */
export interface Transport {
  readonly records: readonly RecordedRequest[]
  /** Throws when that was ordered. */
  send<R>(outgoing: Outgoing<R>): { abort(): void }
  failAll(reason: Reason): void
}

const maxConcurrent = 10

const habits: Readonly<Record<FakeRequestKind, Habits>> = {
  request: { name: 'request', timeoutMs: 60_000, timedOut, isDirect: true },
  upload: { name: 'uploadFile', timeoutMs: 60_000, timedOut, isDirect: true },
  download: { name: 'downloadFile', timeoutMs: 60_000, timedOut, isDirect: true },
  container: {
    name: 'cloud.callContainer',
    timeoutMs: 15_000,
    timedOut: { ...timedOut, text: 'errCode: 102002; request timeout' },
    isDirect: false,
  },
}

export function createTransport(surroundings: TransportSurroundings): Transport {
  const { clock, domains, behaviourFor } = surroundings
  const records: RecordedRequest[] = []
  const underWay = new Set<(reason: Reason) => void>()
  const slots = createSlots(maxConcurrent)

  function refusalOf({
    kind,
    url,
    refusal,
  }: Pick<Outgoing<never>, 'kind' | 'url' | 'refusal'>): Reason | undefined {
    if (refusal) return refusal
    if (habits[kind].isDirect) {
      const origin = typeof url === 'string' ? /^https?:\/\/[^/?#]+/i.exec(url)?.[0] : undefined
      if (!origin) return invalidUrl
      if (domains[kind]?.includes(origin.toLowerCase()) === false) return notLegalDomain
    }
    if (surroundings.isHidden()) return interrupted
    return surroundings.isOnline() ? undefined : offline
  }

  return {
    records,

    send(outgoing) {
      const { kind, url, method, header, data } = outgoing
      const record: RecordedRequest = { kind, url, method, header, data, at: clock.now() }
      records.push(record)
      const behaviour = behaviourFor(record)
      const { name, isDirect } = habits[kind]
      if (behaviour === 'throw') {
        Object.assign(record, { errMsg: `${name}:fail thrown`, durationMs: 0 })
        throw new Error(`${name}:fail`)
      }

      const exchange = createExchange(surroundings, {
        outgoing,
        behaviour,
        habits: habits[kind],
        onEnd(outcome) {
          Object.assign(record, outcome, { durationMs: clock.now() - record.at })
          underWay.delete(failWhenAlive)
          place.leave()
        },
      })
      const place: Place = isDirect
        ? slots.place(exchange.start)
        : { enter: exchange.start, leave: () => undefined }
      const failWhenAlive = (reason: Reason) => {
        if (behaviour !== 'hang') exchange.fail(reason)
      }

      const refused = refusalOf(outgoing)
      if (refused) exchange.fail(refused)
      else {
        underWay.add(failWhenAlive)
        place.enter()
      }
      return { abort: () => exchange.fail(aborted) }
    },

    failAll(reason) {
      for (const failOne of [...underWay]) failOne(reason)
    },
  }
}
