import { expect, expectTypeOf, test } from 'vitest'
import type { AuthResponse, Session } from '../../src/index.js'
import { signIn } from '../../src/testing/index.js'
import { setUp } from '../set-up.js'

interface Claims {
  role: string
}

const signedIn = async () => {
  const { auth } = setUp<Claims>({ claims: () => ({ role: 'user' }) })
  const { headers } = await signIn(auth, { openid: 'alice' })
  return { auth, authorization: headers.authorization }
}

test('a guard gives a session or an answer with a body, and the compiler knows it', async () => {
  const { auth, authorization } = await signedIn()

  const { session, response } = await auth.guard(authorization, { fresh: true })
  if (response) {
    expectTypeOf(response.body).toEqualTypeOf<string>()
    expect.unreachable()
  }
  expectTypeOf(session).toEqualTypeOf<Session<Claims>>()
  const refused = await auth.guard('Bearer junk', { optional: false })

  expect(session.claims.role).toBe('user')
  if (!refused.response) expect.unreachable()
  expect(JSON.parse(refused.response.body)).toMatchObject({ error: 'invalid_token' })
})

test('an optional guard may give neither, and the compiler knows that as well', async () => {
  const { auth, authorization } = await signedIn()

  const known = await auth.guard(authorization, { optional: true })
  const anonymous = await auth.guard(undefined, { optional: true })

  expectTypeOf(known.session).toEqualTypeOf<Session<Claims> | undefined>()
  if (known.response) expectTypeOf(known.response.body).toEqualTypeOf<string>()
  expect(known.session?.claims.role).toBe('user')
  expect(anonymous).toEqual({ session: undefined })
})

test('a refusal is an answer like any other', async () => {
  const { auth } = await signedIn()

  const { response } = await auth.guard(undefined)

  expectTypeOf<NonNullable<typeof response>>().toExtend<AuthResponse>()
  expect(response?.status).toBe(401)
})
