import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { refusal } from './backend.js'
import { setUp, setUpFull } from './set-up.js'

beforeEach(() => {
  vi.useFakeTimers()
  vi.spyOn(console, 'warn').mockImplementation(() => undefined)
})

afterEach(() => {
  vi.restoreAllMocks()
  vi.unstubAllGlobals()
  vi.useRealTimers()
})

const text = 'ClientError: unknown_app: unknown_app it is 400 POST https://api.example.com/wx/login'

test.each([
  ['develop', [[text]]],
  ['trial', [[text]]],
  ['release', []],
] as const)('a launch that fails in the version %s is told once: %j', async (envVersion, told) => {
  for (const setUpEntry of [setUp, setUpFull]) {
    vi.mocked(console.warn).mockClear()
    const { client, backend } = setUpEntry({ phone: { envVersion } })
    backend.answer('/wx/login', refusal(400, 'unknown_app'))

    expect(await client.launch()).toBeUndefined()
    await vi.advanceTimersByTimeAsync(60_000)
    expect(await client.launch()).toBeUndefined()

    expect(vi.mocked(console.warn).mock.calls).toEqual(told)
  }
})

test('a launch without a console fails as quietly', async () => {
  const { client, backend } = setUp({ phone: { envVersion: 'develop' } })
  backend.answer('/wx/login', refusal(400, 'unknown_app'))
  vi.stubGlobal('console', undefined)

  const session = await client.launch()
  vi.unstubAllGlobals()

  expect(session).toBeUndefined()
})

test('nobody is warned of a sign-out, of ready() or of a runtime that does not tell its version', async () => {
  const signedOut = setUp({ phone: { envVersion: 'develop' } })
  await signedOut.client.logout()
  await signedOut.client.launch()
  const ready = setUp({ phone: { envVersion: 'develop' } })
  ready.backend.answer('/wx/login', refusal(400, 'unknown_app'))
  await ready.client.ready()
  const silent = setUp({ appId: 'wx1', phone: { omit: ['getAccountInfoSync'] } })
  silent.backend.answer('/wx/login', refusal(400, 'unknown_app'))
  await silent.client.launch()

  expect(console.warn).not.toHaveBeenCalled()
})
