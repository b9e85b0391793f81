import type { Scenario, Send } from '../scenario.js'
import { logout, malformed, refusal, signIn } from './parts.js'

const phone = (code: string, as: string, more: Partial<Send> = {}): Send => ({
  send: 'POST /phone',
  key: '$key.phone',
  headers: { authorization: `Bearer $${as}.access_token` },
  body: { code },
  ...more,
})

export const phones: readonly Scenario[] = [
  {
    name: 'phone-number',
    about: { en: 'A user gives the phone number', zh: '用户提供手机号' },
    needs: ['phone'],
    steps: [
      signIn('alice', 'first'),
      phone('$phoneCode.alice', 'first', {
        as: 'number',
        expect: [
          {
            of: 'S-PHONE-4',
            status: 200,
            members: {
              phone_number: { is: '$phoneNumber.alice' },
              country_code: { is: '86' },
              access_token: 'absent',
              refresh_token: 'absent',
            },
          },
        ],
      }),
      phone('$phoneCode.alice', 'first', {
        expect: [{ of: 'S-PHONE-5', ...refusal(400, 'invalid_code') }],
      }),
      ...[{}, { code: 7 }].map((body) => ({
        ...phone('', 'first', { body, expect: [{ of: 'S-HTTP-10', ...malformed }] }),
      })),
      phone('$phoneCode.alice.two', 'first', {
        key: 'abcd',
        expect: [{ of: 'S-KEY-3', ...malformed }],
      }),
      logout('first', { key: '$key.record' }),
      phone('$phoneCode.alice.three', 'first', {
        expect: [{ of: 'S-PHONE-1', ...refusal(401, 'invalid_token') }],
      }),
    ],
  },
  {
    name: 'prefetch',
    about: { en: 'WeChat’s servers fetch ahead', zh: '微信服务器数据预拉取' },
    needs: ['prefetch'],
    steps: [
      {
        send: 'GET prefetch?appid=$appId&code=$code.alice&path=pages%2Findex&scene=1001',
        as: 'first',
        expect: [{ of: 'S-PREFETCH-3', status: 200, atMostBytes: 262_144 }],
      },
      ...[
        'appid=$appId&code=0a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P',
        'appid=wxffffffffffffffff&code=$code.bob',
        '',
      ].map((query) => ({
        send: `GET prefetch?${query}`,
        expect: [{ of: 'S-PREFETCH-2', status: 200, members: { error: 'absent' as const } }],
      })),
      {
        send: 'GET prefetch?appid=$appId&code=$code.alice',
        expect: [{ of: 'S-PREFETCH-5', status: 200, members: { access_token: 'absent' } }],
      },
      {
        send: 'POST /refresh',
        key: '$key.a',
        body: { refresh_token: '$first.refresh_token' },
        expect: [{ of: 'S-PREFETCH-5', ...refusal(400, 'invalid_grant') }],
      },
    ],
  },
]
