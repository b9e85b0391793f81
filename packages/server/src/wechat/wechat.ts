import { createEmit } from '../emit.js'
import type { BreakerEvent, MisconfiguredEvent, WarningEvent, WeChatEvent } from '../events.js'
import { checkFunctions, checkNames, checkNode, type OptionNames } from '../option-checks.js'
import { type AppCredentials, readCredentials } from './credentials.js'
import { createMiniProgram, type WeChat } from './mini-program.js'
import { createTransport, type WeChatConnectionOptions } from './transport.js'

export interface WeChatOptions extends AppCredentials, WeChatConnectionOptions {
  /** The clock, in milliseconds since the epoch (default `Date.now`). */
  now?: () => number
  /** Called with every event (default: `console.error` for what an operator has to know). Errors of it are ignored. */
  onEvent?: (event: WeChatEvent | MisconfiguredEvent | BreakerEvent | WarningEvent) => void
}

const names: OptionNames<WeChatOptions> = {
  appId: true,
  appSecret: true,
  fetch: true,
  wechatHosts: true,
  allowPlainHttp: true,
  wechatTimeoutMs: true,
  maxLoginsInFlight: true,
  now: true,
  onEvent: true,
}

/** A {@link WeChat} with connections of its own. */
export interface OwnWeChat extends WeChat {
  /** Closes the connections after the calls in flight. */
  close(): Promise<void>
}

/**
 * WeChat's server APIs for one mini program, without sessions; `createAuth` has its own. Throws a `TypeError` that
 * names the wrong option.
 *
 * @example
 * const wechat = createWeChat({ appId, appSecret })
 * const { phoneNumber } = await wechat.phoneNumber(code)
 */
export function createWeChat(options: WeChatOptions): OwnWeChat {
  checkNode()
  checkNames('createWeChat', options, names)
  const { appId, appSecret, now = Date.now, onEvent, ...connection } = options
  checkFunctions({ now })
  const transport = createTransport({ ...connection, now, emit: createEmit(onEvent) })
  const credentials = readCredentials('', { appId, appSecret })
  const wechat = createMiniProgram(transport, { appId, credentials: async () => credentials, now })
  return { ...wechat, close: transport.close }
}
