import { createHmac } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import {
  AuthError,
  type AuthOptions,
  createAuth,
  createMemoryStore,
  type SessionRecord,
  type SessionStore,
} from '../../src/index.js'
import { bodyOf, send } from '../http/set-up.js'
import { newKey, setUp, testSecret } from '../set-up.js'
import { type Answer, clientsOf } from './device-set-up.js'

const victimsId = '7'

interface WorldOptions extends Partial<AuthOptions> {
  /** Between the backend and its store. */
  readonly through?: (store: ReturnType<typeof createMemoryStore>) => SessionStore
}

/** A victim with a phone and a PC, and an attacker with a phone and a PC; two processes serve them. */
async function createWorld({ through = (store) => store, ...options }: WorldOptions = {}) {
  const now = () => world.clock.now()
  const memory = createMemoryStore({ now: () => world?.clock.now() ?? 1_800_000_000_000 })
  const apps = ['wx1', 'wx2'].map((appId) => ({ appId, appSecret: 'a'.repeat(32) }))
  const common: Partial<AuthOptions> = {
    apps,
    store: through(memory),
    deviceGrant: {},
    onLogin: (_account, { input }) => ({ userId: input === 'victim' ? victimsId : '8' }),
    ...options,
  }
  const world: ReturnType<typeof setUp> = setUp(common, { apps })
  const { auth, wechat } = world
  const sibling = createAuth({
    ...common,
    apps,
    secret: testSecret,
    fetch: wechat.fetch,
    now,
    onEvent: () => undefined,
  })
  const signIn = async (person: string, input: string, appId = 'wx1') => {
    const code = wechat.codeFor(person, { appId })
    const tokens = await auth.login({ code, appId, input })
    return { tokens, ...clientsOf({ auth }, tokens.access_token) }
  }
  const victim = await signIn('alice', 'victim')
  const attacker = await signIn('mallory', 'attacker')
  const ask = (path: string, body: unknown, headers: Record<string, string> = {}) =>
    send(auth, path, { body, headers }).then(toAnswer)
  return {
    ...world,
    ...{ memory, sibling, victim, attacker, signIn, ask },
    start: (body: object = {}) => victim.start({ app_id: 'wx1', ...body }),
    devices: async () =>
      (await memory.list(victimsId)).filter(
        ({ method, revokedAt }) => method === 'device' && revokedAt === undefined,
      ),
  }
}

type World = Awaited<ReturnType<typeof createWorld>>

const toAnswer = (response: Awaited<ReturnType<typeof send>>): Answer => ({
  ...response,
  body: response.body === undefined ? {} : bodyOf(response),
})

const many = async (times: number, attempt: (n: number) => Promise<Answer>) => {
  const answers: Answer[] = []
  for (let n = 0; n < times; n++) answers.push(await attempt(n))
  return answers
}

/** The parts of a device code, to be put together otherwise. */
const partsOf = (code: string) => code.split('.') as [string, string, string]
const encoded = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
const payloadOf = (code: string) =>
  JSON.parse(Buffer.from(partsOf(code)[1], 'base64url').toString()) as Record<string, unknown>

const withPayload = (code: string, changes: object) => {
  const [header, , signature] = partsOf(code)
  return [header, encoded({ ...payloadOf(code), ...changes }), signature].join('.')
}

interface Abuse {
  readonly by: string
  readonly options?: WorldOptions
  /** Gives everything that the attacker was answered. */
  run(world: World): Promise<readonly Answer[]>
  /** How many devices the victim has afterwards that they let in themselves (default none). */
  readonly devices?: number
  /** What the attempts were answered with; each is one of these. */
  readonly answers: readonly string[]
}

const banned: { value: boolean } = { value: false }

