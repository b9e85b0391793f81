import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { createMemoryStore, type SessionRecord } from '../../src/index.js'
import { setUp } from '../set-up.js'

interface Frozen {
  readonly nowMs: number
  readonly signed: { readonly rawData: string; readonly signature: string }
  readonly sessions: readonly {
    readonly method: string
    readonly refreshToken: string
    readonly accessToken: string
    readonly idempotencyKey: string
    readonly record: SessionRecord
  }[]
}

// Records as stores hold them, and the tokens that phones hold, written once under the test secret. From the first
// release on a change that breaks one of these logs real users out.
const { nowMs, signed, sessions }: Frozen = JSON.parse(
  readFileSync(new URL('records-v1.json', import.meta.url), 'utf8'),
)

async function restored() {
  const now = () => nowMs
  const store = createMemoryStore({ now })
  for (const { record } of sessions) await store.create(record)
  return setUp({ now, store })
}

const frozen = (name: string) => {
  const found = sessions.find(({ method }) => method === name)
  if (!found) throw new Error(`There is no frozen session ${name}`)
  return found
}

test.each(['code', 'prefetch', 'cloud_hosting', 'app', 'rotated'])(
  'a stored session by %s goes on: its access token is good, its refresh token rotates',
  async (name) => {
    const { auth } = await restored()
    const { accessToken, refreshToken, record } = frozen(name)

    const session = await auth.authenticate(`Bearer ${accessToken}`, { fresh: true })
    const next = await auth.refresh({ refreshToken })

    expect(session).toMatchObject({ id: record.id, userId: record.userId })
    expect(next).toMatchObject({ user_id: record.userId })
    expect(await auth.sessions.list(record.userId)).toMatchObject([
      { id: record.id, method: record.method },
    ])
  },
)

test('a stored session that was revoked stays revoked', async () => {
  const { auth } = await restored()

  const refreshed = auth.refresh({ refreshToken: frozen('revoked').refreshToken })

  await expect(refreshed).rejects.toMatchObject({ code: 'invalid_grant', reason: 'revoked' })
})

test('a stored idempotency key still tells a retry from a theft', async () => {
  const { auth } = await restored()
  const { record, refreshToken, idempotencyKey } = frozen('rotated')
  const { refresh_token: next } = await auth.refresh({ refreshToken, idempotencyKey })

  const retried = await auth.refresh({ refreshToken, idempotencyKey })
  const stolen = auth.refresh({ refreshToken })

  expect(retried.refresh_token).toBe(next)
  await expect(stolen).rejects.toMatchObject({ code: 'invalid_grant', reason: 'reused' })
  expect(await auth.sessions.list(record.userId)).toEqual([])
})

test('a stored session_key can still be opened', async () => {
  const { auth } = await restored()

  expect(await auth.verifySignature(frozen('code').record, signed)).toBe(true)
})
