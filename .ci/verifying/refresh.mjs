// A client of OAuth refreshes a session of our server: `node refresh.mjs recipe.mjs url`
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'

const { refresh } = await import(process.argv[2])
const url = process.argv[3]
const newKey = () => randomBytes(16).toString('base64url')

const login = await fetch(`${url}/login-as-alice`)
const { refresh_token: first, user_id: userId } = await login.json()
const key = newKey()
const second = await refresh(first, key)
assert.equal(second.user_id, userId)
assert.notEqual(second.refresh_token, first)
// The answer was lost, and the same is sent again.
assert.equal((await refresh(first, key)).refresh_token, second.refresh_token)
const third = await refresh(second.refresh_token, newKey())
assert.notEqual(third.refresh_token, second.refresh_token)
await assert.rejects(refresh(first, newKey()), ({ error }) => error === 'invalid_grant')
console.log('ok refreshed twice, one lost answer repeated, a thief refused')
