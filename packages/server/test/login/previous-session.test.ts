import { expect, test } from 'vitest'
import { type AuthEvent, createMemoryStore, type LoginContext } from '../../src/index.js'
import { createClock, setUp } from '../set-up.js'

/** Alice, signed in; what onLogin learns of the session that her next login replaces is kept in `seen`. */
async function setUpAlice(options: Parameters<typeof setUp>[0] = {}) {
  const seen: LoginContext['previous'][] = []
  const set = setUp({
    onLogin: (_account, { previous }) => void seen.push(previous),
    ...options,
  })
  const { auth, wechat } = set
  const first = await auth.login({ code: wechat.codeFor('alice') })
  const { id } = await auth.authenticate(`Bearer ${first.access_token}`)
  seen.length = 0
  const loginAfter = (previousRefreshToken: string) =>
    auth.login({ code: wechat.codeFor('alice'), previousRefreshToken })
  const { refresh_token: refreshToken, user_id: userId } = first
  return { ...set, seen, id, userId, refreshToken, loginAfter }
}

const endingsOf = (events: readonly AuthEvent[]) =>
  events.filter(({ type }) => type === 'logout' || type === 'revoked')

test('a login ends the session that it names like a logout, and says so in an event', async () => {
  const { wechat, events, id, userId, refreshToken, loginAfter } = await setUpAlice()

  await loginAfter(refreshToken)

  expect(endingsOf(events)).toEqual([
    { type: 'logout', appId: wechat.app.appId, sessionId: id, userId, everywhere: false },
  ])
})

test('the newest token is the newest after any number of refreshes', async () => {
  const { auth, events, id, refreshToken, seen, loginAfter } = await setUpAlice()
  let newest = refreshToken
  for (let n = 0; n < 3; n++) newest = (await auth.refresh({ refreshToken: newest })).refresh_token

  await loginAfter(newest)

  expect(seen).toMatchObject([{ id }])
  expect(endingsOf(events)).toMatchObject([{ type: 'logout', sessionId: id }])
})

test('a client that lost the answer to its last refresh is no thief: its session ends, and not as reused', async () => {
  const { auth, events, id, refreshToken, loginAfter } = await setUpAlice()
  const { refresh_token: second } = await auth.refresh({ refreshToken })
  await auth.refresh({ refreshToken: second })

  await loginAfter(second)

  expect(endingsOf(events)).toMatchObject([{ type: 'logout', sessionId: id }])
})

test('a session that was revoked before stays so: onLogin learns nothing of it, its device still learns why', async () => {
  const { auth, seen, userId, refreshToken, loginAfter } = await setUpAlice()
  await auth.sessions.revoke({ userId })

  await loginAfter(refreshToken)

  expect(seen).toEqual([undefined])
  await expect(auth.refresh({ refreshToken })).rejects.toMatchObject({ reason: 'revoked' })
})

test('a session of a mini program that is not served here is left alone', async () => {
  const { now } = createClock()
  const store = createMemoryStore({ now })
  const alice = await setUpAlice({ now, store })
  const elsewhere = setUp(
    { now, store, onLogin: (_account, { previous }) => void alice.seen.push(previous) },
    { apps: [{ appId: 'wx0000000000000002', appSecret: 'a secret' }] },
  )

  await elsewhere.auth.login({
    code: elsewhere.wechat.codeFor('alice'),
    previousRefreshToken: alice.refreshToken,
  })

  expect(alice.seen).toEqual([undefined])
  await expect(alice.auth.refresh({ refreshToken: alice.refreshToken })).resolves.toBeDefined()
})

test('a store that cannot find it costs neither the login nor the session', async () => {
  const { now } = createClock()
  const memory = createMemoryStore({ now })
  let isDown = false
  const get = (id: string) => (isDown ? Promise.reject(new Error('down')) : memory.get(id))
  const { auth, events, refreshToken, loginAfter } = await setUpAlice({
    now,
    store: { ...memory, get },
  })
  isDown = true

  const { user_id } = await loginAfter(refreshToken)

  isDown = false
  expect(await auth.sessions.list(user_id)).toHaveLength(2)
  expect(endingsOf(events)).toEqual([])
})
