import type { Scenario, Send } from '../scenario.js'
import {
  dead,
  logout,
  malformed,
  refresh,
  refusal,
  sameSession,
  signIn,
  succeeds,
  text,
} from './parts.js'

const ask = (as: string, more: Partial<Send> = {}): Send => ({
  send: 'POST /device',
  as,
  body: { app_id: '$appId', client_name: 'PC', page: 'checkout' },
  ...more,
})

const poll = (grant: string, more: Partial<Send> = {}): Send => ({
  send: 'POST /device/token',
  key: `$key.${grant}`,
  body: { device_code: `$${grant}.device_code` },
  ...more,
})

const look = (grant: string, phone: string, more: Partial<Send> = {}): Send => ({
  send: `GET /device?scene=$${grant}.scene`,
  headers: { authorization: `Bearer $${phone}.access_token` },
  ...more,
})

const decide = (grant: string, approve: boolean, more: Partial<Send> = {}): Send => ({
  send: 'POST /device/decision',
  headers: { authorization: 'Bearer $phone.access_token' },
  body: { scene: `$${grant}.scene`, approve, number: `$?${grant}.number` },
  ...more,
})

const decided = { status: 204, hasBody: false } as const
const noToken = refusal(401, 'invalid_token')

export const devices: readonly Scenario[] = [
  {
    name: 'device',
    about: { en: 'A phone lets a device in', zh: '手机让另一台设备登录' },
    needs: ['device'],
    steps: [
      signIn('alice', 'phone'),
      ask('grant', {
        expect: [
          {
            of: 'S-DEVICE-1',
            status: 200,
            members: { device_code: text, scene: text, expires_in: { atLeast: 1 } },
          },
        ],
      }),
      look('grant', 'phone', { headers: {}, expect: [{ of: 'S-DEVICE-5', ...noToken }] }),
      look('grant', 'phone', {
        expect: [
          {
            of: 'S-DEVICE-5',
            status: 200,
            members: {
              client_name: { is: 'PC' },
              page: { is: 'checkout' },
              asked_at: { atLeast: 1 },
              expires_in: { atLeast: 1 },
              needs_number: { kind: 'boolean' },
            },
          },
        ],
      }),
      decide('grant', true, { headers: {}, expect: [{ of: 'S-DEVICE-5', ...noToken }] }),
      decide('grant', true, { expect: [{ of: 'S-DEVICE-4', ...decided }] }),
      decide('grant', true, { expect: [{ of: 'S-DEVICE-4', ...decided }] }),
      decide('grant', false, {
        expect: [{ of: 'S-DEVICE-4', ...refusal(400, 'expired_token') }],
      }),
      poll('grant', {
        as: 'tokens',
        expect: [
          {
            of: 'S-DEVICE-7',
            status: 200,
            members: { refresh_token: text, user_id: { is: '$phone.user_id' } },
          },
        ],
      }),
      ask('other'),
      look('other', 'tokens', {
        expect: [{ of: 'S-DEVICE-5', ...refusal(403, 'insufficient_scope') }],
      }),
      { seconds: '$grant.interval' },
      poll('grant', { expect: [{ of: 'S-DEVICE-8', ...sameSession('tokens') }] }),
      refresh('tokens', 'a', { expect: [{ of: 'S-DEVICE-8', ...succeeds }] }),
      logout('phone', { key: '$key.record' }),
      look('other', 'phone', { expect: [{ of: 'S-DEVICE-5', ...noToken }] }),
    ],
  },
  {
    name: 'device-waits',
    about: {
      en: 'A device that waits, and one that is refused',
      zh: '等待中的设备，和被拒绝的设备',
    },
    needs: ['device'],
    steps: [
      signIn('alice', 'phone'),
      ask('slow'),
      poll('slow', {
        expect: [{ of: 'S-ERROR-1', ...refusal(400, 'authorization_pending') }],
      }),
      poll('slow', {
        expect: [
          {
            of: 'S-DEVICE-9',
            ...refusal(400, 'slow_down'),
            headers: { 'retry-after': '^\\d+$' },
          },
        ],
      }),
      poll('slow', { key: 'abcd', expect: [{ of: 'S-KEY-2', ...malformed }] }),
      ask('denied'),
      decide('denied', false, { expect: [{ of: 'S-DEVICE-4', ...decided }] }),
      decide('denied', true, {
        expect: [{ of: 'S-DEVICE-4', ...refusal(400, 'expired_token') }],
      }),
      poll('denied', { expect: [{ of: 'S-DEVICE-7', ...refusal(403, 'access_denied') }] }),
      poll('slow', {
        body: { device_code: 'unheard-of' },
        expect: [{ of: 'S-DEVICE-1', ...dead('unknown') }],
      }),
      poll('slow', {
        body: { device_code: '$denied.scene' },
        expect: [{ of: 'S-DEVICE-1', ...dead('unknown') }],
      }),
      ask('placed', {
        body: { app_id: '$appId', place: '广东深圳' },
        expect: [{ of: 'S-DEVICE-2', ...malformed }],
      }),
    ],
  },
  {
    name: 'device-code-with-another-key',
    about: {
      en: 'A device code is polled with two keys',
      zh: '同一个 device_code 用两个键轮询',
    },
    needs: ['device'],
    steps: [
      signIn('alice', 'phone'),
      ask('grant'),
      decide('grant', true),
      poll('grant', { as: 'tokens' }),
      { seconds: '$grant.interval' },
      poll('grant', { key: '$key.thief', expect: [{ of: 'S-DEVICE-8', ...dead('reused') }] }),
      refresh('tokens', 'a', { expect: [{ of: 'S-DEVICE-8', ...dead('reused', 'unknown') }] }),
    ],
  },
  {
    name: 'device-number',
    about: { en: 'The number that the device shows', zh: '设备上显示的数字' },
    needs: ['device', 'numbers'],
    steps: [
      signIn('alice', 'phone'),
      ask('grant'),
      decide('grant', true, {
        body: { scene: '$grant.scene', approve: true },
        expect: [{ of: 'S-HTTP-10', ...malformed }],
      }),
      decide('grant', true, {
        body: { scene: '$grant.scene', approve: true, number: '1$grant.number' },
        expect: [
          {
            of: 'S-DEVICE-6',
            ...refusal(403, 'access_denied', {
              scope: { is: 'attempt' },
              reason: { is: 'wrong_number' },
            }),
          },
        ],
      }),
      decide('grant', true, {
        expect: [{ of: 'S-DEVICE-6', ...refusal(400, 'expired_token') }],
      }),
      poll('grant', { expect: [{ of: 'S-DEVICE-6', ...refusal(403, 'access_denied') }] }),
    ],
  },
]
