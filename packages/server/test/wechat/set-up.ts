import { onTestFinished } from 'vitest'
import {
  createFakeWeChat,
  type FakeWeChat,
  type FakeWeChatOptions,
} from '../../src/testing/index.js'
import { createWeChat, type OwnWeChat, type WeChatOptions } from '../../src/wechat/index.js'
import { type Clock, createClock } from '../set-up.js'

/** The ways to the emulated WeChat: as a `fetch`, and by the `fetch` of the defaults over real connections. */
export const doors = ['fetch', 'http'] as const

export interface WeChatSetUp {
  wechat: OwnWeChat
  fake: FakeWeChat
  clock: Clock
  /** Everything that `wechat` reported, the oldest first. */
  events: Parameters<NonNullable<WeChatOptions['onEvent']>>[0][]
}

interface WeChatSetUpOptions extends Partial<WeChatOptions> {
  door?: (typeof doors)[number]
}

/** A `WeChat` with an emulated one behind it, and a clock that stands still until it is advanced. */
export async function setUpWeChat(
  { door = 'fetch', ...options }: WeChatSetUpOptions = {},
  fakeOptions: Omit<FakeWeChatOptions, 'now'> = {},
): Promise<WeChatSetUp> {
  const clock = createClock()
  const fake = createFakeWeChat({ ...fakeOptions, now: clock.now })
  const events: WeChatSetUp['events'] = []
  const wechat = createWeChat({
    appId: fake.app.appId,
    appSecret: fake.app.appSecret,
    ...(door === 'fetch' ? { fetch: fake.fetch } : { wechatHosts: [await listen(fake)] }),
    now: clock.now,
    onEvent: (event) => events.push(event),
    ...options,
  })
  onTestFinished(() => wechat.close())
  return { wechat, fake, clock, events }
}

/** Where it listens, until the test is over. */
export async function listen(fake: FakeWeChat): Promise<string> {
  const server = await fake.listen()
  onTestFinished(() => server.close())
  return server.url
}

export const pathsOf = (fake: FakeWeChat): string[] => fake.calls.map(({ path }) => path)

/** Holds up whoever waits until it is opened. */
export function createGate(): { readonly opened: Promise<void>; open(): void } {
  let open = () => {}
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return { opened, open }
}
