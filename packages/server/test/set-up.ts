import { randomBytes } from 'node:crypto'
import { type Auth, type AuthEvent, type AuthOptions, createAuth } from '../src/index.js'
import { createFakeWeChat, type FakeWeChat, type FakeWeChatOptions } from '../src/testing/index.js'

/** The secret of every `auth` made here, unless a test brings its own. */
export const testSecret = 'Zb3vK9qR1tXw7LmN5pYc2HdJ8sFgA4eU6oTiVnQkBx0'

export interface Clock {
  /** In milliseconds, as `createAuth` takes it. */
  now(): number
  advance(seconds: number): void
}

export function createClock(startAt = 1_800_000_000): Clock {
  let nowMs = startAt * 1000
  return {
    now: () => nowMs,
    advance(seconds) {
      nowMs += seconds * 1000
    },
  }
}

export interface SetUp<Claims extends object = object> {
  auth: Auth<Claims>
  wechat: FakeWeChat
  clock: Clock
  /** Everything that `auth` reported, the oldest first. */
  events: AuthEvent[]
}

/** The secret part of the path of the pre-fetch route, wherever a test serves one. */
export const prefetchPath = 'an-unguessable-path-1234'

/** An `auth` with an emulated WeChat behind it and a clock that stands still until it is advanced. */
export function setUp<Claims extends object = object>(
  options: Partial<AuthOptions<Claims>> = {},
  wechatOptions: Omit<FakeWeChatOptions, 'now'> = {},
): SetUp<Claims> {
  const clock = createClock()
  const now = options.now ?? clock.now
  const wechat = createFakeWeChat({ ...wechatOptions, now })
  const events: AuthEvent[] = []
  const auth = createAuth<Claims>({
    apps: [wechat.app],
    secret: testSecret,
    fetch: wechat.fetch,
    now,
    ...(options.onPrefetch && { prefetchPath }),
    ...options,
    onEvent: (event) => {
      events.push(event)
      options.onEvent?.(event)
    },
  })
  return { auth, wechat, clock, events }
}

/** An idempotency key that no other attempt has. */
export const newKey = (): string => randomBytes(16).toString('base64url')

/**
 * Does something, and then keeps this process from everything else, as a long garbage collection does. What is due comes
 * before what has arrived.
 */
export function blockLoop(forMs: number, first: () => void): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(() => {
      first()
      const endMs = performance.now() + forMs
      while (performance.now() < endMs);
      resolve()
    })
  })
}

/** Numbers below one that look random and are the same in every run (xorshift32). */
export function createDice(seed: number): () => number {
  let state = seed | 0 || 1
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) / 2 ** 32
  }
}