const abuses: Readonly<Record<string, Abuse>> = {
  'a thousand scenes are guessed, to look': {
    by: 'RFC 8628 §5.1',
    run: async ({ start, attacker }) => {
      await start()
      return many(1000, () => attacker.look(newKey()))
    },
    answers: ['expired_token'],
  },
  'a thousand scenes are guessed, to decide': {
    by: 'RFC 8628 §5.1',
    run: async ({ start, attacker }) => {
      await start()
      return many(1000, () => attacker.decide(newKey()))
    },
    answers: ['expired_token'],
  },
  'a scene is tried in pieces, other cases and with more around it': {
    by: 'RFC 8628 §5.1',
    run: async ({ start, attacker }) => {
      const { scene } = await start()
      const wrong = [scene.slice(0, 21), scene.toLowerCase(), scene.toUpperCase(), ` ${scene}`]
      return many(wrong.length, (n) => attacker.decide(wrong[n] === scene ? 'x' : (wrong[n] ?? '')))
    },
    answers: ['expired_token'],
  },
  'a scene names something else in the store': {
    by: 'RFC 9700 §4',
    run: async ({ start, attacker }) => {
      const { scene } = await start()
      const wrong = [`asked.${scene}`, `../asked.${scene}`, "' or '1'='1", '\u0000', '__proto__']
      return many(wrong.length, (n) => attacker.decide(wrong[n] ?? ''))
    },
    answers: ['expired_token'],
  },
  'the scene is polled with': {
    by: 'RFC 8628 §5.2',
    run: async ({ start, victim, attacker }) => {
      const { scene } = await start()
      await victim.decide(scene)
      return [await attacker.poll(scene)]
    },
    answers: ['invalid_grant'],
  },
  'device codes are guessed': {
    by: 'RFC 8628 §5.2',
    run: async ({ start, victim, attacker }) => {
      const { scene } = await start()
      await victim.decide(scene)
      return many(1000, () => attacker.poll(newKey()))
    },
    answers: ['invalid_grant'],
  },
  'a device code is made without a signature (alg none)': {
    by: 'RFC 8725 §3.1',
    run: async ({ start, victim, attacker }) => {
      const { scene, deviceCode } = await start()
      await victim.decide(scene)
      const [, payload] = partsOf(deviceCode)
      const header = encoded({ alg: 'none', typ: 'dc+jwt' })
      return [
        await attacker.poll(`${header}.${payload}.`),
        await attacker.poll(`${header}.${payload}.AA`),
      ]
    },
    answers: ['invalid_grant'],
  },
  'a device code is signed with what is public': {
    by: 'RFC 8725 §3.2',
    run: async ({ start, victim, attacker }) => {
      const { scene, deviceCode } = await start()
      await victim.decide(scene)
      const [header, payload] = partsOf(deviceCode)
      const sign = (key: string) =>
        createHmac('sha256', key).update(`${header}.${payload}`).digest('base64url')
      const keys = [scene, 'wx1', '', header]
      return many(keys.length, (n) => attacker.poll(`${header}.${payload}.${sign(keys[n] ?? '')}`))
    },
    answers: ['invalid_grant'],
  },
  'a device code of the attacker gets the scene of the victim': {
    by: 'RFC 8628 §5.2',
    run: async ({ start, victim, attacker }) => {
      const own = await start()
      const { scene } = await start()
      await victim.decide(scene)
      return [await attacker.poll(withPayload(own.deviceCode, { scene }))]
    },
    answers: ['invalid_grant'],
  },
  'the end of a device code is put off': {
    by: 'RFC 8628 §5.2',
    run: async ({ start, victim, attacker, clock }) => {
      const { scene, deviceCode } = await start()
      await victim.decide(scene)
      clock.advance(180)
      return [await attacker.poll(withPayload(deviceCode, { end: 9_999_999_999 }))]
    },
    answers: ['invalid_grant'],
  },
  'a device code is turned to another mini program': {
    by: 'RFC 9700 §2.3',
    run: async ({ start, victim, attacker }) => {
      const { scene, deviceCode } = await start()
      await victim.decide(scene)
      return [await attacker.poll(withPayload(deviceCode, { aud: 'wx2' }))]
    },
    answers: ['invalid_grant'],
  },
  'a device code is written in another way, to be another one': {
    by: 'RFC 4648 §3.5',
    run: async ({ start, victim, attacker }) => {
      const { scene, deviceCode } = await start()
      await victim.decide(scene)
      const forms = [`${deviceCode}=`, ` ${deviceCode}`, `${deviceCode}\n`, `${deviceCode}.x`]
      return many(forms.length, (n) => attacker.poll(forms[n] ?? ''))
    },
    answers: ['invalid_grant'],
  },
  'the header of a device code says another kind': {
    by: 'RFC 8725 §3.11',
    run: async ({ start, victim, attacker }) => {
      const { scene, deviceCode } = await start()
      await victim.decide(scene)
      const [header, payload, signature] = partsOf(deviceCode)
      const { kid } = JSON.parse(Buffer.from(header, 'base64url').toString())
      const other = encoded({ alg: 'HS256', typ: 'at+jwt', kid })
      return [await attacker.poll(`${other}.${payload}.${signature}`)]
    },
    answers: ['invalid_grant'],
  },
  'a device code of another server': {
    by: 'RFC 9700 §2.3',
    run: async ({ start, victim, attacker, wechat }) => {
      const { scene } = await start()
      await victim.decide(scene)
      const elsewhere = createAuth({
        apps: [{ appId: 'wx1', appSecret: 'a'.repeat(32) }],
        secret: `${testSecret}x`,
        fetch: wechat.fetch,
        deviceGrant: {},
        onEvent: () => undefined,
      })
      const { device_code } = await elsewhere.device.start()
      return [
        await attacker.poll(device_code),
        await attacker.poll(withPayload(device_code, { scene })),
      ]
    },
    answers: ['invalid_grant'],
  },
  'tokens are polled with': {
    by: 'RFC 8725 §3.12',
    run: async ({ attacker }) => [
      await attacker.poll(attacker.tokens.refresh_token),
      await attacker.poll(attacker.tokens.access_token),
    ],
    answers: ['invalid_grant'],
  },
  'a device code is used as a refresh token': {
    by: 'RFC 8725 §3.12',
    run: async ({ start, victim, ask }) => {
      const { scene, deviceCode } = await start()
      await victim.decide(scene)
      return [await ask('/refresh', { refresh_token: deviceCode })]
    },
    answers: ['invalid_grant'],
  },
  'a device code is used as an access token': {
    by: 'RFC 8725 §3.12',
    run: async ({ auth, start, victim }) => {
      const { scene, deviceCode } = await start()
      await victim.decide(scene)
      return [await clientsOf({ auth }, deviceCode).look(scene)]
    },
    answers: ['invalid_token'],
  },
  'a picture is forwarded, and only scanned': {
    by: 'RFC 8628 §5.4, consent phishing',
    run: async ({ start, victim, attacker }) => {
      const { scene, deviceCode } = await start({ client_name: 'Claim your prize' })
      await victim.look(scene)
      return [await attacker.poll(deviceCode)]
    },
    answers: ['authorization_pending'],
  },
  'a picture is forwarded, and refused': {
    by: 'RFC 8628 §5.4, consent phishing',
    run: async ({ start, victim, attacker, clock }) => {
      const { scene, deviceCode } = await start()
      await victim.decide(scene, false)
      return many(3, () => {
        clock.advance(2)
        return attacker.poll(deviceCode)
      })
    },
    answers: ['access_denied'],
  },
  'a picture is forwarded where numbers are matched, and let in without one': {
    by: 'RFC 8628 §5.4, consent phishing',
    options: { deviceGrant: { numberMatching: true } },
    run: async ({ start, victim, attacker }) => {
      const { scene, deviceCode } = await start()
      expect(await victim.decide(scene)).toMatchObject({ body: { error: 'invalid_request' } })
      return [await attacker.poll(deviceCode)]
    },
    answers: ['authorization_pending'],
  },
  'a picture is forwarded where numbers are matched, and the number is guessed': {
    by: 'RFC 8628 §5.4, consent phishing',
    options: { deviceGrant: { numberMatching: true } },
    run: async ({ start, victim, attacker }) => {
      const { scene, deviceCode, number } = await start()
      const wrong = number === '10' ? '11' : '10'
      await victim.decide(scene, true, { number: wrong })
      await victim.decide(scene, true, { number })
      return [await attacker.poll(deviceCode)]
    },
    answers: ['access_denied'],
  },
  'a device says where it is': {
    by: 'RFC 8628 §5.4, consent phishing',
    run: async ({ start }) => [await start({ place: '你家' })],
    answers: ['invalid_request'],
  },
  'a device names itself with characters that turn the text around': {
    by: 'RFC 8628 §5.4, consent phishing',
    run: async ({ start }) => [
      await start({ client_name: '\u202emoc.elpmaxe' }),
      await start({ page: 'https://shop.example\n(verified)' }),
      await start({ client_name: 'x'.repeat(129) }),
    ],
    answers: ['invalid_request'],
  },
  'a device writes more into the store than it may': {
    by: 'RFC 8628 §5.1',
    run: async ({ start }) => [
      await start({ client_name: '名'.repeat(128), page: '页'.repeat(128) }),
    ],
    answers: ['invalid_request'],
  },
  'more devices ask than there is room for': {
    by: 'RFC 9700 §4',
    options: { deviceGrant: { maxOpen: 50 } },
    run: async ({ start }) => {
      await many(50, () => start())
      return many(50, () => start())
    },
    answers: ['rate_limited'],
  },
  "the attacker lets the victim's PC into the attacker's account": {
    by: 'RFC 8628 §5.4, the other way round',
    run: async ({ start, victim, attacker }) => {
      const { scene, deviceCode } = await start()
      await attacker.decide(scene)
      // The PC is told whose account it is, and shows it.
      const answer = await victim.poll(deviceCode)
      expect(answer.body.user_id).toBe('8')
      return [await victim.decide(scene)]
    },
    answers: ['expired_token'],
  },
  'a decision names another user': {
    by: 'RFC 9700 §4.15',
    run: async ({ start, attacker }) => {
      const { scene, deviceCode } = await start()
      const more = { user_id: victimsId, userId: victimsId, openid: 'alice', sub: victimsId }
      await attacker.decide(scene, true, more)
      const answer = await attacker.poll(deviceCode)
      expect(answer.body.user_id).toBe('8')
      return []
    },
    answers: [],
  },
  'a user of another mini program decides': {
    by: 'RFC 9700 §2.3',
    run: async ({ start, signIn }) => {
      const { scene } = await start()
      const other = await signIn('mallory', 'attacker', 'wx2')
      return [await other.look(scene), await other.decide(scene)]
    },
    answers: ['insufficient_scope'],
  },
  'a phone decides that has signed out, with a token that is still good': {
    by: 'RFC 9700 §4.14',
    run: async ({ auth, start, attacker }) => {
      const { scene } = await start()
      await auth.logout({ refreshToken: attacker.tokens.refresh_token })
      return [await attacker.look(scene), await attacker.decide(scene)]
    },
    answers: ['invalid_token'],
  },
  'a phone decides that was revoked, with a token that is still good': {
    by: 'RFC 9700 §4.14',
    run: async ({ auth, start, attacker }) => {
      const { scene } = await start()
      await auth.sessions.revoke({ userId: '8' })
      return [await attacker.decide(scene)]
    },
    answers: ['invalid_token'],
  },
  'an expired or an altered token decides': {
    by: 'RFC 6750 §3.1',
    run: async ({ auth, start, attacker, clock }) => {
      const { scene } = await start()
      const token = attacker.tokens.access_token
      const altered = clientsOf({ auth }, withPayload(token, { sub: victimsId }))
      const answers = [await altered.decide(scene)]
      clock.advance(1000)
      return [...answers, await attacker.decide(scene)]
    },
    answers: ['invalid_token'],
  },
  'nobody decides': {
    by: 'RFC 6750 §3',
    run: async ({ auth, start }) => {
      const { scene } = await start()
      const look = send(auth, `/device?scene=${scene}`, { method: 'GET' }).then(toAnswer)
      const body = { scene, approve: true }
      return [await look, await send(auth, '/device/decision', { body }).then(toAnswer)]
    },
    answers: ['invalid_token'],
  },
  'a device that was let in lets in the next': {
    by: 'RFC 9700 §4.14, persistence',
    run: async ({ auth, start, victim, clock }) => {
      const { scene, deviceCode } = await start()
      await victim.decide(scene)
      const { body } = await victim.poll(deviceCode)
      clock.advance(2)
      const stolen = clientsOf({ auth }, String(body.access_token))
      const next = await start()
      return [await stolen.look(next.scene), await stolen.decide(next.scene)]
    },
    devices: 1,
    answers: ['insufficient_scope'],
  },
  'a refusal is turned into an approval, by another and by the same': {
    by: 'RFC 8628 §3.5',
    run: async ({ start, victim, attacker }) => {
      const { scene, deviceCode } = await start()
      await victim.decide(scene, false)
      const answers = [await attacker.decide(scene), await victim.decide(scene)]
      expect((await attacker.poll(deviceCode)).body.error).toBe('access_denied')
      return answers
    },
    answers: ['expired_token'],
  },
  "the victim's approval is decided again by the attacker": {
    by: 'RFC 8628 §3.5',
    run: async ({ start, victim, attacker }) => {
      const { scene, deviceCode } = await start()
      await victim.decide(scene)
      const answers = [await attacker.decide(scene), await attacker.decide(scene, false)]
      expect((await victim.poll(deviceCode)).body.user_id).toBe(victimsId)
      return answers
    },
    devices: 1,
    answers: ['expired_token'],
  },
  'a device code is replayed with a key of the attacker': {
    by: 'RFC 6749 §4.1.2',
    run: async ({ start, victim, attacker, clock }) => {
      const { scene, deviceCode } = await start()
      await victim.decide(scene)
      await victim.poll(deviceCode)
      clock.advance(2)
      // It ends what the two hold, for nobody can tell them apart.
      return [await attacker.poll(deviceCode, newKey())]
    },
    answers: ['invalid_grant'],
  },
  'a device code is replayed from a log, with its key': {
    by: 'RFC 6749 §4.1.2',
    run: async ({ start, victim, attacker, clock }) => {
      const { scene, deviceCode } = await start()
      await victim.decide(scene)
      await victim.poll(deviceCode)
      clock.advance(300)
      return [await attacker.poll(deviceCode)]
    },
    devices: 1,
    answers: ['invalid_grant'],
  },
  'a device code is replayed after the PC has gone on': {
    by: 'RFC 6749 §4.1.2',
    run: async ({ auth, start, victim, attacker, clock }) => {
      const { scene, deviceCode } = await start()
      await victim.decide(scene)
      const { body } = await victim.poll(deviceCode)
      await auth.refresh({ refreshToken: String(body.refresh_token), idempotencyKey: newKey() })
      clock.advance(2)
      return [await attacker.poll(deviceCode)]
    },
    devices: 1,
    answers: ['invalid_grant'],
  },
  'a device code is replayed after the PC has signed out': {
    by: 'RFC 6749 §4.1.2',
    run: async ({ auth, start, victim, attacker, clock }) => {
      const { scene, deviceCode } = await start()
      await victim.decide(scene)
      const { body } = await victim.poll(deviceCode)
      await auth.logout({ refreshToken: String(body.refresh_token) })
      return many(3, () => {
        clock.advance(2)
        return attacker.poll(deviceCode)
      })
    },
    answers: ['authorization_pending'],
  },
  'a device code is replayed after its user was signed out everywhere': {
    by: 'RFC 6749 §4.1.2',
    run: async ({ auth, start, victim, attacker, clock }) => {
      const { scene, deviceCode } = await start()
      await victim.decide(scene)
      await victim.poll(deviceCode)
      await auth.logout({ refreshToken: victim.tokens.refresh_token, everywhere: true })
      clock.advance(2)
      return [await attacker.poll(deviceCode)]
    },
    answers: ['invalid_grant', 'authorization_pending'],
  },
  'the phone is revoked between approval and poll': {
    by: 'RFC 9700 §4.14',
    run: async ({ auth, start, victim, attacker }) => {
      const { scene, deviceCode } = await start()
      await victim.decide(scene)
      await auth.sessions.revoke({ userId: victimsId })
      return [await attacker.poll(deviceCode)]
    },
    answers: ['access_denied'],
  },
  'the user is banned between approval and poll': {
    by: 'RFC 9700 §4.14',
    options: {
      claims: () => {
        if (banned.value) throw new AuthError('access_denied', 'banned', { reason: 'banned' })
        return {}
      },
    },
    run: async ({ start, victim, attacker }) => {
      const { scene, deviceCode } = await start()
      await victim.decide(scene)
      banned.value = true
      const answer = await attacker.poll(deviceCode)
      banned.value = false
      return [answer]
    },
    answers: ['access_denied'],
  },
  'an approval comes in time, and the poll too late': {
    by: 'RFC 8628 §3.5',
    run: async ({ start, victim, attacker, clock }) => {
      const { scene, deviceCode } = await start()
      await victim.decide(scene)
      clock.advance(180)
      return [await attacker.poll(deviceCode), await victim.decide(scene)]
    },
    answers: ['expired_token'],
  },
  'polls come as fast as they can': {
    by: 'RFC 8628 §3.5',
    run: async ({ start, attacker }) => {
      const { deviceCode } = await start()
      await attacker.poll(deviceCode)
      return many(1000, () => attacker.poll(deviceCode))
    },
    answers: ['slow_down'],
  },
  'polls come without an idempotency key, or with a short one': {
    by: 'RFC 9700 §4',
    run: async ({ start, ask }) => {
      const { deviceCode: device_code } = await start()
      return [
        await ask('/device/token', { device_code }, { 'Idempotency-Key': '' }),
        await ask('/device/token', { device_code }, { 'Idempotency-Key': 'short' }),
      ]
    },
    answers: ['invalid_request'],
  },
  'a decision says what is not quite true': {
    by: 'RFC 9700 §4',
    run: async ({ start, victim }) => {
      const { scene } = await start()
      const values = ['true', 1, 'yes', [], {}, null]
      return many(values.length, (n) => victim.decide(scene, values[n]))
    },
    answers: ['invalid_request'],
  },
}

