import type { Client } from '@wxlogin/client/full'
import {
  createFakeWx,
  type FakeNetworkRequest,
  type FakeNetworkResponse,
  type FakeRuntime,
  type FakeWx,
} from '@wxlogin/client/testing'
import { type Backend, baseUrl, sessionOf } from './backend.js'
import { loginTimeoutMs, type Process, startProcess, timeoutMs } from './process.js'
import { createStorageWatch, type StorageVerb } from './storage-watch.js'
import { createTampering, type Mishap } from './tampering.js'

// A refresh that finds its session dead, the login that follows, and that again with a new code.
const longestFlightMs = 3 * loginTimeoutMs

export interface PhoneOptions {
  readonly name: string
  /** Where its `wx` is met. */
  readonly runtime: FakeRuntime
  readonly backend: Backend
  /** Gives the codes of `wx.login`. */
  readonly wechat: { codeFor(person: string): string }
  readonly network: (request: FakeNetworkRequest) => Promise<FakeNetworkResponse>
  /** Comes between a call of `wx` and its answer. */
  readonly pause: (what: string) => Promise<unknown>
  /** What this person has in storage. */
  readonly areaOf: (person: string) => Map<string, string>
  /** True time, which is not the phone's. */
  readonly now: () => number
  readonly count: (what: string) => void
  /** How an operation may fail, besides for want of a network. */
  readonly mayFailWith: (code: string) => boolean
  readonly isSignedOut: () => boolean
  /** How often the user was signed out; `Infinity` when that may come to light at any time. */
  readonly signOuts: () => number
}

export type Phone = ReturnType<typeof createPhone>

