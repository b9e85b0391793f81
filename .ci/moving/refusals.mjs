// What a new backend of the guide answers to tokens that nobody may be let in by, and to first logins by both routes.
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'

/** @param {object} options `userIn` is what the old login writes into its tokens. */
export async function checkRefusals({ url, jwt, secret, userIn, id, body: wanted }) {
  const tokens = {
    'an expired old token': jwt.sign(userIn(id), secret, { expiresIn: -1 }),
    'an old token with another secret': jwt.sign(userIn(id), 'another secret', { expiresIn: 60 }),
    'an old token without a user': jwt.sign({}, secret, { expiresIn: 60 }),
    'an unsigned token': `${part({ alg: 'none' })}.${part(userIn(id))}.`,
    'no token of anybody': 'nonsense',
  }
  for (const [what, token] of Object.entries(tokens)) {
    const { status, challenge, body } = await ask(url, token)
    assert.deepEqual([status, challenge], [401, 'Bearer error="invalid_token"'], what)
    assert.deepEqual({ ...body, ...wanted, error: 'invalid_token' }, body, what)
  }
}

/** Twenty first logins of one user at once, half of them by the old route, are one user. */
export async function checkFirstLogins({ url, wechat }) {
  const person = randomUUID()
  const tokens = await Promise.all(
    Array.from({ length: 20 }, async (_, n) => {
      const code = wechat.codeFor(person)
      if (n % 2 === 0) return (await post(`${url}/api/login`, { code })).data.token
      return (await post(`${url}/wx/login`, { code, app_id: wechat.app.appId })).access_token
    }),
  )
  const answers = await Promise.all(tokens.map((token) => ask(url, token)))
  const ids = new Set(answers.map(({ body }) => body.data?.id))
  assert.equal(ids.size, 1, `one person is ${ids.size} users`)
  assert.ok(!ids.has(undefined), 'who has logged in is refused')
}

export async function ask(url, token) {
  const headers = { authorization: `Bearer ${token}` }
  const response = await fetch(`${url}/api/me`, { headers })
  return {
    status: response.status,
    challenge: response.headers.get('www-authenticate'),
    body: await response.json(),
  }
}

async function post(url, body) {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'idempotency-key': randomUUID() },
    body: JSON.stringify(body),
  })
  return response.json()
}

function part(value) {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}