describe('none of these gets anything', () => {
  test('and there are forty of them at least', () => {
    expect(Object.keys(abuses).length).toBeGreaterThanOrEqual(40)
  })

  test.each(Object.entries(abuses))('%s', async (_what, { options, run, answers, devices = 0 }) => {
    const world = await createWorld(options)

    const got = await run(world)

    for (const { body } of got) {
      expect(answers).toContain(body.error)
      expect(Object.keys(body)).not.toContain('access_token')
    }
    expect(await world.devices()).toHaveLength(devices)
  })
})

test('two polls at once, a thousand times, in two processes, make one session each time', async () => {
  const { auth, sibling, start, victim, devices, memory } = await createWorld()

  for (let round = 0; round < 1000; round++) {
    const { scene, deviceCode } = await start()
    await victim.decide(scene)
    const input = { deviceCode, idempotencyKey: newKey() }
    const answers = await Promise.allSettled([auth.device.poll(input), sibling.device.poll(input)])

    const tokens = answers.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
    expect(new Set(tokens.map(({ refresh_token }) => refresh_token)).size).toBe(1)
    for (const answer of answers) {
      if (answer.status === 'rejected') {
        expect(answer.reason).toMatchObject({ code: 'authorization_pending' })
      }
    }
    expect(await devices()).toHaveLength(1)
    for (const { id } of await devices()) await memory.delete(id)
  }
})