/** A phone with the real client on a fake `wx`, and what must hold for it at any time. */
export function createPhone({
  name,
  runtime,
  backend,
  wechat,
  network,
  pause,
  areaOf,
  now,
  count,
  mayFailWith,
  isSignedOut,
  signOuts,
}: PhoneOptions) {
  let person = 'alice'
  let operations = 0
  let logins = 0
  let lives = 0
  const tampering = createTampering({ pause: (what) => pause(`${name} ${what}`), count })
  const storage = createStorageWatch({ backend, cut: restart, count })
  let living: Process['underWay']
  let newest = newFake()
  let process = start(newest)

  function newFake(): FakeWx {
    return createFakeWx({
      runtime,
      wechat,
      user: person,
      network,
      storage: areaOf(person),
      // WeChat has a clock of its own.
      clock: {
        now,
        setTimeout: (run, ms) => setTimeout(run, ms),
        clearTimeout: (timer) => clearTimeout(timer as NodeJS.Timeout),
      },
    })
  }

  function start(fake: FakeWx): Process {
    return startProcess({
      name,
      fake,
      area: areaOf(person),
      backend,
      storage,
      tampering,
      pause,
      now,
      onLogin({ underWay }) {
        logins++
        count('wx.login')
        if (isSignedOut() && !isLoggingIn(underWay)) {
          backend.violate(`${name} calls wx.login although the user is signed out`)
        }
      },
      onBirth(newborn) {
        lives++
        living = newborn.underWay
      },
      isAlive: ({ underWay }) => underWay === living,
    })
  }

  function goOnWith(fake: FakeWx): void {
    newest = fake
    const started = start(fake)
    // Else it died while it started, and another follows already.
    if (living === started.underWay) process = started
  }

  /** The process dies; another starts on what is stored. */
  function restart(): void {
    goOnWith(newest.control.restart())
  }

  /** Follows an operation of the app to its end, unless the process dies before. */
  async function follow(
    what: string,
    begin: (client: Client) => PromiseLike<unknown>,
    withinMs: number,
  ): Promise<string> {
    const { client, underWay } = process
    const label = `${name} ${what} #${++operations}`
    const operation = { label, dueMs: now() + withinMs }
    underWay.add(operation)
    const code = await Promise.resolve(begin(client)).then(
      () => 'ok',
      (error: unknown) => String(Object(error).code ?? error),
    )
    underWay.delete(operation)
    if (underWay !== process.underWay) return 'died'
    count(`${what} ${code}`)
    if (code !== 'ok' && !lacksNetwork.includes(code) && !mayFailWith(code)) {
      backend.violate(`${label} failed with ${code}`)
    }
    return code
  }

  const newUrl = (path = '/me') =>
    `${baseUrl}${path}?person=${person}&from=${name}&n=${++operations}`

  /** A change of who is logged in waits for those before it. */
  const afterOthers = () => longestFlightMs * (1 + process.underWay.size)

  const phone = {
    name,

    /** Where `/pay` wants a login of the last ten minutes. */
    async request(path: '/me' | '/pay' = '/me'): Promise<string> {
      const url = newUrl(path)
      const user = process.client.session()?.userId
      if (user) backend.expectUser(url, user)
      const wasSignedOut = isSignedOut()
      const what = path === '/me' ? 'request' : 'payment'
      const code = await follow(what, (client) => client.request({ url }), timeoutMs)
      // One whose storage failed is alone with its login, and does not hear of a sign-out in another instance.
      if (wasSignedOut && isSignedOut() && code === 'ok' && !process.isAlone()) {
        backend.violate(`a request went out from ${name} although the user is signed out`)
      }
      return code
    },

    abort: () =>
      follow(
        'abort',
        async (client) => {
          const task = client.request({ url: newUrl() })
          pause(`${name} aborts`).then(() => task.abort())
          await task
        },
        timeoutMs,
      ),

    ready: () => follow('ready', (client) => client.ready(), afterOthers()),

    /** Only a sign-out that comes after it stops a login. */
    async login(options: { force?: boolean; input?: string } = {}): Promise<string> {
      const before = signOuts()
      const code = await follow('login', (client) => client.login(options), afterOthers())
      if (code === 'signed_out' && signOuts() === before && before < Number.POSITIVE_INFINITY) {
        backend.violate(`a login on ${name} found the user signed out`)
      }
      return code
    },

    logout: (everywhere = false) =>
      // One after another, so that none takes the session of another from it.
      follow('logout', (client) => client.logout({ everywhere }), afterOthers()),

    bindPhone: (code: string) =>
      follow('phone number', (client) => client.bindPhone({ detail: { code } }), timeoutMs),

    offline: () => process.fake.control.offline(),
    online: () => process.fake.control.online(),

    /** The session whose tokens are in storage. */
    heldSession(): string | undefined {
      const [text = '""'] = areaOf(person).values()
      const { access_token } = JSON.parse(JSON.parse(text) || '{}')
      return access_token && sessionOf(access_token)
    },

    hide: () => process.fake.control.hide(),
    show: () => process.fake.control.show(),

    restart,

    /** Another WeChat user: WeChat ends the mini program, and that user has a storage of their own. */
    switchUser(next: string): void {
      newest.control.restart()
      person = next
      goOnWith(newFake())
    },

    /** What becomes of the next answer that `wx` has for the client. */
    tamper: (mishap: Mishap) => tampering.plan(mishap),

    cutPower: storage.cutPower,

    storageOperations: storage.operations,

    /** How many processes there have been. */
    lives: () => lives,

    failStorage: (verb: StorageVerb, times: number) => {
      process.fake.control.failStorage(verb, { times })
    },

    /** Nothing fails any more. */
    heal(): void {
      tampering.calm()
      storage.calm()
      for (const verb of ['get', 'set', 'remove'] as const) phone.failStorage(verb, 0)
      process.fake.control.online()
      process.fake.control.show()
    },

    isAlone: () => process.isAlone(),

    failedWrites: storage.failedWrites,

    isLoggingIn: () => isLoggingIn(process.underWay),

    userId: () => process.client.session()?.userId,

    /** Calls of `wx.login` so far. */
    logins: () => logins,

    /** Operations that should have ended by now. */
    overdue: () =>
      [...process.underWay].filter(({ dueMs }) => now() > dueMs).map(({ label }) => label),

    underWay: () => [...process.underWay].map(({ label }) => label),
  }
  return phone
}

// An operation may always fail in these ways while the network does; `invalid_token` of a pair too young to renew.
const lacksNetwork = ['network', 'timeout', 'interrupted', 'invalid_token', 'aborted']

function isLoggingIn(underWay: Process['underWay']): boolean {
  return [...underWay].some(({ label }) => label.includes('login'))
}
