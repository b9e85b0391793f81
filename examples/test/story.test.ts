import { expect, test } from 'vitest'
import { readable } from '../demo/story.mjs'

const jwt = `eyJ${'a'.repeat(20)}.${'b'.repeat(20)}.${'c'.repeat(20)}`

test.each([
  ['codes', { code: 'secret-value' }],
  ['tokens', { access_token: jwt, refreshToken: 'secret-value' }],
  ['keys', { retryKey: 'secret-value' }],
  ['tokens under any name', { somewhere: [jwt] }],
])('the demo prints no %s', (_, body) => {
  const text = readable(JSON.stringify(body))

  expect(text).toContain('characters)')
  expect(text).not.toMatch(/secret-value|aaa|bbb|ccc/)
})

test('the demo prints no secrets of what the phone stores, which is JSON within JSON', () => {
  const text = readable(JSON.stringify(JSON.stringify({ access_token: jwt, user_id: '1' })))

  expect(text).toBe('{"access_token":"eyJ… (65 characters)","user_id":"1"}')
})