describe('a store that fails at any step', () => {
  const verbs = ['create', 'get', 'put', 'peek', 'take', 'replace'] as const
  const faults = verbs.flatMap((verb) =>
    [0, 1, 2, 3].flatMap((nth) =>
      (['before', 'after'] as const).map((when) => ({ verb, nth, when })),
    ),
  )

  test.each(faults)(
    'gives no token without a session, and never two sessions: $verb $nth, $when it is done',
    async ({ verb, nth, when }) => {
      let [isOn, calls] = [false, 0]
      const world = await createWorld({
        through: (memory) => ({
          ...memory,
          [verb]: async (...args: never[]) => {
            const direct = memory[verb] as (...args: never[]) => Promise<unknown>
            const isFaulty = isOn && calls++ === nth
            if (isFaulty && when === 'before') throw new Error('the store is down')
            const result = await direct(...args)
            if (isFaulty) throw new Error('the answer was lost')
            return result
          },
        }),
      })
      isOn = true

      const { scene, deviceCode } = await world.start()
      const decided = scene ? await world.victim.decide(scene) : undefined
      if (decided && decided.status !== 204) await world.victim.decide(scene)
      const answers = await many(4, () => {
        world.clock.advance(10)
        return world.victim.poll(deviceCode || 'none')
      })

      const tokens = answers.filter(({ status }) => status === 200)
      const refreshTokens = new Set(tokens.map(({ body }) => body.refresh_token))
      expect(refreshTokens.size).toBeLessThanOrEqual(1)
      const devices: readonly SessionRecord[] = await world.devices()
      expect(devices.length).toBeLessThanOrEqual(1)
      if (tokens.length > 0) expect(devices).toHaveLength(1)
      const codes = answers.flatMap(({ body }) => (body.error ? [body.error] : []))
      for (const code of codes) {
        expect(['store_unavailable', 'authorization_pending', 'invalid_grant']).toContain(code)
      }
    },
  )
})
