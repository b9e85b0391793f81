import { type ClientOptions, createClient } from '@wxlogin/client'
import { createClient as createFullClient } from '@wxlogin/client/full'
import { createFakeWx } from '@wxlogin/client/testing'
import { describe, expect, test } from 'vitest'
import { baseUrl } from './set-up.js'

const container = { env: 'prod-1', service: 'shop' }
const origin = 'a url like https://api.example.com'
const name = 'made of letters, digits, - and _'

describe.each([
  ['index', createClient],
  ['full', createFullClient as typeof createClient],
])('%s: a wrong option throws a TypeError that names it and what is allowed', (_, create) => {
  test.each([
    [`baseUrl must be ${origin}`, { baseUrl: 'api.example.com' }],
    [`baseUrl must be ${origin}`, { baseUrl: 'https://user@api.example.com' }],
    [`trustedOrigins must be ${origin}`, { trustedOrigins: ['*'] }],
    [`trustedOrigins must be ${origin}`, { trustedOrigins: ['https://cdn.example.com', ''] }],
    ['appId must be a non-empty string', { appId: '' }],
    ['storageKey must be a non-empty string', { storageKey: '' }],
    ['storageKey must be a non-empty string', { storageKey: 7 }],
    ['timeoutMs must be 1 to 2147483647 ms', { timeoutMs: -1 }],
    ['timeoutMs must be 1 to 2147483647 ms', { timeoutMs: Number.NaN }],
    ['timeoutMs must be 1 to 2147483647 ms', { timeoutMs: Number.POSITIVE_INFINITY }],
    ['timeoutMs must be 1 to 2147483647 ms', { timeoutMs: 2 ** 31 }],
    ['loginTimeoutMs must be 1 to 20000 ms', { loginTimeoutMs: -1 }],
    ['loginTimeoutMs must be 1 to 20000 ms', { loginTimeoutMs: Number.NaN }],
    ['loginTimeoutMs must be 1 to 20000 ms', { loginTimeoutMs: 20_001 }],
    ['loginTimeoutMs must be 1 to 20000 ms', { loginTimeoutMs: Number.POSITIVE_INFINITY }],
  ])('%s', (message, wrong) => {
    const options = { baseUrl, wx: createFakeWx(), ...wrong } as ClientOptions

    expect(() => create(options)).toThrow(new TypeError(message))
  })

  test.each([0, null, undefined])('the default is meant by %s', (ms) => {
    const options = { baseUrl, wx: createFakeWx(), timeoutMs: ms, loginTimeoutMs: ms }

    expect(() => create(options as never)).not.toThrow()
  })

  test('wx is needed', () => {
    expect(() => create({ baseUrl })).toThrow(new TypeError('wx is needed'))
  })

  test.each([
    ['in a release', createFakeWx({ envVersion: 'release' })],
    ['where wx cannot tell what this is', createFakeWx({ omit: ['getAccountInfoSync'] })],
  ])('there is no sandbox %s', (_, wx) => {
    const options = { baseUrl, wx, appId: 'wx0000000000000001' }

    expect(() => create({ ...options, sandbox: true })).toThrow(
      new TypeError('sandbox must be off in a release'),
    )
    expect(() => create({ ...options, sandbox: false })).not.toThrow()
  })

  test('appId must be given where wx cannot tell it', () => {
    const wx = createFakeWx({ omit: ['getAccountInfoSync'] })

    expect(() => create({ baseUrl, wx })).toThrow(new TypeError('appId must be a non-empty string'))
  })
})

test.each([
  ['give one of baseUrl, container and cloudFunction', {}],
  ['give one of baseUrl, container and cloudFunction', { baseUrl, container }],
  [`container.env must be ${name}`, { container: { ...container, env: '' } }],
  [`container.env must be ${name}`, { container: { ...container, env: 'prod 1' } }],
  [`container.env must be ${name}`, { container: { service: 'shop' } }],
  [`container.service must be ${name}`, { container: { env: 'prod-1' } }],
  [`container.service must be ${name}`, { container: { ...container, service: 'a.b' } }],
])('%s', (message, wrong) => {
  const options = { wx: createFakeWx(), ...wrong } as never

  expect(() => createFullClient(options)).toThrow(new TypeError(message))
})
