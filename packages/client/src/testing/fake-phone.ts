import type { FakeFetchedData } from './fake-background-fetch.js'
import type { FakeLoginBehaviour } from './fake-login.js'
import type { FakeSocketRequest } from './fake-server-socket.js'
import type { FakeSocketBehaviour } from './fake-sockets.js'
import type { StorageVerb } from './fake-storage.js'
import type { Orders } from './orders.js'
import { createOrders } from './orders.js'
import type { FakeRequestBehaviour, RecordedRequest } from './recorded-request.js'

/** What outlives a process. */
export interface Phone {
  user: string
  isOnline: boolean
  readonly loginTimes: number[]
  readonly areas: Map<string, Map<string, string>>
  readonly files: Map<string, string | ArrayBuffer>
  readonly fetched: Map<string, FakeFetchedData>
  readonly storageFaults: Record<StorageVerb, number>
  readonly logins: Orders<undefined, FakeLoginBehaviour>
  readonly requests: Orders<RecordedRequest, FakeRequestBehaviour>
  readonly sockets: Orders<FakeSocketRequest, FakeSocketBehaviour>
}

export function createPhone(user: string, storage: Map<string, string>): Phone {
  return {
    user,
    isOnline: true,
    loginTimes: [],
    areas: new Map([[user, storage]]),
    files: new Map(),
    fetched: new Map(),
    storageFaults: { set: 0, get: 0, remove: 0 },
    logins: createOrders<undefined, FakeLoginBehaviour>('ok'),
    requests: createOrders<RecordedRequest, FakeRequestBehaviour>('ok'),
    sockets: createOrders<FakeSocketRequest, FakeSocketBehaviour>('ok'),
  }
}

/** The storage of one user, made when it is first needed. */
export function areaOf(phone: Phone, name: string): Map<string, string> {
  const existing = phone.areas.get(name)
  if (existing) return existing
  const created = new Map<string, string>()
  phone.areas.set(name, created)
  return created
}
