import type { SessionRecord } from '../../src/session.js'
import { toTombstone } from '../../src/session.js'
import { endingOf, rotate } from '../../src/sessions/rotation.js'
import type { Bounds } from './steps.js'

/** What the model drives: the real rules, or those with one thing changed. */
export interface Rules {
  readonly rotate: typeof rotate
  readonly endingOf: typeof endingOf
  /** What is left of a session that the app revokes. */
  revoke(record: SessionRecord, now: number): SessionRecord | undefined
  /** Whether the store writes only onto the version that was read. */
  readonly comparesVersions: boolean
  /** `/phone` that leads to another user gives the session to that user, in place of opening one. */
  readonly movesSessions: boolean
  /** The client leaves a pair alone that is younger than its requests may be. */
  readonly sparesYoungPairs: boolean
  /** The client sends the key that it keeps with the token, and not a new one each time. */
  readonly keepsKeys: boolean
  /** A request that is open when the store fails over comes to nothing. */
  readonly failoverEndsRequests: boolean
}

export const realRules: Rules = {
  rotate,
  endingOf,
  revoke: (record, now) => toTombstone(record, 'revoked', now),
  comparesVersions: true,
  movesSessions: false,
  sparesYoungPairs: true,
  keepsKeys: true,
  failoverEndsRequests: true,
}

export interface BrokenRules {
  readonly name: string
  readonly en: string
  readonly zh: string
  /** What has to happen for it to matter. */
  readonly bounds: Partial<Bounds>
  readonly rules: Rules
}

/** Rules that are in use elsewhere, or were here, or are one slip away. */
export const brokenRules: readonly BrokenRules[] = [
  {
    name: 'strict',
    en: 'Strict rotation: no idempotency key, a refresh token that was used before is a theft',
    zh: '严格轮换：没有幂等键，用过的刷新令牌再来就算被盗',
    bounds: {},
    rules: {
      ...realRules,
      rotate(record, presented, now, lifetimes) {
        const isNewest = !record || presented.generation >= record.generation
        const noKey = { ...presented, idempotencyKeyHash: '' }
        return rotate(record, isNewest ? presented : noKey, now, lifetimes)
      },
    },
  },
  {
    name: 'grace',
    en: 'A grace period in place of the key: the token before the newest is taken from anybody',
    zh: '用宽限期代替幂等键：上一个令牌谁拿来都认',
    bounds: { thefts: 1 },
    rules: {
      ...realRules,
      rotate(record, presented, now, lifetimes) {
        const isOneBehind = record && presented.generation === record.generation - 1
        const idempotencyKeyHash = isOneBehind
          ? record.idempotencyKeyHash
          : presented.idempotencyKeyHash
        return rotate(record, { ...presented, idempotencyKeyHash }, now, lifetimes)
      },
    },
  },
  {
    name: 'refuses only',
    en: 'A token that was used twice is refused, and its session goes on',
    zh: '令牌被用两次时只拒绝，会话照旧',
    bounds: { thefts: 1 },
    rules: {
      ...realRules,
      rotate(record, presented, now, lifetimes) {
        const verdict = rotate(record, presented, now, lifetimes)
        return verdict.kind === 'reused' && record ? { kind: 'reused', record } : verdict
      },
    },
  },
  {
    name: 'heals in place',
    en: 'A token that is newer than the record is accepted without counting as used',
    zh: '令牌比记录新时予以接受，但不算用过',
    bounds: { failovers: 1 },
    rules: {
      ...realRules,
      rotate(record, presented, now, lifetimes) {
        const verdict = rotate(record, presented, now, lifetimes)
        if (verdict.kind !== 'healed') return verdict
        const { record: healed } = verdict
        return { kind: 'healed', record: { ...healed, generation: presented.generation } }
      },
    },
  },
  {
    name: 'heals first',
    en: 'A token that is newer than the record is accepted before anybody looks whether the session has ended',
    zh: '令牌比记录新时，不看会话是否已结束就先接受',
    bounds: { thefts: 1, failovers: 1, revocations: 1 },
    rules: {
      ...realRules,
      rotate(record, presented, now, lifetimes) {
        if (!record || presented.generation <= record.generation) {
          return rotate(record, presented, now, lifetimes)
        }
        const { revokedAt: _revokedAt, revokedReason: _revokedReason, ...live } = record
        return rotate(live, presented, now, lifetimes)
      },
    },
  },
  {
    name: 'deletes',
    en: 'A session that the app revokes is deleted, in place of a tombstone',
    zh: '应用吊销会话时直接删除，不留墓碑',
    bounds: { revocations: 1 },
    rules: { ...realRules, revoke: () => undefined },
  },
  {
    name: 'overwrites',
    en: 'A refresh writes without comparing the version that it read',
    zh: '续期写入时不比较读到的版本',
    bounds: { revocations: 1 },
    rules: { ...realRules, comparesVersions: false },
  },
  {
    name: 'moves',
    en: '`/phone` gives the session to the other user, in place of opening a new one',
    zh: '`/phone` 把会话改到另一用户名下，而不是开新会话',
    bounds: { thefts: 1, phones: 1 },
    rules: { ...realRules, movesSessions: true },
  },
  {
    name: 'new keys',
    en: 'The client makes a new key for every attempt, in place of the one that it keeps with the token',
    zh: '客户端每次尝试都换新键，而不用与令牌存在一起的那个',
    bounds: {},
    rules: { ...realRules, keepsKeys: false },
  },
  {
    name: 'hurries',
    en: 'The client refreshes a pair again before everything sent with the one before has died',
    zh: '上一对令牌发出的请求还没消亡，客户端就用新的一对再次续期',
    bounds: {},
    rules: { ...realRules, sparesYoungPairs: false },
  },
  {
    name: 'outlives',
    en: 'A request that is open while the store fails over goes on, and writes what it decided before',
    zh: '存储切换时正在处理的请求继续下去，写入切换前的判定',
    bounds: { thefts: 1, failovers: 1, revocations: 1 },
    rules: { ...realRules, failoverEndsRequests: false },
  },
]
