import type { Expected, Scenario } from '../scenario.js'
import { dead, logout, malformed, refresh, signIn, succeeds } from './parts.js'

const ends: Expected = { status: 204, hasBody: false }
const everywhere = (from: string) => ({ refresh_token: `$${from}.refresh_token`, everywhere: true })

export const logouts: readonly Scenario[] = [
  {
    name: 'logout',
    about: { en: 'A user logs out', zh: '用户退出登录' },
    steps: [
      signIn('alice', 'first'),
      signIn('alice', 'other'),
      logout('first', {
        key: '$key.record',
        expect: [{ of: ['S-HTTP-1', 'S-LOGOUT-1'], ...ends }],
      }),
      refresh('first', 'record', { expect: [{ of: 'S-LOGOUT-2', ...dead('unknown') }] }),
      logout('first', { key: '$key.record', expect: [{ of: 'S-LOGOUT-1', ...ends }] }),
      refresh('other', 'a', { expect: [{ of: 'S-LOGOUT-2', ...succeeds }] }),
      logout('other', { key: '', expect: [{ of: 'S-KEY-3', ...ends }] }),
      refresh('other', 'a', { expect: [{ of: 'S-KEY-3', ...dead('unknown') }] }),
    ],
  },
  {
    name: 'logout-of-nobody',
    about: { en: 'A logout with a token that nobody knows', zh: '用无人认识的令牌退出' },
    steps: [
      signIn('alice', 'first'),
      { forge: 'other-signature', from: '$first.refresh_token', as: 'forged' },
      ...['unheard-of', '$forged.token', '$first.access_token'].map((refresh_token) => ({
        send: 'POST /logout',
        body: { refresh_token },
        expect: [{ of: 'S-LOGOUT-1', ...ends }],
      })),
      ...[{}, { refresh_token: '' }, { refresh_token: 7 }].map((body) => ({
        send: 'POST /logout',
        body,
        expect: [{ of: 'S-HTTP-10', ...malformed }],
      })),
      logout('first', { key: 'abcd', expect: [{ of: 'S-KEY-3', ...malformed }] }),
      logout('first', {
        body: { refresh_token: '$first.refresh_token', everywhere: 'yes' },
        expect: [{ of: 'S-HTTP-10', ...malformed }],
      }),
      refresh('first', 'a', { expect: [{ of: 'S-LOGOUT-2', ...succeeds }] }),
    ],
  },
  {
    name: 'logout-everywhere',
    about: { en: 'A user logs out everywhere', zh: '用户在所有设备上退出' },
    steps: [
      signIn('alice', 'first'),
      signIn('alice', 'second'),
      signIn('bob', 'other'),
      logout('first', {
        key: '$key.record',
        body: everywhere('first'),
        expect: [{ of: 'S-LOGOUT-1', ...ends }],
      }),
      refresh('first', 'record', { expect: [{ of: 'S-LOGOUT-2', ...dead('unknown', 'revoked') }] }),
      refresh('second', 'a', {
        expect: [{ of: ['S-LOGOUT-3', 'S-SESSION-2'], ...dead('revoked') }],
      }),
      refresh('other', 'b', { expect: [{ of: 'S-LOGOUT-3', ...succeeds }] }),
    ],
  },
  {
    name: 'logout-everywhere-by-an-old-token',
    about: {
      en: 'A refresh token that was used before says everywhere',
      zh: '已被用过的刷新令牌要求全部退出',
    },
    steps: [
      signIn('alice', 'first'),
      signIn('alice', 'other'),
      refresh('first', 'a', { as: 'second' }),
      refresh('second', 'b', { as: 'third' }),
      logout('first', {
        key: '$key.thief',
        body: everywhere('first'),
        expect: [{ of: 'S-LOGOUT-1', ...ends }],
      }),
      refresh('other', 'c', { as: 'otherNext', expect: [{ of: 'S-LOGOUT-4', ...succeeds }] }),
      refresh('third', 'd', { expect: [{ of: 'S-LOGOUT-2', ...dead('reused', 'unknown') }] }),
      signIn('alice', 'lost'),
      refresh('lost', 'e'),
      logout('lost', { body: everywhere('lost'), expect: [{ of: 'S-LOGOUT-1', ...ends }] }),
      refresh('otherNext', 'f', { expect: [{ of: 'S-LOGOUT-4', ...succeeds }] }),
    ],
  },
  {
    name: 'logout-after-a-lost-answer',
    about: {
      en: 'The answer to a refresh was lost, and the user logs out',
      zh: '续期的应答丢失后，用户退出',
    },
    steps: [
      signIn('alice', 'first'),
      refresh('first', 'record', { as: 'lost' }),
      logout('first', { key: '$key.record', expect: [{ of: 'S-LOGOUT-1', ...ends }] }),
      refresh('lost', 'a', { expect: [{ of: 'S-LOGOUT-2', ...dead('unknown') }] }),
      signIn('bob', 'second'),
      refresh('second', 'b', { as: 'gone' }),
      logout('second', { expect: [{ of: 'S-LOGOUT-1', ...ends }] }),
      refresh('gone', 'c', { expect: [{ of: 'S-LOGOUT-2', ...dead('unknown') }] }),
      signIn('carol', 'third'),
      refresh('third', 'd', { as: 'taken' }),
      logout('third', { key: '$key.thief', expect: [{ of: 'S-LOGOUT-1', ...ends }] }),
      refresh('taken', 'e', {
        expect: [{ of: ['S-LOGOUT-2', 'S-SESSION-4'], ...dead('reused', 'unknown') }],
      }),
    ],
  },
]
