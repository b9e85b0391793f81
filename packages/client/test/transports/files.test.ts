import { ClientError } from '@wxlogin/client/full'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { json, refusal } from '../backend.js'
import { outcomes, setUpFull, times } from '../set-up.js'

const photo = { url: '/photos', filePath: 'wxfile://photo.png', name: 'photo' }

beforeEach(() => {
  vi.useFakeTimers()
})

afterEach(() => {
  vi.useRealTimers()
})

function setUp(options: Parameters<typeof setUpFull>[0] = {}) {
  const setting = setUpFull(options)
  setting.wx.control.files.set(photo.filePath, 'pixels')
  return setting
}

/** A session whose access token the server has forgotten, and which is old enough to be renewed. */
async function setUpExpired(options: Parameters<typeof setUpFull>[0] = {}) {
  const setting = setUp(options)
  await setting.client.launch()
  await vi.advanceTimersByTimeAsync(30_000)
  setting.backend.expireAccess()
  return setting
}

const transfers = [
  ['uploadFile', (client: Client) => client.uploadFile(photo)],
  ['downloadFile', (client: Client) => client.downloadFile({ url: '/photos' })],
] as const
type Client = ReturnType<typeof setUpFull>['client']

test('an upload carries the token, the file and the form, and its JSON is parsed', async () => {
  const { client, backend } = setUp()

  const { data, statusCode } = await client.uploadFile<{ user: string }>({
    ...photo,
    formData: { title: 'Me' },
    header: { 'x-mine': 'yes' },
  })

  expect([data.user, statusCode]).toEqual(['user-1', 200])
  const [request] = backend.seen('/photos')
  expect(request?.header).toMatchObject({
    authorization: 'Bearer access-1-session1',
    'x-mine': 'yes',
  })
  expect(request?.text).toMatch(/name="title"\r\n\r\nMe[\s\S]*filename="photo.png"[\s\S]*pixels/)
})

test('an answer to an upload that is not JSON stays a text', async () => {
  const { client, backend } = setUp()
  backend.answer('/photos', { statusCode: 200, header: {}, body: '<p>thanks' })

  expect((await client.uploadFile(photo)).data).toBe('<p>thanks')
})

test('a download resolves with where the file is', async () => {
  const { client, wx } = setUp()

  const { tempFilePath, statusCode } = await client.downloadFile({ url: '/photos' })
  const kept = await client.downloadFile({ url: '/photos', filePath: 'wxfile://mine' })

  expect(statusCode).toBe(200)
  expect(wx.control.files.get(String(tempFilePath))).toContain('user-1')
  expect(kept).toMatchObject({ filePath: 'wxfile://mine', statusCode: 200 })
  expect(kept.header).toMatchObject({ 'Content-Type': 'application/json' })
})

test('a url may be absolute, and no other origin gets the token', async () => {
  const { client, wx } = setUp({ trustedOrigins: ['https://cdn.example.com'] })

  await client.downloadFile({ url: 'https://cdn.example.com/a' })
  await client.downloadFile({ url: 'https://evil.example/a' })
  await client.uploadFile({ ...photo, url: 'https://evil.example/a', auth: true })

  const tokens = wx.control.requests.slice(1).map(({ header }) => header.authorization)
  expect(tokens).toEqual(['Bearer access-1-session1', undefined, undefined])
})

test.each(transfers)('%s without auth costs no login', async (name, _start) => {
  const { client, wx } = setUp()

  if (name === 'uploadFile') await client.uploadFile({ ...photo, auth: false })
  else await client.downloadFile({ url: '/photos', auth: false })

  expect(wx.control.calls.login).toBe(0)
  expect(wx.control.requests[0]?.header.authorization).toBeUndefined()
})

test.each(transfers)('%s renews a refused token once and is sent again', async (_, start) => {
  const { client, backend } = await setUpExpired()

  expect(await outcomes(times(3, () => start(client)))).toEqual(times(3, () => 'ok'))

  expect(backend.seen('/wx/refresh')).toHaveLength(1)
  expect(backend.seen('/photos').at(-1)?.header.authorization).toBe('Bearer access-2-session1')
})

test.each(transfers)('%s is sent again at most once', async (_, start) => {
  const { client, backend } = await setUpExpired()
  const header = { 'WWW-Authenticate': 'Bearer error="invalid_token"' }
  backend.answer('/photos', refusal(401, 'invalid_token', {}, header))

  expect(await outcomes([start(client)])).toEqual(['invalid_token'])
  expect(backend.seen('/photos')).toHaveLength(2)
})

test('an upload refused in its body alone is renewed, where no header is told', async () => {
  const { client, backend } = await setUpExpired({ phone: { fileHeaders: false } })

  expect(await outcomes([client.uploadFile(photo)])).toEqual(['ok'])
  expect(backend.seen('/wx/refresh')).toHaveLength(1)
})

test("a download's 401 counts as a refused token where no header is told", async () => {
  const { client, backend } = await setUpExpired({ phone: { fileHeaders: false } })

  expect(await outcomes([client.downloadFile({ url: '/photos' })])).toEqual(['ok'])
  expect(backend.seen('/wx/refresh')).toHaveLength(1)
})

test.each(transfers)("an app's own 401 to %s renews nothing", async (_, start) => {
  const { client, backend } = await setUpExpired()
  backend.answer('/photos', json(401, { error: 'wrong password' }, { 'WWW-Authenticate': 'Basic' }))

  expect(await outcomes([start(client)])).toEqual(['http'])
  expect(backend.seen('/wx/refresh')).toHaveLength(0)
})

