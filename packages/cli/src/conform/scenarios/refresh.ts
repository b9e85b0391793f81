import type { Scenario, Step } from '../scenario.js'
import { dead, malformed, refresh, refusal, signIn, succeeds } from './parts.js'

export const refreshes: readonly Scenario[] = [
  {
    name: 'refresh',
    about: { en: 'A refresh gives the successor', zh: '续期得到下一代令牌' },
    steps: [
      signIn('alice', 'first'),
      refresh('first', 'a', {
        as: 'second',
        expect: [
          {
            of: 'S-REFRESH-1',
            status: 200,
            members: { refresh_token: { isNot: '$first.refresh_token' } },
          },
          { of: 'S-TOKEN-4', members: { user_id: { is: '$first.user_id' } } },
          { of: 'S-REFRESH-12', status: 200, members: { data: 'absent' } },
        ],
      }),
      refresh('second', 'b', {
        as: 'third',
        expect: [
          {
            of: 'S-REFRESH-1',
            status: 200,
            members: { refresh_token: { isNot: '$second.refresh_token' } },
          },
        ],
      }),
      refresh('third', 'c', { expect: [{ of: 'S-REFRESH-1', ...succeeds }] }),
    ],
  },
  {
    name: 'refresh-answer-lost',
    about: {
      en: 'The answer to a refresh is lost, and the phone sends it again, and again',
      zh: '续期的应答丢失，手机一再重发同一请求',
    },
    steps: [
      signIn('alice', 'first'),
      refresh('first', 'a', { as: 'second' }),
      ...['one', 'two', 'three'].map((as) =>
        refresh('first', 'a', {
          as,
          expect: [
            {
              of: ['S-REFRESH-1', 'S-REFRESH-5'],
              status: 200,
              members: { refresh_token: { is: '$second.refresh_token' } },
            },
          ],
        }),
      ),
      refresh('three', 'b', { as: 'next', expect: [{ of: 'S-REFRESH-1', ...succeeds }] }),
      refresh('next', 'c', { expect: [{ of: 'S-REFRESH-1', ...succeeds }] }),
    ],
  },
  {
    name: 'refresh-twice-at-once',
    about: { en: 'The same refresh arrives twice at once', zh: '同一个续期请求同时到达两次' },
    steps: [
      signIn('alice', 'first'),
      {
        together: [refresh('first', 'a', { as: 'one' }), refresh('first', 'a', { as: 'two' })],
        expect: [
          { of: ['S-REFRESH-3', 'S-REFRESH-5'], count: 2, are: succeeds, same: 'refresh_token' },
        ],
      },
      refresh('two', 'b', { expect: [{ of: 'S-REFRESH-5', ...succeeds }] }),
    ],
  },
  {
    name: 'theft',
    about: {
      en: 'A refresh token is used a second time, with another key',
      zh: '刷新令牌配着另一个键被第二次使用',
    },
    steps: [
      signIn('alice', 'first'),
      signIn('alice', 'other'),
      refresh('first', 'a', { as: 'second' }),
      refresh('first', 'thief', { expect: [{ of: 'S-REFRESH-1', ...dead('reused') }] }),
      refresh('second', 'b', {
        expect: [{ of: ['S-REFRESH-7', 'S-SESSION-4'], ...dead('reused', 'unknown') }],
      }),
      refresh('first', 'a', {
        expect: [{ of: ['S-REFRESH-7', 'S-SESSION-4'], ...dead('reused', 'unknown') }],
      }),
      refresh('other', 'c', { expect: [{ of: 'S-REFRESH-1', ...succeeds }] }),
    ],
  },
  {
    name: 'theft-of-an-older-token',
    about: {
      en: 'A refresh comes again, with its key, after its successor was used',
      zh: '下一代令牌用过之后，旧的续期请求配着原来的键又来了',
    },
    steps: [
      signIn('alice', 'first'),
      refresh('first', 'a', { as: 'second' }),
      refresh('second', 'b', { as: 'third' }),
      refresh('first', 'a', { expect: [{ of: ['S-REFRESH-1', 'S-TOKEN-3'], ...dead('reused') }] }),
      refresh('third', 'c', {
        expect: [{ of: ['S-REFRESH-7', 'S-SESSION-4'], ...dead('reused', 'unknown') }],
      }),
    ],
  },
  {
    name: 'race',
    about: {
      en: 'Five hold one refresh token and use it at once, four times over',
      zh: '五方持有同一个刷新令牌并同时使用，重复四次',
    },
    steps: ['alice', 'bob', 'carol', 'dave'].flatMap((person): readonly Step[] => [
      signIn(person, person),
      {
        together: ['One', 'Two', 'Three', 'Four', 'Five'].map((key) =>
          refresh(person, `${person}${key}`),
        ),
        expect: [
          { of: 'S-REFRESH-3', count: 1, are: { status: 200 } },
          { of: 'S-REFRESH-3', count: 4, are: refusal(400, 'invalid_grant') },
        ],
      },
    ]),
  },
  {
    name: 'refresh-without-a-key',
    about: { en: 'A refresh without a key changes nothing', zh: '没有键的续期什么也不改变' },
    steps: [
      signIn('alice', 'first'),
      {
        send: 'POST /refresh',
        body: { refresh_token: '$first.refresh_token' },
        expect: [{ of: 'S-KEY-2', ...malformed }],
      },
      refresh('first', 'a', { key: 'abcd', expect: [{ of: 'S-KEY-2', ...malformed }] }),
      refresh('first', 'b', { expect: [{ of: 'S-REFRESH-6', ...succeeds }] }),
    ],
  },
  {
    name: 'foreign-refresh-tokens',
    about: { en: 'Refresh tokens that are none', zh: '不是刷新令牌的文本' },
    steps: [
      signIn('alice', 'first'),
      ...['unheard-of', '$first.access_token'].map((refresh_token) =>
        refresh('first', 'a', {
          body: { refresh_token },
          expect: [{ of: 'S-REFRESH-2', ...dead('unknown') }],
        }),
      ),
      { forge: 'other-signature', from: '$first.refresh_token', as: 'forged' },
      refresh('first', 'b', {
        body: { refresh_token: '$forged.token' },
        expect: [{ of: ['S-REFRESH-2', 'S-TOKEN-2'], ...dead('unknown') }],
      }),
      ...[{}, { refresh_token: '' }, { refresh_token: 7 }, { refresh_token: ['a'] }].map((body) =>
        refresh('first', 'c', { body, expect: [{ of: 'S-HTTP-10', ...malformed }] }),
      ),
      refresh('first', 'd', { expect: [{ of: 'S-REFRESH-6', ...succeeds }] }),
    ],
  },
]
