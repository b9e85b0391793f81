import type { Scenario, Send } from '../scenario.js'
import { dead, guarded, refresh, refusal, signIn, succeeds, text } from './parts.js'

const refused = {
  status: 401,
  headers: { 'www-authenticate': '^Bearer\\b.*error="?invalid_token"?' },
}
const expect: Send['expect'] = [
  { of: 'S-GUARD-2', ...refused },
  { of: 'S-GUARD-3', members: { error: { is: 'invalid_token' } } },
]
const opens = { status: [200, 201, 204] }

export const accesses: readonly Scenario[] = [
  {
    name: 'access',
    about: {
      en: 'A route for users who are logged in, without and with a token',
      zh: '需要登录的接口：没有令牌与有令牌',
    },
    needs: ['guarded'],
    steps: [
      signIn('who', 'first'),
      { send: 'GET guarded', expect },
      guarded('unheard-of', { expect }),
      { send: 'GET guarded', headers: { authorization: 'Basic YTpi' }, expect },
      guarded('$first.refresh_token', { expect }),
      guarded('$first.access_token', { expect: [{ of: 'S-GUARD-1', ...opens }] }),
      {
        send: 'GET guarded',
        headers: { authorization: 'bearer  $first.access_token' },
        expect: [{ of: 'S-GUARD-1', status: [200, 201, 204, 400] }],
      },
    ],
  },
  {
    name: 'forged-access-tokens',
    about: { en: 'Access tokens that somebody has changed', zh: '被改动过的访问令牌' },
    needs: ['guarded'],
    steps: [
      signIn('who', 'first'),
      ...(['other-signature', 'unsigned', 'other-user'] as const).flatMap((forge) => {
        const as = forge.replace(/-\w/, '')
        return [
          { forge, from: '$first.access_token', as },
          guarded(`$${as}.token`, { expect: [{ of: ['S-GUARD-2', 'S-GUARD-7'], ...refused }] }),
        ]
      }),
    ],
  },
  {
    name: 'forged-by-the-public-key',
    about: {
      en: 'An access token that is signed with the public key as if it were a secret',
      zh: '把公钥当作密钥来签名的访问令牌',
    },
    needs: ['guarded', 'jwks'],
    steps: [
      signIn('who', 'first'),
      { send: 'GET /jwks.json', as: 'jwks' },
      { forge: 'public-key', from: '$first.access_token', keys: '$jwks', as: 'forged' },
      guarded('$forged.token', { expect: [{ of: ['S-GUARD-2', 'S-GUARD-7'], ...refused }] }),
    ],
  },
  {
    name: 'public-keys',
    about: { en: 'Public keys, and a token that they verify', zh: '公钥，以及用它验证的令牌' },
    needs: ['jwks'],
    steps: [
      {
        send: 'GET /jwks.json',
        as: 'jwks',
        expect: [
          { of: 'S-JWKS-1', status: 200, members: { keys: { kind: 'public keys' } } },
          {
            of: 'S-JWKS-4',
            headers: { 'cache-control': 'max-age=([0-9]|[1-9][0-9]|[12][0-9][0-9]|300)\\b' },
          },
        ],
      },
      signIn('alice', 'first'),
      {
        token: '$first.access_token',
        keys: '$jwks',
        expect: [
          {
            of: 'S-TOKEN-10',
            isSigned: true,
            header: {
              typ: { is: 'at+jwt' },
              alg: { oneOf: ['ES256', 'EdDSA', 'RS256'] },
              kid: text,
            },
            claims: {
              iss: text,
              aud: { is: '$appId' },
              client_id: { is: '$appId' },
              sub: { is: '$first.user_id' },
              iat: { atLeast: 1 },
              exp: { atLeast: 1 },
              jti: text,
              sid: text,
              auth_time: { atLeast: 1 },
            },
          },
          { of: 'S-JWKS-3', header: { alg: { is: 'ES256' } } },
        ],
      },
    ],
  },
  {
    name: 'revoked',
    about: { en: 'The app ends the sessions of a user', zh: '应用结束某个用户的会话' },
    needs: ['revoke'],
    steps: [
      signIn('alice', 'first'),
      signIn('alice', 'second'),
      refresh('second', 'a', { as: 'third' }),
      signIn('bob', 'other'),
      { revoke: '$first.user_id' },
      refresh('first', 'b', {
        expect: [{ of: ['S-REFRESH-4', 'S-SESSION-2'], ...dead('revoked') }],
      }),
      refresh('second', 'a', { expect: [{ of: 'S-SESSION-2', ...dead('revoked') }] }),
      refresh('third', 'c', { expect: [{ of: 'S-SESSION-2', ...dead('revoked') }] }),
      signIn('alice', 'first', {
        as: 'again',
        expect: [{ of: 'S-LOGIN-5', ...refusal(400, 'invalid_code') }],
      }),
      refresh('other', 'd', { expect: [{ of: 'S-SESSION-2', ...succeeds }] }),
    ],
  },
]
