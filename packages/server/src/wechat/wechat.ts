import {
  type BreakerEvent,
  type MisconfiguredEvent,
  silenced,
  type WeChatEvent,
} from '../events.js'
import { checkDuration } from '../option-checks.js'
import type { AppCredentials } from './code2session.js'
import { checkHosts } from './hosts.js'
import type { FetchLike } from './http-client.js'
import { createMiniProgram, type WeChat } from './mini-program.js'
import { createTransport } from './transport.js'

export interface WeChatOptions extends AppCredentials {
  /** How WeChat is reached (default: undici with a keep-alive agent of its own). */
  fetch?: FetchLike
  /**
   * Where WeChat is, as origins (default `['https://api.weixin.qq.com']`). The next one is tried when a connection
   * cannot be made, and stays in use; every 30 seconds the first is tried again. Plain http only to this machine.
   */
  hosts?: readonly string[]
  /** How long a call may take in all, in milliseconds (default 5,000). Connecting may take 2,000 of them. */
  timeoutMs?: number
  /** The clock, in milliseconds since the epoch (default `Date.now`). */
  now?: () => number
  /** Called with every call to WeChat. What it throws is ignored. */
  onEvent?: (event: WeChatEvent | MisconfiguredEvent | BreakerEvent) => void
}

/** A {@link WeChat} with connections of its own. */
export interface OwnWeChat extends WeChat {
  /** Ends the connections, after the answers under way. */
  close(): Promise<void>
}

/**
 * WeChat's server interfaces for one mini program, without sessions; `createAuth` brings its own. Throws a `TypeError`
 * that names the option when one is wrong.
 *
 * @example
 * const wechat = createWeChat({ appId, appSecret })
 * const { phoneNumber } = await wechat.phoneNumber(code)
 */
export function createWeChat({
  appId,
  appSecret,
  fetch,
  hosts = ['https://api.weixin.qq.com'],
  timeoutMs = 5000,
  now = Date.now,
  onEvent = () => undefined,
}: WeChatOptions): OwnWeChat {
  for (const [name, value] of Object.entries({ appId, appSecret })) checkCredential(name, value)
  for (const [name, hook] of Object.entries({ fetch, now, onEvent })) {
    if (hook !== undefined && typeof hook !== 'function') {
      throw new TypeError(`${name} must be a function`)
    }
  }
  checkDuration('timeoutMs', timeoutMs)
  const transport = createTransport({
    fetch,
    hosts: checkHosts('hosts', hosts),
    timeoutMs,
    now,
    emit: silenced(onEvent),
  })
  const credentials = { appId, appSecret }
  const wechat = createMiniProgram(transport, { appId, credentials: async () => credentials, now })
  return { ...wechat, close: transport.close }
}

function checkCredential(name: string, value: unknown): void {
  if (typeof value !== 'string' || value === '') {
    throw new TypeError(`${name} must be a non-empty string; is the environment variable set?`)
  }
  if (value !== value.trim()) throw new TypeError(`${name} has white space around it`)
}