test.each(transfers)('%s rejects with status and header', async (_, start) => {
  const { client, backend } = setUp()
  backend.answer('/photos', json(418, { why: 'tea' }, { 'Retry-After': '7' }))

  const error = await start(client).catch((error: unknown) => error)

  expect(error).toBeInstanceOf(ClientError)
  expect(error).toMatchObject({ code: 'http', statusCode: 418, retryAfterSeconds: 7 })
})

test('unwrap, raw and isUnauthorized apply to uploads', async () => {
  const { client, backend } = await setUpExpired({
    isUnauthorized: ({ data }) => Object(data).code === 40101,
    unwrap({ data }) {
      if (Object(data).code) throw new Error('sold out')
      return Object(data).inner
    },
  })
  backend.answer('/photos', json(500, { why: 'x' }), { times: 1 })
  backend.answer('/photos', json(200, { code: 7 }), { times: 1 })
  backend.answer('/photos', json(200, { code: 0, inner: 'in' }), { times: 1 })
  backend.answer('/photos', json(200, { code: 40101 }), { times: 1 })

  const unwrapped = await client.uploadFile<string>(photo)
  const error = await client.uploadFile(photo).catch((error) => error)
  const raw = await client.uploadFile({ ...photo, raw: true })

  expect(unwrapped.data).toBe('in')
  expect(backend.seen('/wx/refresh')).toHaveLength(1)
  expect(error).toMatchObject({ code: 'business', data: { code: 7 } })
  expect(raw).toMatchObject({ statusCode: 500, data: { why: 'x' } })
})

test('unwrap and isUnauthorized find nothing in a file to stumble over', async () => {
  const { client } = setUp({
    isUnauthorized: ({ data }) => (data as { code: number }).code === 40101,
    unwrap: () => {
      throw new Error('not for files')
    },
  })

  expect((await client.downloadFile({ url: '/photos' })).statusCode).toBe(200)
})

test.each(transfers)('%s rejects by its deadline, and the native task ends', async (_, start) => {
  const { client, wx } = setUp({ timeoutMs: 3_000 })
  await client.launch()
  wx.control.onRequest('/photos', 'hang')
  const transfer = outcomes([start(client)])

  await vi.advanceTimersByTimeAsync(3_000)

  expect(await transfer).toEqual(['timeout'])
  expect(wx.control.requests.at(-1)).toMatchObject({
    errMsg: expect.stringMatching(/File:fail abort$/),
    durationMs: 3_000,
  })
})

test.each(transfers)('abort ends %s at once, while it waits for a login too', async (_, start) => {
  const { client, wx, backend } = setUp()
  wx.control.onLogin({ afterMs: 1_000 })
  const waiting = start(client)

  waiting.abort()

  expect(await outcomes([waiting])).toEqual(['aborted'])
  await vi.advanceTimersByTimeAsync(1_000)
  expect(backend.seen('/photos')).toHaveLength(0)
})

test.each(transfers)(
  'listeners of %s hold before there is a task and across a replay',
  async (_, start) => {
    const { client } = await setUpExpired()
    const progress = vi.fn()
    const headers = vi.fn()
    const gone = vi.fn()
    const task = start(client)

    task.onProgressUpdate(({ progress: percent }: { progress: number }) => progress(percent))
    task.onHeadersReceived(headers)
    task.onHeadersReceived(gone)
    task.offHeadersReceived(gone)
    await task

    expect(progress.mock.calls).toEqual([[100], [100]])
    expect(headers).toHaveBeenCalledTimes(2)
    expect(gone).not.toHaveBeenCalled()
  },
)

test.each(transfers)('%s is not sent as another user', async (_, start) => {
  const { client, wx, backend } = await setUpExpired()
  backend.endSessions('expired')
  const before = start(client)
  await Promise.resolve()
  wx.control.switchUser('user-2')

  expect(await outcomes([before])).toEqual(['user_changed'])
})

test.each(transfers)('%s after a sign-out is not sent', async (_, start) => {
  const { client, backend } = setUp()
  await client.launch()
  await client.logout()

  expect(await outcomes([start(client)])).toEqual(['signed_out'])
  expect(backend.seen('/photos')).toHaveLength(0)
})

test('a file that is not there is a network failure with its cause', async () => {
  const { client } = setUp()

  const error = await client.uploadFile({ ...photo, filePath: 'gone' }).catch((error) => error)

  expect(error).toMatchObject({
    code: 'network',
    cause: { errMsg: 'uploadFile:fail file not found' },
  })
})

test.each(transfers)(
  '%s works where a wrapped wx returns no task, and is done once',
  async (name, run) => {
    const setting = setUp()
    const { wx, start } = setting
    const { uploadFile, downloadFile } = wx
    const client = start({
      ...wx,
      uploadFile: (options: never) => void uploadFile(options),
      downloadFile: (options: never) => void downloadFile(options),
    } as never)

    const { statusCode } = await run(client)

    expect(statusCode).toBe(200)
    expect(wx.control.calls[name]).toBe(1)
  },
)

test('a raw download resolves whatever the status is', async () => {
  const { client, backend } = setUp()
  backend.answer('/photos', json(404, {}))

  const download = await client.downloadFile({ url: '/photos', raw: true })

  expect(download.statusCode).toBe(404)
})
