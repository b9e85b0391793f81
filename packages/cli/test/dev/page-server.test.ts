import { request } from 'node:http'
import { expect, test, vi } from 'vitest'
import { setUp } from './set-up.js'

interface Attempt {
  readonly path?: string
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

/** With headers that `fetch` would not send. */
function statusOf(
  pageUrl: string,
  { path = '/events', method = 'GET', headers = {}, body }: Attempt,
): Promise<number | undefined> {
  return new Promise((answered, failed) => {
    const call = request(`${pageUrl}${path}`, { method, headers }, (response) => {
      answered(response.statusCode)
      response.destroy()
    })
    call.on('error', failed)
    call.end(body)
  })
}

const clear = '{"do":"clear"}'

test.each<[string, Attempt]>([
  ['with a name that somebody gave to loopback', { headers: { host: 'evil.example:80' } }],
  ['with a name that begins like loopback', { headers: { host: '127.0.0.1.evil.example' } }],
  ['from another origin', { headers: { origin: 'https://evil.example' } }],
  ['from another port of loopback', { headers: { origin: 'http://127.0.0.1:1' } }],
  ['from another site, as a picture', { headers: { 'sec-fetch-site': 'cross-site' } }],
  ['from the same site, but another origin', { headers: { 'sec-fetch-site': 'same-site' } }],
  ['that orders something and names no origin', { path: '/orders', method: 'POST', body: clear }],
])('a request %s is refused', async (_, attempt) => {
  const { sandbox } = await setUp()

  expect(await statusOf(sandbox.pageUrl, attempt)).toBe(403)
})

test('a browser that is sent there by its user is let in', async () => {
  const { sandbox } = await setUp()
  const { port } = new URL(sandbox.pageUrl)

  for (const host of [`127.0.0.1:${port}`, `localhost:${port}`]) {
    const headers = { host, 'sec-fetch-site': 'none' }
    expect(await statusOf(sandbox.pageUrl, { headers })).toBe(200)
  }
})

test.each([
  '',
  'no JSON',
  '{}',
  'null',
  '{"do":"phone","phone":"ming","action":"eval"}',
  '{"do":"phone","phone":"nobody","action":"launch"}',
  '{"do":"phone","phone":["ming"],"action":"launch"}',
  '{"do":"trouble","name":"toString","phone":"ming"}',
  '{"do":"trouble","name":"code-used"}',
  `{"do":"clear","x":"${'x'.repeat(2_000)}"}`,
])('the order %.40s is none', async (body) => {
  const { sandbox } = await setUp()
  const headers = { origin: sandbox.pageUrl }

  expect(await statusOf(sandbox.pageUrl, { path: '/orders', method: 'POST', headers, body })).toBe(
    400,
  )
})

test.each(['/package.json', '/../main.js', '/page.js?x=1', '/orders', '/events/'])(
  'there is no GET %s',
  async (path) => {
    const { sandbox } = await setUp()

    expect(await statusOf(sandbox.pageUrl, { path })).toBe(404)
  },
)

test('no site may frame the page, and it may load nothing from elsewhere', async () => {
  const { sandbox } = await setUp()

  const { headers } = await fetch(`${sandbox.pageUrl}/nothing`)

  expect(headers.get('content-security-policy')).toContain("default-src 'none'")
  expect(headers.get('content-security-policy')).toContain("frame-ancestors 'none'")
  expect(headers.get('cross-origin-resource-policy')).toBe('same-origin')
})

test('a page hears first what there is, then what happens, and never a secret', async () => {
  const { sandbox, act } = await setUp()
  await act('ming', 'launch')

  let heard = ''
  const call = request(`${sandbox.pageUrl}/events`, (response) => {
    response.setEncoding('utf8').on('data', (part) => {
      heard += part
    })
    response.on('error', () => undefined)
  })
  call.end()
  await vi.waitFor(() => expect(heard).toContain('event: entries'))
  const code = `sandbox-${'1234567890a'.repeat(2)}`
  const answer = await fetch(`${sandbox.phoneUrl}/wx/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'idempotency-key': 'k'.repeat(30) },
    body: JSON.stringify({ code, app_id: 'touristappid' }),
  })
  const { access_token, refresh_token, user_id } = Object(await answer.json())
  await vi.waitFor(() => expect(heard).toContain(`"user_id\\": \\"${user_id}\\"`))
  call.destroy()

  expect(heard.indexOf('event: state')).toBeLessThan(heard.indexOf('event: entries'))
  expect(heard).toContain('"method":"POST","url":"/wx/login"')
  for (const secret of [code, 'k'.repeat(30), access_token, refresh_token]) {
    expect(heard).not.toContain(secret)
  }
  expect(heard).not.toMatch(/eyJ[\w-]+\.|[A-Za-z0-9+/]{22}==|"o[\w-]{27}"|[^\d#]1[3-9]\d{9}\D/)
})
