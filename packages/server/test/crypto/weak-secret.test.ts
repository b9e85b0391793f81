import { describe, expect, test } from 'vitest'
import { weaknessOf } from '../../src/index.js'

// What `createAuth` refuses it never gets so far as to warn of, but `wxlogin doctor` asks about any text.

const random = 'Zb3vK9qR1tXw7LmN5pYc2HdJ8sFgA4eU'

describe('a secret is weak', () => {
  test.each([
    { secret: random.slice(1), weakness: 'short' },
    { secret: '', weakness: 'short' },
    { secret: `-----BEGIN PRIVATE KEY-----\n${random}`, weakness: 'not_a_secret' },
    { secret: ` {"kty":"oct","k":"${random}"}`, weakness: 'not_a_secret' },
    { secret: `{"kty":"oct","k":"${random}"}`, weakness: 'not_a_secret' },
    { secret: `\n  {"kty":"oct","k":"${random}"}`, weakness: 'not_a_secret' },
    { secret: 'abcabcab'.repeat(4), weakness: 'alike' },
    { secret: random.slice(0, 9).repeat(4), weakness: 'alike' },
    { secret: 'Z3vKqRt3ZqKvRtq3KZtvRqZvK3tRqKvZ', weakness: 'alike' },
    { secret: random.slice(0, 16).repeat(2), weakness: 'alike' },
    { secret: `${random.slice(0, 16).repeat(2)}${random.slice(16, 31)}`, weakness: 'alike' },
    { secret: 'a0b1c2d'.repeat(5), weakness: 'alike' },
    { secret: 'this-is-my-very-long-secret-password', weakness: 'words' },
    { secret: 'change_me please.CHANGE-ME please', weakness: 'words' },
    { secret: 'wxlogin-secret-for-the-production-app', weakness: 'words' },
    // Runs as on a keyboard count as nothing, up, down and of one letter.
    { secret: '0123456789abcdefghijklmnopqrstuvwxyz', weakness: 'words' },
    { secret: 'zyxwvutsrqponmlkjihgfedcba9876543210', weakness: 'words' },
    { secret: `aaaabbbbccccddddeeee${random.slice(0, 20)}`, weakness: 'words' },
    { secret: `1234${random.slice(0, 21)}4321abcdef`, weakness: 'words' },
    { secret: `${random.slice(0, 21)}abcdefghijk`, weakness: 'words' },
  ])('$secret: $weakness', ({ secret, weakness }) => {
    expect(weaknessOf(secret)).toBe(weakness)
  })
})

describe('a secret is none the weaker', () => {
  test.each([
    { for: 'being random', secret: random },
    { for: 'eight characters in no order', secret: 'Z3vKqRtXqZ3XtvRKX3tZKvqR3RqXvZtK' },
    { for: 'a brace within', secret: `${random.slice(0, 16)} {${random.slice(16)}` },
    { for: 'a run before what is random', secret: `1234567890${random.slice(0, 22)}` },
    { for: 'a run after it', secret: `${random.slice(0, 22)}1234567890` },
    { for: 'runs of three', secret: `123${random.slice(0, 19)}abcdefghij` },
    { for: 'a run that turns back', secret: `1212${random.slice(0, 18)}abcdefghij` },
    { for: 'letters that are two apart', secret: `acegi${random.slice(0, 17)}abcdefghij` },
    { for: 'words between', secret: `secret-${random.slice(0, 22)}-password` },
    { for: 'characters of several bytes', secret: '密钥随机字符一二三四五六七八九十甲乙丙丁戊己' },
    {
      for: 'a part that comes twice',
      secret: `${random.slice(0, 16).repeat(2)}${random.slice(16)}`,
    },
  ])('for $for', ({ secret }) => {
    expect(weaknessOf(secret)).toBeUndefined()
  })
})

test.each([
  ...['secret', 'secrets', 'password', 'passwd', 'changeme', 'change_me', 'wxlogin', 'wx-login'],
  ...['wechat', 'we.chat', 'weixin', 'test', 'testing', 'dev', 'development', 'prod', 'production'],
  ...['byte', 'bytes', 'character', 'characters', 'KEYBOARD', 'Qwerty', 'not for the app', 'at-my'],
])('the word %s is none of the characters that count', (word) => {
  expect(weaknessOf(`${random.slice(0, 21)}-replace-random-${word}`)).toBe('words')
  expect(weaknessOf(`${random.slice(0, 22)}-replace-random-${word}`)).toBeUndefined()
})
