import type { FakeWeChatLogins } from './logins.js'
import type { FakeWeChatAppChoice, People } from './people.js'

const maxBytes = 256 * 1024

/** What pre-fetching needs of a `fetch`; the global one fits. */
export type FakeWeChatPrefetchFetch = (
  url: string,
  init: { method: 'GET'; redirect: 'manual'; signal: AbortSignal },
) => Promise<{ readonly status: number; text(): Promise<string> }>

export interface FakeWeChatPrefetchOptions extends FakeWeChatAppChoice {
  /** The page that the person opens (default `pages/index/index`). */
  readonly path?: string
  /** The page's own query string, for example `id=7&from=share` (default empty). */
  readonly query?: string
  /** WeChat's scene value: where the person opened it from (default 1001, the list of recent ones). */
  readonly scene?: number
  /** In milliseconds since the epoch (default now). */
  readonly timestamp?: number
  /** The version of the mini program (default `1.0.0`). */
  readonly customMiniprogramVersion?: string
  /** When WeChat gives up, in milliseconds (default 5000). WeChat publishes no such limit. */
  readonly timeoutMs?: number
  /** Sends the call to the backend (default: the global `fetch`). */
  readonly fetch?: FakeWeChatPrefetchFetch
}

export interface FakeWeChatPrefetched {
  /** The status of the backend's answer; 0 if there was none in time. */
  readonly status: number
  /**
   * What `wx.getBackgroundFetchData` gives to the mini program; empty when there is nothing to give: the answer was
   * late, or larger than 256 KB.
   */
  readonly body: string
}

/** Data pre-fetch (数据预拉取). */
export interface FakeWeChatPrefetch {
  /**
   * What WeChat does while a mini program starts cold: it calls the backend's URL with a login code of this person,
   * which may replace the session_key, and keeps the answer for the mini program.
   * Rejects when the backend cannot be reached.
   * https://developers.weixin.qq.com/miniprogram/dev/framework/ability/pre-fetch.html
   */
  prefetch(
    url: string,
    person: string,
    options?: FakeWeChatPrefetchOptions,
  ): Promise<FakeWeChatPrefetched>
}

interface PrefetchOptions {
  readonly people: People
  readonly logins: FakeWeChatLogins
  readonly now: () => number
}

export function createPrefetch({ people, logins, now }: PrefetchOptions): FakeWeChatPrefetch {
  return {
    async prefetch(
      url,
      person,
      {
        path = 'pages/index/index',
        query = '',
        scene = 1001,
        timestamp = now(),
        customMiniprogramVersion = '1.0.0',
        timeoutMs = 5000,
        fetch = globalThis.fetch,
        ...choice
      } = {},
    ) {
      const target = new URL(url)
      const call = {
        appid: people.appOf(choice).appId,
        code: logins.codeFor(person, choice),
        timestamp,
        path,
        query,
        scene,
        customMiniprogramVersion,
      }
      for (const [name, value] of Object.entries(call)) target.searchParams.set(name, `${value}`)

      return answerInTime(timeoutMs, async (signal) => {
        const response = await fetch(target.href, { method: 'GET', redirect: 'manual', signal })
        const body = await response.text()
        return {
          status: response.status,
          body: Buffer.byteLength(body) > maxBytes ? '' : body,
        }
      })
    },
  }
}

/** Works even if `fetch` ignores its signal. */
async function answerInTime(
  timeoutMs: number,
  ask: (signal: AbortSignal) => Promise<FakeWeChatPrefetched>,
): Promise<FakeWeChatPrefetched> {
  const controller = new AbortController()
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<FakeWeChatPrefetched>((resolve) => {
    timer = setTimeout(() => {
      // Before the abort, whose error would win otherwise.
      resolve({ status: 0, body: '' })
      controller.abort()
    }, timeoutMs)
  })
  try {
    return await Promise.race([late, ask(controller.signal)])
  } finally {
    clearTimeout(timer)
  }
}
