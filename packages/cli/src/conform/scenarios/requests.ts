import type { Scenario } from '../scenario.js'
import { malformed, refresh, refusal, sameSession, signIn, succeeds } from './parts.js'

const body = (code: string) => `{"code":"${code}","app_id":"$appId"}`
const json = { 'content-type': 'application/json' }
const wrong = ['abcd', 'x'.repeat(21), 'x'.repeat(65), `${'x'.repeat(21)}.`, `${'x'.repeat(22)} x`]

/** With spaces, so that it has 8,192 bytes whatever is filled in: the longest references are shorter than what follows. */
const longest = 8_192

export const requests: readonly Scenario[] = [
  {
    name: 'keys',
    about: { en: 'Idempotency keys, well formed and not', zh: '格式正确与不正确的键' },
    steps: [
      {
        send: 'POST /login',
        body: { code: '$code.alice', app_id: '$appId' },
        expect: [{ of: 'S-KEY-2', ...malformed }],
      },
      ...wrong.map((key, n) => ({
        send: 'POST /login',
        key,
        body: { code: `$code.alice.${n}`, app_id: '$appId' },
        expect: [{ of: 'S-KEY-2', ...malformed }],
      })),
      signIn('bob', 'first', { expect: [{ of: 'S-KEY-1', ...succeeds }] }),
      signIn('bob', 'first', {
        as: 'quoted',
        key: '"$key.firstLogin"',
        expect: [{ of: 'S-KEY-1', ...sameSession('first') }],
      }),
      refresh('first', 'a', {
        key: 'k'.repeat(64),
        as: 'second',
        expect: [{ of: 'S-KEY-1', ...succeeds }],
      }),
      refresh('second', 'b', { key: 'a-B_7'.repeat(5), expect: [{ of: 'S-KEY-1', ...succeeds }] }),
    ],
  },
  {
    name: 'bodies',
    about: { en: 'Bodies that are no JSON objects', zh: '不是 JSON 对象的请求体' },
    steps: ['', '[]', 'null', '"x"', '7', '{', '{"code":"a"'].map((text) => ({
      send: 'POST /login',
      key: '$key.a',
      headers: json,
      text,
      expect: [{ of: 'S-HTTP-6', ...malformed }],
    })),
  },
  {
    name: 'members',
    about: { en: 'Members that are missing, wrong, or new', zh: '缺少、错误或未知的成员' },
    steps: [
      ...[
        { app_id: '$appId' },
        { code: 7, app_id: '$appId' },
        { code: ['$code.alice'], app_id: '$appId' },
        { code: '$code.alice.a' },
        { code: '$code.alice.b', app_id: 7 },
        { code: '$code.alice.c', app_id: '$appId', kind: 'a_kind_that_is_none' },
        { code: '$code.alice.d', app_id: '$appId', device: 7 },
        { code: '$code.alice.e', app_id: '$appId', previous_signed_out: 'yes' },
        { code: '$code.alice.f', app_id: '$appId', previous_refresh_token: 7 },
      ].map((one) => ({
        send: 'POST /login',
        key: '$key.a',
        body: one,
        expect: [{ of: 'S-HTTP-10', ...malformed }],
      })),
      {
        send: 'POST /login',
        key: '$key.a',
        body: { code: 'no/code?of=WeChat', app_id: '$appId' },
        expect: [{ of: 'S-HTTP-10', ...refusal(400, 'invalid_code') }],
      },
      signIn('bob', 'first', {
        body: {
          code: '$code.bob.first',
          app_id: '$appId',
          kind: 'mini_program',
          device: 'iPhone 小明',
          input: { invitation: ['A', 1, null] },
          previous_refresh_token: '',
          previous_signed_out: false,
          from_a_later_version: { a: [1] },
        },
        expect: [{ of: 'S-HTTP-9', ...succeeds }],
      }),
      refresh('first', 'b', {
        body: { refresh_token: '$first.refresh_token', from_a_later_version: true },
        expect: [{ of: 'S-HTTP-9', ...succeeds }],
      }),
    ],
  },
  {
    name: 'content-types',
    about: { en: 'Bodies of other types', zh: '其他类型的请求体' },
    steps: [
      ...['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x'].map(
        (type, n) => ({
          send: 'POST /login',
          key: '$key.a',
          headers: { 'content-type': type },
          text: body(`$code.alice.${n}`),
          expect: [{ of: 'S-HTTP-5', ...refusal(415, 'invalid_request') }],
        }),
      ),
      ...['application/json', 'application/json; charset=utf-8'].map((type, n) => ({
        send: 'POST /login',
        key: `$key.good${n}`,
        headers: { 'content-type': type },
        text: body(`$code.bob.${n}`),
        expect: [{ of: 'S-HTTP-5', ...succeeds }],
      })),
    ],
  },
  {
    name: 'sizes',
    about: { en: 'Bodies of 8,192 bytes, and of more', zh: '8192 字节及更大的请求体' },
    steps: [
      {
        send: 'POST /login',
        key: '$key.a',
        headers: json,
        text: body('$code.alice.a'),
        bytes: longest,
        expect: [{ of: 'S-HTTP-7', ...succeeds }],
      },
      {
        send: 'POST /login',
        key: '$key.b',
        headers: json,
        text: body('$code.alice.b'),
        bytes: 90_000,
        expect: [{ of: 'S-HTTP-8', ...refusal(413, 'invalid_request') }],
      },
    ],
  },
  {
    name: 'methods',
    about: { en: 'Other methods', zh: '其他方法' },
    steps: [
      signIn('alice', 'first'),
      ...['/login', '/refresh', '/logout'].flatMap((path) =>
        ['GET', 'PUT', 'DELETE'].map((method) => ({
          send: `${method} ${path}`,
          expect: [
            {
              of: 'S-HTTP-4',
              ...refusal(405, 'invalid_request'),
              headers: { allow: '\\bPOST\\b' },
            },
          ],
        })),
      ),
    ],
  },
  {
    name: 'no-phone-numbers',
    about: { en: 'A server without phone numbers', zh: '没有手机号接口的服务器' },
    without: 'phone',
    steps: [
      { send: 'POST /phone', body: { code: 'a' }, expect: [{ of: 'S-HTTP-3', status: 404 }] },
    ],
  },
  {
    name: 'no-public-keys',
    about: { en: 'A server without public keys', zh: '没有公钥的服务器' },
    without: 'jwks',
    steps: [{ send: 'GET /jwks.json', expect: [{ of: 'S-HTTP-3', status: 404 }] }],
  },
  {
    name: 'no-devices',
    about: { en: 'A server that lets no devices in', zh: '不支持扫码登录的服务器' },
    without: 'device',
    steps: ['POST /device', 'POST /device/token', 'POST /device/decision'].map((send) => ({
      send,
      key: '$key.a',
      body: { app_id: '$appId' },
      expect: [{ of: 'S-HTTP-3', status: 404 }],
    })),
  },
]
