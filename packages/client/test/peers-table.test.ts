import { afterAll, afterEach, beforeEach, expect, test, vi } from 'vitest'
import { json, refusal } from './backend.js'
import { setUp, times } from './set-up.js'

// Ten parallel requests; `wx.login` takes 20 ms, the login 30 ms, the API 20 ms; watched for 4 s.
const rows: { scenario: string; logins: number; outcome: string }[] = []

beforeEach(() => {
  vi.useFakeTimers()
})

afterEach(() => {
  vi.useRealTimers()
})

afterAll(() => {
  const lines = rows.map(
    ({ scenario, logins, outcome }) =>
      `| ${scenario.padEnd(28)} | ${logins} → ${outcome.padEnd(36)} |`,
  )
  process.stdout.write(
    `\n| ${'ten parallel requests'.padEnd(28)} | ${'wx.login calls → outcome'.padEnd(40)} |\n${lines.join('\n')}\n`,
  )
})

type Setting = ReturnType<typeof setUp>

async function watch(
  scenario: string,
  { client, wx }: Setting,
): Promise<{ logins: number; outcome: string }> {
  const loginsBefore = wx.control.calls.login
  const settled = times(10, () => 'hung')
  times(10, (index) =>
    client.request<{ user: string }>({ url: `/orders/${index}` }).then(
      ({ data }) => {
        settled[index] = data.user === 'user-1' ? 'ok' : 'wrong data'
      },
      (error) => {
        settled[index] = `rejected ${error.code}`
      },
    ),
  )
  await vi.advanceTimersByTimeAsync(4_000)
  const outcome = [...new Set(settled)]
    .map((one) => `${settled.filter((other) => other === one).length} ${one}`)
    .join(', ')
  const result = { logins: wx.control.calls.login - loginsBefore, outcome }
  rows.push({ scenario, ...result })
  return result
}

function setUpTimed(): Setting {
  const setting = setUp({ loginTimeoutMs: 3_000 })
  setting.wx.control.onLogin({ afterMs: 20 })
  setting.wx.control.onRequest('/orders', { delayMs: 20 })
  setting.wx.control.onRequest('/wx/', { delayMs: 30 })
  return setting
}

/** A phone that was logged in an hour ago, and whose session the server no longer knows. */
async function setUpExpired(): Promise<Setting> {
  const setting = setUpTimed()
  setting.backend.setExpiresIn(86_400)
  const launched = setting.client.launch()
  await vi.advanceTimersByTimeAsync(100)
  await launched
  await vi.advanceTimersByTimeAsync(3_600_000)
  setting.backend.endSessions('expired')
  return setting
}

test('a cold start makes one login', async () => {
  expect(await watch('cold start', setUpTimed())).toEqual({ logins: 1, outcome: '10 ok' })
})

test('an expired session with staggered refusals makes one login', async () => {
  const setting = await setUpExpired()
  times(10, (index) =>
    setting.wx.control.onRequest(`/orders/${index}`, { delayMs: 10 + 25 * index }, { times: 1 }),
  )

  expect(await watch('expired session, staggered', setting)).toEqual({
    logins: 1,
    outcome: '10 ok',
  })
})

test('an expired session refused with HTTP 401 makes one login', async () => {
  const setting = await setUpExpired()

  expect(await watch('server answers HTTP 401', setting)).toEqual({ logins: 1, outcome: '10 ok' })
})

test('a login that fails rejects all', async () => {
  const setting = setUpTimed()
  setting.backend.answer('/wx/login', json(500, {}))

  expect(await watch('login fails', setting)).toEqual({ logins: 1, outcome: '10 rejected http' })
})

test('wx.login that never answers rejects all by the deadline', async () => {
  const setting = setUpTimed()
  setting.wx.control.onLogin('hang')

  expect(await watch('wx.login never answers', setting)).toEqual({
    logins: 1,
    outcome: '10 rejected timeout',
  })
})

test('a server that always says expired gets one login', async () => {
  const setting = await setUpExpired()
  setting.backend.answer('/orders', refusal(401, 'invalid_token'))

  expect(await watch('server always says expired', setting)).toEqual({
    logins: 1,
    outcome: '10 rejected invalid_token',
  })
})
