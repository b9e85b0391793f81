import type { Expectation, Scenario, Step } from '../scenario.js'
import { refresh, refusal, signIn } from './parts.js'

const hasSeconds = { 'retry-after': '^\\d+$' }

/** No code that costs a client its record. */
const isUndecided: Expectation = {
  of: 'S-ERROR-2',
  members: { error: { noneOf: ['invalid_grant', 'invalid_token', 'access_denied'] } },
}

const isDown: readonly Expectation[] = [
  { of: 'S-LOGIN-8', ...refusal(503, 'wechat_unavailable') },
  { of: 'S-ERROR-5', headers: hasSeconds },
  isUndecided,
]

/** After it, so that one fault is not the reason of the next finding. */
const recovers = (person: string): readonly Step[] => [{ wechat: 'well' }, signIn(person, 'after')]

export const troubles: readonly Scenario[] = [
  {
    name: 'blocked-user',
    about: { en: 'WeChat blocks a user', zh: '被微信拦截的用户' },
    steps: [
      { blocked: 'mallory' },
      signIn('mallory', 'first', {
        expect: [{ of: 'S-LOGIN-8', ...refusal(403, 'user_blocked') }],
      }),
    ],
  },
  {
    name: 'wechat-busy',
    about: { en: 'WeChat is asked too often', zh: '对微信的调用过于频繁' },
    steps: [
      ...[45011, 45009].flatMap((errcode): readonly Step[] => [
        { wechat: errcode },
        signIn('alice', `of${errcode}`, {
          expect: [
            { of: 'S-LOGIN-8', ...refusal(429, 'rate_limited') },
            { of: 'S-ERROR-5', headers: hasSeconds },
            isUndecided,
          ],
        }),
      ]),
      ...recovers('alice'),
    ],
  },
  {
    name: 'wechat-refuses-the-server',
    about: {
      en: 'WeChat refuses the AppSecret, the AppID, the IP address',
      zh: '微信拒绝服务器的 AppSecret、AppID 或 IP 地址',
    },
    steps: [
      ...[40125, 40013, 40164].flatMap((errcode): readonly Step[] => [
        { wechat: errcode },
        signIn('alice', `of${errcode}`, {
          headers: { 'x-request-id': `of-${errcode}` },
          expect: [
            { of: 'S-LOGIN-8', ...refusal(500, 'server_misconfigured') },
            { of: 'S-ERROR-8', members: { request_id: { is: `of-${errcode}` } } },
            isUndecided,
          ],
        }),
      ]),
      ...recovers('alice'),
    ],
  },
  {
    name: 'wechat-down',
    about: { en: 'WeChat is down', zh: '微信不可用' },
    steps: [
      signIn('alice', 'first'),
      { wechat: 'html-502' },
      signIn('alice', 'second', { expect: isDown }),
      refresh('first', 'a', { expect: [isUndecided] }),
      ...recovers('alice'),
      { wechat: -1, times: 5 },
      signIn('bob', 'third', { expect: isDown }),
      ...recovers('bob'),
      { wechat: 'html' },
      signIn('carol', 'fourth', { expect: isDown }),
      ...recovers('carol'),
    ],
  },
]
