import { onTestFinished } from 'vitest'
import type { Account, AppEntry, AppKind, AuthOptions } from '../../src/index.js'
import type { FakeWeChatApp, FakeWeChatOptions } from '../../src/testing/index.js'
import { setUp } from '../set-up.js'
import { listen } from '../wechat/set-up.js'

export const miniProgram: FakeWeChatApp = {
  appId: 'wx00000000000000a1',
  appSecret: 'a'.repeat(32),
  owner: 'acme',
}
export const website = {
  kind: 'website',
  appId: 'wx00000000000000b2',
  appSecret: 'b'.repeat(32),
  owner: 'acme',
} as const
export const account = {
  kind: 'official_account',
  appId: 'wx00000000000000c3',
  appSecret: 'c'.repeat(32),
  owner: 'acme',
} as const
export const corp = { corpId: 'ww00000000000000d4', agentSecret: 'd'.repeat(43) } as const
export const otherCorp = { corpId: 'ww00000000000000e5', agentSecret: 'e'.repeat(43) } as const
export const wecom = {
  kind: 'wecom',
  appId: 'acme-wecom',
  miniProgramAppId: miniProgram.appId,
  ...corp,
} as const satisfies AppEntry

/** The ways to the emulated WeChat: as a `fetch`, and over real HTTP. */
export const doors = ['fetch', 'http'] as const

export interface KindsSetUp {
  readonly door?: (typeof doors)[number]
  readonly options?: Partial<AuthOptions>
  readonly fake?: Omit<FakeWeChatOptions, 'now'>
}

/** One backend for a shop's mini program, website, official account, and mini program inside WeCom. */
export async function setUpKinds({ door = 'fetch', options, fake }: KindsSetUp = {}) {
  const seen: Account[] = []
  const parts = setUp(
    {
      apps: [miniProgram, website, account, wecom],
      onLogin: (one) => void seen.push(one),
      ...options,
    },
    { apps: [miniProgram, website, account], corps: [corp, otherCorp], ...fake },
  )
  if (door === 'fetch') return { ...parts, seen }
  const url = await listen(parts.wechat)
  const { fetch: _fetch, ...others } = options ?? {}
  const over = setUp({
    apps: [miniProgram, website, account, { ...wecom, hosts: [url] }],
    onLogin: (one) => void seen.push(one),
    ...others,
    now: parts.clock.now,
    wechatHosts: [url],
    // The one that the library has.
    ...({ fetch: undefined } as object),
  })
  onTestFinished(() => over.auth.close())
  return { ...parts, auth: over.auth, events: over.events, seen }
}

export type Parts = Awaited<ReturnType<typeof setUpKinds>>

/** A code of each kind, and what a client sends with it. */
export const codes = {
  website: {
    appId: website.appId,
    codeFor: ({ wechat }: Parts, person: string) =>
      wechat.webCodeFor(person, { appId: website.appId }),
    endpoint: 'GET /sns/oauth2/access_token',
  },
  official_account: {
    appId: account.appId,
    codeFor: ({ wechat }: Parts, person: string) =>
      wechat.webCodeFor(person, { appId: account.appId }),
    endpoint: 'GET /sns/oauth2/access_token',
  },
  wecom: {
    appId: miniProgram.appId,
    codeFor: ({ wechat }: Parts, person: string) => wechat.wecomCodeFor(person),
    endpoint: 'GET /cgi-bin/miniprogram/jscode2session',
  },
} as const satisfies Partial<Record<AppKind, object>>

export type ExchangedKind = keyof typeof codes

export const login = (parts: Parts, kind: ExchangedKind, person = 'alice') =>
  parts.auth.login({
    kind,
    appId: codes[kind].appId,
    code: codes[kind].codeFor(parts, person),
  })
