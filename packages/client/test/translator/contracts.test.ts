import { beforeAll, describe, expect, test } from 'vitest'
import { contracts } from './contracts.js'
import { play, type Row } from './play.js'

const names = contracts.map((create) => create().name)
let rows: readonly Row[] = []

beforeAll(async () => {
  rows = await play(contracts)
})

/** Calls of wx.login, logins, refreshes and requests, and what became of the ten. */
const played = (name: string) =>
  Object.fromEntries(
    rows
      .filter(({ project }) => project === name)
      .map(({ title, calls, answers }) => [
        title,
        `${Object.values(calls).join(' ')} → ${answers}`,
      ]),
  )

test.each(names)('%s: every promise that can hold does', (name) => {
  const own = rows.filter(({ project }) => project === name)

  expect(own.length).toBeGreaterThan(3)
  expect(own.filter(({ broken }) => broken.length > 0)).toEqual([])
})

describe('what ten requests come to', () => {
  const always = {
    'upload, download, socket': '0 0 0 2 → 3 of 3 with the token',
    'after logout()': '0 0 0 0 → 10 signed_out',
  }
  const silent = {
    cold: '1 1 0 10 → 10 ok',
    "the login's answer is lost": '2 2 0 10 → 10 ok',
  }
  const withoutRefresh = { 'the token is dead': '1 1 0 20 → 10 ok' }
  const withRefresh = {
    'the token is dead': '0 0 1 20 → 10 ok',
    'its time is over': '0 0 1 10 → 10 ok',
    'the refresh token is dead too': '1 1 1 20 → 10 ok',
  }
  const refused = (reason: string) => ({
    'refused at first, then login({ input })': `2 2 0 10 → 10 signed_out, access_denied ${reason}; then 10 ok`,
  })

  test.each([
    [
      'litemall',
      // Without user ids nobody can tell.
      { ...silent, ...withoutRefresh, 'somebody else logs in': '1 1 0 20 → 10 ok' },
    ],
    [
      'Sa-Token',
      { ...silent, ...withoutRefresh, 'somebody else logs in': '1 1 0 10 → 10 user_changed' },
    ],
    [
      'yudao',
      {
        ...refused('not_bound'),
        ...withRefresh,
        // Its refresh may be repeated.
        "the refresh's answer is lost": '0 0 2 20 → 10 ok',
        'somebody else logs in': '1 1 1 10 → 10 user_changed',
      },
    ],
    [
      'unibest',
      {
        ...silent,
        ...withRefresh,
        // Its refresh token rotates, so a silent login follows.
        "the refresh's answer is lost": '1 1 2 20 → 10 ok',
        'somebody else logs in': '1 1 1 20 → 10 ok',
      },
    ],
    [
      'RuoYi',
      {
        'refused at first, then login({ input })':
          '0 1 0 10 → 10 signed_out, signed_out login_required; then 10 ok',
        // Nothing is sent to /login.
        'the token is dead': '0 0 0 10 → 10 signed_out',
        // The session that was there goes on.
        'a wrong password': '0 1 0 10 → access_denied 用户不存在/密码错误; then 10 ok',
      },
    ],
    [
      'CRMEB',
      {
        ...refused('bind_phone'),
        ...withoutRefresh,
        'somebody else logs in': '1 1 0 10 → 10 user_changed',
      },
    ],
    [
      'Tokens as a parameter',
      {
        ...refused('not_registered'),
        ...withoutRefresh,
        'somebody else logs in': '1 1 0 10 → 10 user_changed',
      },
    ],
  ])('%s', (name, cases) => {
    expect(played(name)).toEqual({ ...cases, ...always })
  })

  test('every contract is among them', () => {
    expect([...names].sort()).toEqual([...new Set(rows.map(({ project }) => project))].sort())
  })
})
