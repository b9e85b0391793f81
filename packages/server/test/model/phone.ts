import { type Client, createClient } from '../../../client/src/index.js'
import {
  createFakeWx,
  type FakeNetworkRequest,
  type FakeNetworkResponse,
  type FakeWx,
} from '../../../client/src/testing/index.js'
import { type Backend, baseUrl } from './backend.js'

const storageKey = 'wxlogin'
const loginTimeoutMs = 10_000

export interface StoredRecord {
  readonly access_token?: string
  readonly refresh_token?: string
  readonly key?: string
}

export interface PhoneOptions {
  readonly name: string
  readonly user: string
  readonly backend: Backend
  readonly network: (request: FakeNetworkRequest) => Promise<FakeNetworkResponse>
  /** Comes between a call of `wx.login` and its answer. */
  readonly pause: (what: string) => Promise<unknown>
  readonly storage: Map<string, string>
  readonly count: (what: string) => void
  /** How an operation may fail, besides for want of a network. */
  readonly mayFailWith: (code: string) => boolean
}

export type Phone = ReturnType<typeof createPhone>

/** One running mini program: the real client on a fake `wx`, and what must hold for it at any time. */
export function createPhone({
  name,
  user,
  backend,
  network,
  pause,
  storage,
  count,
  mayFailWith,
}: PhoneOptions) {
  let fake = createFakeWx({ wechat: backend.wechat, user, network, storage })
  let underWay = new Set<string>()
  let logins = 0
  let mayFailToWrite = false
  let client = start(fake)

  function start(wx: FakeWx): Client {
    let inFlight: { sinceMs: number }[] = []
    const end = (flight: { sinceMs: number }) => {
      inFlight = inFlight.filter((other) => other !== flight)
    }
    // What was given up at the deadline has no way to end.
    const isYoung = ({ sinceMs }: { sinceMs: number }) => Date.now() - sinceMs < loginTimeoutMs

    return createClient({
      baseUrl,
      wx: {
        ...wx,
        login({ success, fail }) {
          const flight = { sinceMs: Date.now() }
          if (inFlight.some(isYoung)) backend.violate(`${name} has two wx.login in flight`)
          inFlight.push(flight)
          logins++
          count('wx.login')
          pause(`${name} wx.login`).then(() =>
            wx.login({
              success(result) {
                end(flight)
                success?.(result)
              },
              fail(failure) {
                end(flight)
                fail?.(failure)
              },
            }),
          )
        },
      },
    })
  }

  /** Follows an operation of the app to its end, unless the process dies before. */
  function follow(what: string, promise: PromiseLike<unknown>): Promise<string> {
    const label = `${name} ${what} #${underWay.size + 1}`
    const ofThisProcess = underWay
    ofThisProcess.add(label)
    const end = (code: string) => {
      ofThisProcess.delete(label)
      if (ofThisProcess !== underWay) return code
      count(`${what} ${code === 'ok' ? 'ok' : 'failed'}`)
      const isExpected = lacksNetwork.includes(code) || mayFailWith(code)
      if (code !== 'ok' && !isExpected && !(what === everywhere && code === 'invalid_grant')) {
        backend.violate(`${what} on ${name} failed with ${code}`)
      }
      return code
    }
    return Promise.resolve(promise).then(
      () => end('ok'),
      (error: unknown) => end(String(Object(error).code)),
    )
  }

  return {
    name,
    storage,

    request: () => follow('request', client.request({ url: '/me' })),

    /** With the answer's user. */
    async whoAmI(): Promise<string> {
      const { data } = await client.request<{ userId: string }>({ url: '/me' })
      return data.userId
    },

    login: (force = false) => follow(force ? 'forced login' : 'login', client.login({ force })),

    logout: (isEverywhere = false) =>
      follow(isEverywhere ? everywhere : 'logout', client.logout({ everywhere: isEverywhere })),

    wake: () => fake.control.show(),

    /** The process dies; another starts on the same storage. */
    restart(): void {
      underWay = new Set()
      fake = fake.control.restart()
      client = start(fake)
    },

    failNextWrite(): void {
      mayFailToWrite = true
      fake.control.failStorage('set', { times: 1 })
    },

    hasFailedToWrite: () => mayFailToWrite,

    heal: () => fake.control.failStorage('set', { times: 0 }),

    operationsUnderWay: () => [...underWay],

    /** Calls of `wx.login` so far. */
    logins: () => logins,

    record: () => readRecord(storage),
  }
}

// It says so if another instance has ended the session first, and that one alone.
const everywhere = 'logout everywhere'

// An operation may always fail in these ways while the network does.
const lacksNetwork = ['network', 'timeout', 'interrupted', 'invalid_token', 'invalid_code']

/** What is stored, which is nothing, or a whole record. Throws for anything in between. */
export function readRecord(storage: ReadonlyMap<string, string>): StoredRecord | undefined {
  const raw = storage.get(storageKey)
  const text = raw === undefined ? '' : JSON.parse(raw)
  if (text === '') return undefined
  const record = JSON.parse(text)
  const wanted = record.access_token
    ? ['v', 'access_token', 'refresh_token', 'expires_in', 'user_id', 'key', 'askedMs']
    : record.refresh_token
      ? ['v', 'reason']
      : ['v']
  for (const member of wanted) {
    if (!record[member]) throw new Error(`half a record is stored: ${member} is missing`)
  }
  return record
}
