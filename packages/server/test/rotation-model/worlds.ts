import type { Bounds } from './steps.js'

/** What may happen, and how often. Whatever is not named here may happen at any time, and without end. */
export interface World {
  readonly name: string
  readonly en: string
  readonly zh: string
  readonly bounds: Bounds
  /** How many steps a story has at most, where there are too many for all of them. */
  readonly depth?: number
}

/** A bad network, two instances and restarts; nothing else. */
export const nothing: Bounds = {
  sessions: 2,
  thefts: 0,
  revocations: 0,
  failovers: 0,
  weeks: 0,
  phones: 0,
  signOuts: 0,
  newLogins: 0,
}

const everything: Bounds = {
  sessions: 3,
  thefts: 2,
  revocations: 1,
  failovers: 1,
  weeks: 1,
  phones: 1,
  signOuts: 1,
  newLogins: 1,
}

export const worlds: readonly World[] = [
  {
    name: 'network',
    en: 'A bad network, and a store that fails over twice',
    zh: '网络差，存储切换两次',
    bounds: { ...nothing, failovers: 2 },
  },
  {
    name: 'user',
    en: 'The user signs out, logs in anew and finds the phone number of a member; the app revokes',
    zh: '用户退出、重新登录、绑定到会员的手机号；应用吊销',
    bounds: { ...nothing, sessions: 3, revocations: 1, signOuts: 1, newLogins: 1, phones: 1 },
  },
  {
    name: 'thief',
    en: 'A thief, who copies twice',
    zh: '小偷复制两次',
    bounds: { ...nothing, thefts: 2 },
  },
  {
    name: 'app',
    en: 'A thief, the phone number of a member, and the app revokes',
    zh: '有小偷；绑定到会员的手机号；应用吊销',
    bounds: { ...nothing, thefts: 1, revocations: 1, phones: 1 },
  },
  {
    name: 'time',
    en: 'A thief, and two weeks in which retries and sessions run out',
    zh: '有小偷；两周之内重试与会话先后过期',
    bounds: { ...nothing, thefts: 1, weeks: 2 },
  },
  {
    name: 'store',
    en: 'A thief, and a store that fails over',
    zh: '有小偷；存储切换一次',
    bounds: { ...nothing, thefts: 1, failovers: 1 },
  },
  {
    name: 'everything',
    en: 'All of it, with two thefts',
    zh: '以上全部，小偷复制两次',
    bounds: everything,
    depth: 7,
  },
]

/** For tests that do not wait: everything may happen, in short stories. */
export const shallow = { bounds: everything, depth: 5 }
