import { describe, expect, test } from 'vitest'
import { type AuthOptions, checkHookAnswer, type HookContext } from '../src/index.js'
import { send } from './http/set-up.js'
import { newKey, prefetchPath, setUp } from './set-up.js'

/** Hooks that write down what names each of their calls. */
function setUpHooks(options: Partial<AuthOptions> = {}) {
  const ids: string[] = []
  const look = ({ callId }: HookContext) => void ids.push(callId)
  const set = setUp({
    onLogin: (_account, context) => look(context),
    claims: (_user, context) => {
      look(context)
      return {}
    },
    onPhoneNumber: look,
    ...options,
  })
  return { ...set, ids, look }
}

/** As the gateway of cloud hosting passes it on. */
function hostedRequest(appId: string) {
  const headers = new Map([
    ['x-wx-openid', 'alice'],
    ['x-wx-appid', appId],
    ['x-wx-source', 'wx_client'],
  ])
  return { header: (name: string) => headers.get(name.toLowerCase()) }
}

describe('each call of a hook has a name of its own', () => {
  test('at logins, refreshes and phone numbers', async () => {
    const { auth, wechat, ids } = setUpHooks()

    let { refresh_token, access_token } = await auth.login({ code: wechat.codeFor('alice') })
    for (let n = 0; n < 3; n++) {
      ;({ refresh_token } = await auth.refresh({ refreshToken: refresh_token }))
    }
    ;({ access_token } = await auth.login({ code: wechat.codeFor('alice') }))
    const session = await auth.authenticate(`Bearer ${access_token}`)
    for (let n = 0; n < 2; n++) await auth.phone({ session, code: wechat.phoneCodeFor('alice') })

    expect(ids).toHaveLength(2 + 3 + 2 + 2)
    expect(new Set(ids).size).toBe(ids.length)
    for (const id of ids) expect(id).toMatch(/^[\w-]{22}$/)
  })

  test('and in a data pre-fetch', async () => {
    const { auth, wechat, ids, look } = setUpHooks({ onPrefetch: (context) => look(context) })
    const query = new URLSearchParams({ appid: wechat.app.appId, code: wechat.codeFor('alice') })

    await send(auth, `/${prefetchPath}/prefetch?${query}`, { method: 'GET' })

    expect(new Set(ids).size).toBe(3)
  })

  test('also where a session of cloud hosting comes back under its id', async () => {
    const { auth, wechat, clock, ids } = setUpHooks({ cloudHosting: { public: false } })
    const request = hostedRequest(wechat.app.appId)

    const { id } = await auth.authenticate(request)
    clock.advance(200 * 86_400)
    const again = await auth.authenticate(request)

    expect(again.id).toBe(id)
    expect(ids).toHaveLength(4)
    expect(new Set(ids).size).toBe(4)
  })

  test('also where a session is asked about again without new tokens', async () => {
    const { auth, wechat, clock, ids } = setUpHooks({ cloudHosting: { public: false } })
    const request = hostedRequest(wechat.app.appId)

    const session = await auth.authenticate(request)
    clock.advance(3600)
    await auth.authenticate(request)
    const ticket = await auth.tickets.issue(session, { audience: 'https://h5.example.com' })
    await auth.tickets.redeem(ticket, { audience: 'https://h5.example.com' })

    expect(ids).toHaveLength(4)
    expect(new Set(ids).size).toBe(4)
  })
})

describe('what comes again keeps its name, so that what was done for it is not done twice', () => {
  test('a login whose answer was lost', async () => {
    const { auth, wechat, ids } = setUpHooks()
    const login = { code: wechat.codeFor('alice'), idempotencyKey: newKey() }

    await auth.login(login)
    await auth.login(login)

    const [onLogin, claims, claimsAgain] = ids
    expect(ids).toHaveLength(3)
    expect(claimsAgain).toBe(claims)
    expect(claims).not.toBe(onLogin)
  })

  test('a refresh whose answer was lost, and not the one after it', async () => {
    const { auth, wechat, ids } = setUpHooks()
    const { refresh_token } = await auth.login({ code: wechat.codeFor('alice') })
    const refresh = { refreshToken: refresh_token, idempotencyKey: newKey() }
    ids.length = 0

    const { refresh_token: next } = await auth.refresh(refresh)
    await auth.refresh(refresh)
    await auth.refresh({ refreshToken: next, idempotencyKey: newKey() })

    const [first, again, after] = ids
    expect(again).toBe(first)
    expect(after).not.toBe(first)
  })

  test('a refresh that failed, because the hook did', async () => {
    let isDown = false
    const ids: string[] = []
    const { auth, wechat } = setUp({
      claims: (_user, { callId }) => {
        ids.push(callId)
        if (isDown) throw new Error('The database is down')
        return {}
      },
    })
    const { refresh_token } = await auth.login({ code: wechat.codeFor('alice') })
    const refresh = { refreshToken: refresh_token, idempotencyKey: newKey() }
    ids.length = 0

    isDown = true
    await expect(auth.refresh(refresh)).rejects.toMatchObject({ code: 'server_error' })
    isDown = false
    await auth.refresh(refresh)

    expect(ids[1]).toBe(ids[0])
  })
})

describe('an answer of a hook can be checked before the hook gives it', () => {
  test.each([
    ['onLogin', undefined],
    ['onLogin', {}],
    ['onLogin', { userId: 7, data: { name: 'Alice' } }],
    ['onPhoneNumber', { userId: 'u7' }],
    ['claims', { role: 'admin' }],
  ] as const)('%s may give %j', (hook, answer) => {
    expect(() => checkHookAnswer(hook, answer)).not.toThrow()
  })

  test.each([
    ['onLogin', 'u7', 'a string'],
    ['onLogin', { id: 7 }, 'neither of the two'],
    ['onLogin', { userId: 1e300 }, 'not exact'],
    ['onPhoneNumber', { userId: '' }, 'an empty string'],
    ['claims', { sub: 'u7' }, 'the reserved claim "sub"'],
    ['claims', { text: 'x'.repeat(2048) }, 'more than 2048 bytes'],
    ['claims', undefined, 'object of JSON values'],
    ['claims', ['admin'], 'object of JSON values'],
  ] as const)('%s must not give %j', (hook, answer, says) => {
    expect(() => checkHookAnswer(hook, answer)).toThrow(
      expect.objectContaining({ code: 'server_error', message: expect.stringContaining(says) }),
    )
  })
})
