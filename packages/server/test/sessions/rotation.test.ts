import { expect, test } from 'vitest'
import type { SessionRecord } from '../../src/session.js'
import { rotate } from '../../src/sessions/rotation.js'

// The table of DESIGN §6, row by row. It is pure, so it is tested as a table and not through a login.

const lifetimes = { idleTtlSeconds: 100 }

const record: SessionRecord = {
  v: 1,
  id: 'session',
  version: 7,
  method: 'code',
  userId: 'user',
  appId: 'wx0000000000000001',
  openid: 'openid',
  sealedKey: 'kid.sealed',
  generation: 3,
  idempotencyKeyHash: 'hash-of-the-key-that-made-generation-3',
  data: { from: 'onLogin' },
  createdAt: 1000,
  authenticatedAt: 1000,
  lastRefreshAt: 1000,
  endsAt: 5000,
  expiresAt: 1100,
}

test('an unknown session is refused', () => {
  const verdict = rotate(
    undefined,
    { generation: 3, createdAt: 1000, idempotencyKeyHash: 'key' },
    1050,
    lifetimes,
  )

  expect(verdict).toEqual({ kind: 'refused', reason: 'unknown' })
})

test.each([
  { now: 1099, kind: 'rotated' },
  { now: 1100, kind: 'refused' },
  { now: 9999, kind: 'refused' },
])('at $now a session that expires at 1100 is $kind', ({ now, kind }) => {
  const verdict = rotate(
    record,
    { generation: 3, createdAt: 1000, idempotencyKeyHash: 'key' },
    now,
    lifetimes,
  )

  expect(verdict.kind).toBe(kind)
})

test.each([
  { revokedReason: 'revoked', reason: 'revoked' },
  { revokedReason: 'password_changed', reason: 'revoked' },
  { revokedReason: 'reused', reason: 'reused' },
])('a tombstone with the reason $revokedReason says $reason', ({ revokedReason, reason }) => {
  const tombstone = { ...record, revokedAt: 1010, revokedReason }

  const verdict = rotate(
    tombstone,
    { generation: 3, createdAt: 1000, idempotencyKeyHash: 'key' },
    1050,
    lifetimes,
  )

  expect(verdict).toEqual({ kind: 'refused', reason })
})

test('the current generation rotates: the next one, the new key, a new idle end, no data any more', () => {
  const verdict = rotate(
    record,
    { generation: 3, createdAt: 1000, idempotencyKeyHash: 'new-key' },
    1050,
    lifetimes,
  )

  const { data: _data, ...rest } = record
  expect(verdict).toEqual({
    kind: 'rotated',
    record: {
      ...rest,
      version: 8,
      generation: 4,
      idempotencyKeyHash: 'new-key',
      lastRefreshAt: 1050,
      expiresAt: 1150,
    },
  })
})

test('no rotation moves the absolute end', () => {
  const old = { ...record, expiresAt: 4999 }

  const verdict = rotate(
    old,
    { generation: 3, createdAt: 1000, idempotencyKeyHash: 'new-key' },
    4990,
    lifetimes,
  )

  expect(verdict.record).toMatchObject({ expiresAt: 5000, endsAt: 5000 })
})

test('the previous generation with the key that replaced it is a retry, and changes nothing', () => {
  const presented = {
    generation: 2,
    createdAt: 1000,
    idempotencyKeyHash: record.idempotencyKeyHash,
  }

  expect(rotate(record, presented, 1050, lifetimes)).toEqual({ kind: 'retried' })
})

test('a generation that the store has not heard of heals it forward', () => {
  const verdict = rotate(
    record,
    { generation: 9, createdAt: 1000, idempotencyKeyHash: 'key' },
    1050,
    lifetimes,
  )

  expect(verdict).toMatchObject({
    kind: 'healed',
    record: { generation: 10, createdAt: 1000, idempotencyKeyHash: 'key', version: 8 },
  })
})

test.each([
  {
    what: 'the previous generation with another key',
    generation: 2,
    idempotencyKeyHash: 'another key',
  },
  { what: 'an older generation', generation: 1, idempotencyKeyHash: 'another key' },
  {
    what: 'an older generation with the last key',
    generation: 1,
    idempotencyKeyHash: record.idempotencyKeyHash,
  },
  { what: 'the first generation', generation: 0, idempotencyKeyHash: record.idempotencyKeyHash },
])('$what is a copy, and ends the session', ({ generation, idempotencyKeyHash }) => {
  const verdict = rotate(
    record,
    { generation, createdAt: 1000, idempotencyKeyHash },
    1050,
    lifetimes,
  )

  const { data: _data, sealedKey: _sealedKey, openid: _openid, ...rest } = record
  expect(verdict).toEqual({
    kind: 'reused',
    record: { ...rest, version: 8, expiresAt: 5000, revokedAt: 1050, revokedReason: 'reused' },
  })
})

test('an expired session says so', () => {
  const verdict = rotate(
    record,
    { generation: 3, createdAt: 1000, idempotencyKeyHash: 'key' },
    1100,
    lifetimes,
  )

  expect(verdict).toEqual({ kind: 'refused', reason: 'expired' })
})

test.each([
  { age: 599, isKept: true },
  { age: 600, isKept: false },
])('$age seconds after a login its key is kept: $isKept', ({ age, isKept }) => {
  const byCode = {
    ...record,
    loginIdempotencyKeyHash: 'hash-of-the-key-of-the-login',
    expiresAt: 5000,
  }

  const verdict = rotate(
    byCode,
    { generation: 3, createdAt: 1000, idempotencyKeyHash: 'key' },
    1000 + age,
    lifetimes,
  )

  expect(Object.keys(verdict.record ?? {}).includes('loginIdempotencyKeyHash')).toBe(isKept)
})

test('a session that no code made has no key of a login after a rotation', () => {
  const verdict = rotate(
    record,
    { generation: 3, createdAt: 1000, idempotencyKeyHash: 'key' },
    1050,
    lifetimes,
  )

  expect(Object.keys(verdict.record ?? {})).not.toContain('loginIdempotencyKeyHash')
})
