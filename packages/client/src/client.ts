import { ClientError } from './errors.js'
import { tell } from './events.js'
import { type ClientOptions, resolveOptions, type Settings } from './options.js'
import {
  createRenewal,
  type LoginOptions,
  type LogoutOptions,
  type Renewal,
} from './session/renewal.js'
import { createToSession, type Session, type SessionChange } from './session/session.js'
import { createSingleFlight } from './session/single-flight.js'
import {
  createRecordStore,
  isYoung,
  type RecordStore,
  type TokenPair,
} from './session/token-record.js'
import { ignore } from './task.js'
import {
  type ClientResponse,
  createSend,
  type RequestOptions,
  type RequestTask,
  type Send,
} from './transports/send.js'
import type { WxLaunchOptions } from './wx.js'

declare const console: { warn(text: string): void }

export interface Client<Data = unknown> {
  /**
   * Logs in silently unless there is a session. Never rejects; in the development and trial versions its first failure
   * is told by `console.warn`.
   * The options of `App.onLaunch` may be passed; nothing is read from them, because any link can set them.
   */
  launch(options?: WxLaunchOptions): Promise<Session<Data> | undefined>
  /** The session once it is clear whether there is one. Never rejects. */
  ready(): Promise<Session<Data> | undefined>
  /** The current session, without waiting. */
  session(): Session<Data> | undefined
  /**
   * Ensures that there is a session, after a sign-out too; logs in anew only with `force` or `input`, or if there is
   * none. Rejects with {@link ClientError}.
   */
  login(options?: LoginOptions): Promise<Session<Data>>
  /**
   * Signs out on this phone at once, offline too; nothing logs in again until `login()`.
   * Rejects only with `everywhere`, when the server could not be told to end the user's other sessions.
   */
  logout(options?: LogoutOptions): Promise<void>
  /**
   * The access token, renewed if need be, for an SDK, a socket or a request layer that sends by itself. Whoever gets it
   * decides where it goes. Rejects with {@link ClientError}.
   */
  token(): Promise<string>
  /**
   * A token in place of one that the backend refused: the current one if it is another, or else a renewed one, one
   * renewal for all who ask. Rejects with {@link ClientError}; with `invalid_token` if it is younger than 20 seconds,
   * as a new one would be refused too, and with `user_changed` if somebody else has logged in since.
   */
  refused(accessToken: string): Promise<string>
  /** Calls the listener after every change of the session; returns a function that removes it. */
  onChange(listener: (change: SessionChange<Data>) => void): () => void
  /**
   * `wx.request` with the access token, renewed and sent again once if it was refused.
   * Rejects with {@link ClientError}.
   */
  request<T = unknown>(options: RequestOptions): RequestTask<ClientResponse<T>>
}

/**
 * The login of one mini program at one backend. Create it once, in a module of its own.
 *
 * @throws TypeError when an option is wrong
 */
export function createClient<Data = unknown>(options: ClientOptions): Client<Data> {
  return assembleClient<Data>(options)
}

/** What the methods of the full client are made of. */
export interface ClientParts {
  readonly send: Send
  readonly store: RecordStore
  readonly renewal: Renewal
  readonly settings: Settings
}

/** `start` runs before the first login, which waits for it; `extend` adds methods. */
export function assembleClient<Data>(
  options: ClientOptions,
  start?: (store: RecordStore, settings: Settings) => Promise<unknown>,
  extend?: (client: Client<Data>, parts: ClientParts) => void,
): Client<Data> {
  const settings = resolveOptions(options)
  let { isInDevelopment } = settings
  const toSession = createToSession<Data>(settings.appId)
  const listeners = new Set<(change: SessionChange<Data>) => void>()
  /** Whose each access token is that there has been. */
  const owners: { [accessToken: string]: string | undefined } = {}

  const store = createRecordStore(settings, (next, previous, reason) => {
    const change = { session: toSession(next), previous: toSession(previous), reason }
    owners[next.access_token as string] = next.user_id
    listeners.forEach((listener) => tell(listener, change))
  })
  // Before there are listeners: what was stored already is no change.
  store.read()
  const singleFlight = createSingleFlight<TokenPair>(start && start(store, settings))
  const renewal = createRenewal(settings, store, singleFlight)
  const send = createSend(settings, store, renewal)
  const ready = (onFailure: (error: ClientError) => undefined = ignore) =>
    renewal.pair().then<Session<Data>, undefined>(toSession, onFailure)
  const token = (refused?: TokenPair, owner?: string): Promise<string> =>
    renewal.pair(refused, owner).then(({ access_token }) => access_token)

  const client: Client<Data> = {
    launch: () =>
      ready((error) => {
        // Without a method nothing was called, because of a sign-out for example.
        if (isInDevelopment && error.method) {
          isInDevelopment = false
          // It may be missing.
          console.warn(String(error))
        }
      }).catch(ignore),
    ready: () => ready(),
    session: () => toSession(store.read()),
    login: (options) => renewal.login(Object(options)).then<Session<Data>>(toSession),
    logout: (options) => renewal.logout(Object(options)),
    token: () => token(),
    refused(accessToken) {
      const record = store.read()
      const isCurrent = record.access_token === accessToken
      return isCurrent && isYoung(record)
        ? Promise.reject(new ClientError('invalid_token'))
        : token(isCurrent ? (record as TokenPair) : undefined, owners[accessToken])
    },
    onChange(listener) {
      // It is told in a later turn, when it may have been stopped.
      const listening = (change: SessionChange<Data>): void => {
        if (listeners.has(listening)) listener(change)
      }
      listeners.add(listening)
      return () => listeners.delete(listening)
    },
    request: <T>(options: RequestOptions) =>
      send({ options, call: (native) => settings.wx.request(native) }) as RequestTask<
        ClientResponse<T>
      >,
  }
  if (extend) extend(client, { send, store, renewal, settings })
  return client
}
