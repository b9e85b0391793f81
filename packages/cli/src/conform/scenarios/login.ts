import type { Scenario } from '../scenario.js'
import { dead, refresh, refusal, sameSession, signIn, succeeds } from './parts.js'

export const logins: readonly Scenario[] = [
  {
    name: 'login',
    about: { en: 'A user logs in', zh: '用户登录' },
    steps: [
      signIn('alice', 'first', {
        expect: [
          { of: ['S-HTTP-1', 'S-TOKEN-1'], ...succeeds },
          { of: 'S-TOKEN-5', members: { user_id: { isNot: '$openid.alice' } } },
          { of: 'S-TOKEN-7', members: { expires_in: { atLeast: 60, atMost: 900 } } },
          { of: 'S-TOKEN-8', members: { expires_in: { atLeast: 60 } } },
        ],
      }),
      { calls: 1, of: 'S-LOGIN-1' },
    ],
  },
  {
    name: 'two-devices',
    about: { en: 'A user logs in on two devices', zh: '同一用户在两台设备上登录' },
    steps: [
      signIn('alice', 'phone'),
      signIn('alice', 'tablet'),
      refresh('phone', 'a', {
        expect: [
          { of: 'S-REFRESH-1', ...succeeds },
          { of: 'S-TOKEN-4', members: { user_id: { is: '$phone.user_id' } } },
        ],
      }),
      refresh('tablet', 'b', { expect: [{ of: 'S-REFRESH-1', ...succeeds }] }),
    ],
  },
  {
    name: 'login-answer-lost',
    about: {
      en: 'The answer to a login is lost, and the phone sends it again',
      zh: '登录的应答丢失，手机重新发送同一请求',
    },
    steps: [
      signIn('alice', 'first'),
      signIn('alice', 'first', {
        as: 'again',
        expect: [{ of: 'S-LOGIN-2', ...sameSession('first') }],
      }),
      refresh('again', 'a', { expect: [{ of: 'S-LOGIN-2', ...succeeds }] }),
    ],
  },
  {
    name: 'double-tap',
    about: { en: 'The same login arrives twice at once', zh: '同一个登录请求同时到达两次' },
    steps: [
      // So that the second one arrives before the first is answered.
      { wechat: { latencyMs: 700 } },
      {
        together: [signIn('alice', 'first'), signIn('alice', 'first', { as: 'second' })],
        expect: [{ of: 'S-LOGIN-2', count: 2, are: succeeds, same: 'refresh_token' }],
      },
      { calls: 1, of: 'S-LOGIN-6' },
      refresh('second', 'a', { expect: [{ of: 'S-LOGIN-2', ...succeeds }] }),
    ],
  },
  {
    name: 'login-after-its-refresh',
    about: {
      en: 'A login comes again after its refresh token was used',
      zh: '登录得到的刷新令牌用过之后，同一登录请求又来了',
    },
    steps: [
      signIn('alice', 'first'),
      refresh('first', 'a', { as: 'next' }),
      signIn('alice', 'first', {
        as: 'late',
        expect: [{ of: 'S-LOGIN-4', ...refusal(400, 'invalid_code') }],
      }),
      refresh('next', 'b', { expect: [{ of: 'S-LOGIN-4', ...succeeds }] }),
    ],
  },
  {
    name: 'code-with-another-key',
    about: { en: 'A code comes again with another key', zh: '同一个 code 配着另一个键再次出现' },
    steps: [
      signIn('alice', 'first'),
      signIn('alice', 'first', {
        as: 'stolen',
        key: '$key.thief',
        expect: [{ of: 'S-LOGIN-3', ...refusal(400, 'invalid_code') }],
      }),
      refresh('first', 'a', {
        expect: [{ of: ['S-LOGIN-3', 'S-SESSION-4'], ...dead('reused', 'unknown') }],
      }),
    ],
  },
  {
    name: 'code-of-nobody',
    about: { en: 'WeChat does not know the code', zh: '微信不认识这个 code' },
    steps: [
      {
        send: 'POST /login',
        key: '$key.a',
        body: { code: '0a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P', app_id: '$appId' },
        expect: [{ of: 'S-LOGIN-8', ...refusal(400, 'invalid_code') }],
      },
    ],
  },
  {
    name: 'code-used-elsewhere',
    about: {
      en: 'WeChat says that the code was used, and this server has no session of it',
      zh: '微信说 code 已被使用，而服务器没有它的会话',
    },
    steps: [
      signIn('alice', 'earlier'),
      { wechat: 40163 },
      signIn('alice', 'first', {
        expect: [{ of: ['S-LOGIN-5', 'S-LOGIN-8'], ...refusal(400, 'invalid_code') }],
      }),
      refresh('earlier', 'a', { expect: [{ of: 'S-LOGIN-5', ...succeeds }] }),
    ],
  },
  {
    name: 'mock-code',
    about: { en: 'DevTools without an AppID', zh: '没有 AppID 的开发者工具' },
    steps: [
      {
        send: 'POST /login',
        key: '$key.a',
        body: { code: 'the code is a mock one', app_id: 'touristappid' },
        expect: [
          {
            of: 'S-LOGIN-9',
            ...refusal(400, 'invalid_code', { reason: { is: 'mock_code' } }),
          },
        ],
      },
    ],
  },
  {
    name: 'another-app',
    about: { en: 'Another AppID, and another kind of app', zh: '别的 AppID，和别的应用类型' },
    steps: [
      signIn('alice', 'first', {
        body: { code: '$code.alice', app_id: 'wxffffffffffffffff' },
        expect: [{ of: 'S-LOGIN-7', ...refusal(400, 'unknown_app') }],
      }),
      signIn('alice', 'second', {
        body: { code: '$code.alice', app_id: '$appId', kind: 'website' },
        expect: [{ of: 'S-LOGIN-7', ...refusal(400, 'unknown_app') }],
      }),
      { calls: 0, of: 'S-LOGIN-7' },
    ],
  },
  {
    name: 'refused-by-the-app',
    about: { en: 'The app refuses a user', zh: '应用拒绝某个用户' },
    needs: ['refused'],
    steps: [
      signIn('alice', 'old'),
      signIn('alice', 'first', {
        body: {
          code: '$code.alice.first',
          app_id: '$appId',
          input: '$refusedInput',
          previous_refresh_token: '$old.refresh_token',
        },
        expect: [{ of: 'S-ERROR-1', ...refusal(403, 'access_denied') }],
      }),
      refresh('old', 'a', { expect: [{ of: 'S-LOGIN-10', ...succeeds }] }),
    ],
  },
  {
    name: 'login-replaces',
    about: { en: 'A login replaces an earlier session', zh: '登录取代之前的会话' },
    steps: [
      signIn('alice', 'old'),
      signIn('alice', 'new', {
        body: {
          code: '$code.alice.new',
          app_id: '$appId',
          previous_refresh_token: '$old.refresh_token',
          previous_idempotency_key: '$key.oldRecord',
          previous_signed_out: false,
        },
        expect: [{ of: 'S-LOGIN-11', ...succeeds }],
      }),
      refresh('old', 'oldRecord', { expect: [{ of: 'S-LOGIN-10', ...dead('unknown') }] }),
      refresh('new', 'a', { expect: [{ of: 'S-LOGIN-10', ...succeeds }] }),
    ],
  },
  {
    name: 'failed-login-replaces-nothing',
    about: { en: 'A login that fails ends no session', zh: '失败的登录不结束任何会话' },
    steps: [
      signIn('alice', 'old'),
      { wechat: 40029 },
      signIn('alice', 'new', {
        body: {
          code: '$code.alice.new',
          app_id: '$appId',
          previous_refresh_token: '$old.refresh_token',
          previous_idempotency_key: '$key.oldRecord',
        },
      }),
      refresh('old', 'oldRecord', { expect: [{ of: 'S-LOGIN-10', ...succeeds }] }),
    ],
  },
  {
    name: 'strange-previous',
    about: {
      en: 'What a login would replace is not known, is over, or is its own session',
      zh: '登录要取代的会话不存在、已结束，或就是它自己',
    },
    steps: [
      signIn('alice', 'first', {
        body: { code: '$code.alice.first', app_id: '$appId', previous_refresh_token: 'unheard-of' },
        expect: [{ of: 'S-LOGIN-11', ...succeeds }],
      }),
      {
        send: 'POST /login',
        key: '$key.firstLogin',
        body: {
          code: '$code.alice.first',
          app_id: '$appId',
          previous_refresh_token: '$first.refresh_token',
        },
      },
      refresh('first', 'a', { as: 'second', expect: [{ of: 'S-LOGIN-10', ...succeeds }] }),
      refresh('second', 'b', { as: 'third' }),
      signIn('alice', 'new', {
        body: {
          code: '$code.alice.new',
          app_id: '$appId',
          previous_refresh_token: '$first.refresh_token',
          previous_idempotency_key: '$key.thief',
        },
        expect: [{ of: 'S-LOGIN-11', ...succeeds }],
      }),
      refresh('third', 'c', { expect: [{ of: 'S-LOGIN-10', ...dead('reused', 'unknown') }] }),
      refresh('new', 'd', { expect: [{ of: 'S-LOGIN-10', ...succeeds }] }),
    ],
  },
  {
    name: 'login-replaces-after-a-lost-answer',
    about: {
      en: 'The answer to a refresh was lost, and a login replaces its session',
      zh: '续期的应答丢失后，登录取代该会话',
    },
    steps: [
      signIn('alice', 'old'),
      refresh('old', 'record', { as: 'lost' }),
      signIn('alice', 'new', {
        body: {
          code: '$code.alice.new',
          app_id: '$appId',
          previous_refresh_token: '$old.refresh_token',
          previous_idempotency_key: '$key.record',
        },
      }),
      refresh('lost', 'a', { expect: [{ of: ['S-LOGIN-10', 'S-LOGOUT-2'], ...dead('unknown') }] }),
    ],
  },
]
