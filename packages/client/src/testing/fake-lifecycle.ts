import type { WxLaunchOptions } from '../wx.js'
import type { FakeClock } from './fake-clock.js'

/** What `App.onLaunch` and `App.onShow` get. */
export interface FakeLaunchOptions extends WxLaunchOptions {
  readonly scene: number
  readonly apiCategory: string
  readonly path: string
  readonly query: Readonly<Record<string, string>>
}

/** How the app was opened: default scene 1001, the first page, no query. */
export type FakeEntry = Partial<Pick<FakeLaunchOptions, 'scene' | 'path' | 'query'>>

/** One process: in front, in background, suspended, ended. */
export interface FakeLifecycle {
  readonly showListeners: Set<(options: FakeLaunchOptions) => void>
  readonly hideListeners: Set<() => void>
  launchOptions(): FakeLaunchOptions
  enterOptions(): FakeLaunchOptions
  isSinglePage(): boolean
  isHidden(): boolean
  isEnded(): boolean
  /** Calls back in a later turn, when the app is suspended in the foreground, and never when it has ended. */
  deliver(callback: () => void): void
  launch(entry?: FakeEntry): FakeLaunchOptions
  show(entry?: FakeEntry): void
  hide(): void
  end(): void
}

const singlePageScene = 1154
const suspendAfterMs = 5_000

export function createLifecycle(options: {
  readonly clock: FakeClock
  readonly scene: number
  readonly onSuspend: () => void
}): FakeLifecycle {
  const { clock, scene, onSuspend } = options
  const showListeners = new Set<(options: FakeLaunchOptions) => void>()
  const hideListeners = new Set<() => void>()
  let launchOptions = launchOptionsOf({ scene })
  let enterOptions = launchOptions
  let hidden: { readonly since: number; readonly timer: unknown } | undefined
  let isSuspended = false
  let isEnded = false
  let held: (() => void)[] = []

  function deliver(callback: () => void): void {
    void inLaterTurn(() => {
      if (isEnded) return
      if (isSuspended) held.push(callback)
      else callback()
    })
  }

  function suspend(): void {
    isSuspended = true
    onSuspend()
  }

  function comeToFront(): void {
    if (!hidden) return
    // The timer may be late: a test can set the clock without running timers.
    if (clock.now() - hidden.since >= suspendAfterMs) suspend()
    clock.clearTimeout(hidden.timer)
    hidden = undefined
    isSuspended = false
  }

  return {
    showListeners,
    hideListeners,
    launchOptions: () => launchOptions,
    enterOptions: () => enterOptions,
    isSinglePage: () => launchOptions.scene === singlePageScene,
    isHidden: () => hidden !== undefined,
    isEnded: () => isEnded,
    deliver,

    launch(entry = {}) {
      launchOptions = launchOptionsOf({ scene, ...entry })
      enterOptions = launchOptions
      return launchOptions
    },

    show(entry = {}) {
      comeToFront()
      enterOptions = launchOptionsOf({ ...enterOptions, ...entry })
      for (const listener of [...showListeners]) listener(enterOptions)
      const waiting = held
      held = []
      for (const callback of waiting) deliver(callback)
    },

    hide() {
      if (hidden) return
      hidden = { since: clock.now(), timer: clock.setTimeout(suspend, suspendAfterMs) }
      for (const listener of [...hideListeners]) listener()
    },

    end() {
      isEnded = true
      if (hidden) clock.clearTimeout(hidden.timer)
    },
  }
}

/** A native promise turn: out of reach of fake timers and of a replaced `globalThis.Promise`. */
async function inLaterTurn(run: () => void): Promise<void> {
  await undefined
  run()
}

function launchOptionsOf(entry: FakeEntry): FakeLaunchOptions {
  const { scene = 1001, path = 'pages/index/index', query = {} } = entry
  return {
    scene,
    path,
    query,
    apiCategory: scene === singlePageScene ? 'browseOnly' : 'default',
  }
}
