import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import type { SessionStore } from '../../src/index.js'
import { newKey, setUp } from '../set-up.js'
import { clear, newNamespace, type OpenStore, openStore, storePlaces } from './stores.js'

describe.each(storePlaces(inject('services')))('$name', (given) => {
  const place = { ...given, namespace: newNamespace() }
  const open: OpenStore<SessionStore>[] = []
  beforeAll(async () => {
    // Connections of their own, as two instances have them.
    open.push(await openStore(place), await openStore(place))
  })
  afterAll(async () => {
    for (const { close } of open) await close()
    await clear(place)
  })

  /** Two instances of a backend, on one store. */
  function setUpTwo() {
    const [left, right] = open.map(({ store }) =>
      setUp({ store, now: Date.now, storeTimeoutMs: 5000, deviceGrant: {} }),
    )
    if (!left || !right) throw new Error('the store is not open')
    return { left, right }
  }

  async function setUpApproved() {
    const { left, right } = setUpTwo()
    const userId = newKey()
    const phone = await left.auth.sessions.create({ account: { openid: 'alice' }, userId })
    const session = await left.auth.authenticate(`Bearer ${phone.access_token}`)
    const { scene, device_code: deviceCode } = await right.auth.device.start()
    return { left, right, userId, phone, session, scene, deviceCode }
  }

  test('of two decisions in two instances one counts', async () => {
    const { left, right, session, scene } = await setUpApproved()

    const outcomes = await Promise.allSettled([
      left.auth.device.decide({ session, scene, approve: true }),
      right.auth.device.decide({ session, scene, approve: false }),
    ])

    expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
  })

  test('polls at once in two instances make one session, ten times', async () => {
    for (let round = 0; round < 10; round++) {
      const { left, right, userId, session, scene, deviceCode } = await setUpApproved()
      await left.auth.device.decide({ session, scene, approve: true })
      const input = { deviceCode, idempotencyKey: newKey() }

      const answers = await Promise.allSettled([
        left.auth.device.poll(input),
        right.auth.device.poll(input),
      ])

      const tokens = answers.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
      expect(new Set(tokens.map(({ refresh_token }) => refresh_token)).size).toBe(1)
      const methods = (await left.auth.sessions.list(userId)).map(({ method }) => method)
      expect(methods.sort()).toEqual(['app', 'device'])
    }
  })

  test('a revocation that meets the poll ends both', async () => {
    for (let round = 0; round < 5; round++) {
      const { left, right, userId, session, scene, deviceCode } = await setUpApproved()
      await left.auth.device.decide({ session, scene, approve: true })

      await Promise.allSettled([
        left.auth.device.poll({ deviceCode, idempotencyKey: newKey() }),
        right.auth.sessions.revoke({ userId }),
      ])

      expect(await left.auth.sessions.list(userId)).toEqual([])
    }
  })
})
