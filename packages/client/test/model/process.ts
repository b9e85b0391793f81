import { type Client, createClient } from '@wxlogin/client/full'
import type { FakeWx } from '@wxlogin/client/testing'
import { type Backend, baseUrl, sessionOf } from './backend.js'
import type { StorageVerb, StorageWatch } from './storage-watch.js'
import type { Tampering } from './tampering.js'

export const timeoutMs = 25_000
export const loginTimeoutMs = 10_000

/** One life of the mini program, between a start and the end of its process. */
export interface Process {
  readonly fake: FakeWx
  readonly client: Client
  readonly underWay: Set<{ readonly label: string; readonly dueMs: number }>
  /** It could not write once, so that it may know what nobody else does. */
  readonly isAlone: () => boolean
}

export interface ProcessOptions {
  readonly name: string
  readonly fake: FakeWx
  /** What this person has in storage. */
  readonly area: Map<string, string>
  readonly backend: Backend
  readonly storage: StorageWatch
  readonly tampering: Tampering
  /** Comes between a call of `wx` and its answer. */
  readonly pause: (what: string) => Promise<unknown>
  /** True time, which is not the phone's. */
  readonly now: () => number
  /** Called before `wx.login` does anything. */
  readonly onLogin: (process: Pick<Process, 'underWay'>) => void
  /** Said before the client is made, which may be the last that this process does. */
  readonly onBirth: (process: Pick<Process, 'underWay'>) => void
  readonly isAlive: (process: Pick<Process, 'underWay'>) => boolean
}

/** The real client on a `wx` that is watched and tampered with, as long as it lives. */
export function startProcess({
  name,
  fake,
  area,
  backend,
  storage,
  tampering,
  pause,
  now,
  onLogin,
  onBirth,
  isAlive: lives,
}: ProcessOptions): Process {
  const newborn = { underWay: new Set<{ readonly label: string; readonly dueMs: number }>() }
  const isAlive = () => lives(newborn)
  const inFlight = new Set<{ sinceMs: number }>()
  const failedWritesBefore = storage.failedWrites()
  onBirth(newborn)

  /** One at a time. What was given up at its deadline has no way to end. */
  function login(options: Parameters<FakeWx['login']>[0] = {}): void {
    if (!isAlive()) return
    const call = { sinceMs: now() }
    const isYoung = ({ sinceMs }: { sinceMs: number }) => now() - sinceMs < loginTimeoutMs
    if ([...inFlight].some(isYoung)) backend.violate(`${name} has two wx.login in flight`)
    inFlight.add(call)
    onLogin(newborn)
    const end = () => inFlight.delete(call)
    const { success, fail } = tampering.of(options, isAlive)
    pause(`${name} wx.login`).then(() =>
      fake.login({
        success(result) {
          end()
          success(result)
        },
        fail(failure) {
          end()
          fail(failure)
        },
      }),
    )
  }

  const watched = <A extends unknown[], R>(verb: StorageVerb, run: (...args: A) => R) =>
    storage.watched(verb, area, run, isAlive)

  const client = createClient({
    baseUrl,
    timeoutMs,
    loginTimeoutMs,
    wx: {
      ...fake,
      login,
      request(options) {
        const sentMs = now()
        const learning: typeof options = {
          ...options,
          success(response) {
            const { access_token } = Object(response.data)
            // What comes after the deadline is not looked at any more.
            const isInTime = now() - sentMs < loginTimeoutMs
            if (access_token && isInTime) backend.learned.add(sessionOf(access_token))
            options.success?.(response)
          },
        }
        return fake.request({ ...learning, ...tampering.of(learning, isAlive) })
      },
      getStorageSync: watched('get', fake.getStorageSync),
      setStorageSync: watched('set', fake.setStorageSync),
      // Not every runtime has them.
      ...('getRandomValues' in fake && {
        getRandomValues: (options: Parameters<FakeWx['getRandomValues']>[0]) =>
          fake.getRandomValues({ ...options, ...tampering.of(options, isAlive) }),
      }),
      ...('removeStorageSync' in fake && {
        removeStorageSync: watched('remove', fake.removeStorageSync),
      }),
    },
  })
  return {
    ...newborn,
    fake,
    client,
    isAlone: () => storage.failedWrites() > failedWritesBefore,
  }
}
