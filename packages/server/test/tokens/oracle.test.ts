import { describe, expect, test } from 'vitest'
import { compare, createOracle } from './oracle.js'

/** In `npm run long` a million, elsewhere twenty thousand. */
const count = Number(process.env.ORACLE_TOKENS ?? 20_000)

test(`of ${count} tokens none is accepted that jose refuses, and none refused that was issued here`, {
  timeout: 60_000 + 3 * count,
}, async () => {
  const verdicts = await compare(createOracle(20_261_128), count)

  expect(verdicts.wrong).toEqual([])
  // The generator makes enough of each kind.
  expect(verdicts.both).toBeGreaterThan(count / 10)
  expect(verdicts.neither).toBeGreaterThan(count / 4)
  expect(verdicts.stricter).toBeGreaterThan(count / 200)
})

const claims = {
  iss: 'wxlogin',
  aud: 'wx0000000000000001',
  client_id: 'wx0000000000000001',
  sub: 'user-1',
  iat: 1_800_000_000,
  exp: 1_800_000_900,
  jti: 'token-1',
  sid: 'session-1',
}
const text = JSON.stringify(claims)

describe('jose takes it, we do not', () => {
  const oracle = createOracle(1)
  const withClaims = (changes: object) => JSON.stringify({ ...claims, ...changes })
  const good = oracle.forge({ payload: text })
  const [header = '', payload = ''] = good.split('.')
  const { alg, kid } = JSON.parse(Buffer.from(header, 'base64url').toString())
  /** A last character that stands for the same bytes. */
  const sibling = (part: string) => {
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
    return alphabet.charAt(alphabet.indexOf(part.at(-1) ?? '') ^ 1)
  }

  test('the good one passes both', async () => {
    expect(await oracle.joseSays(good)).toBeDefined()
    expect(await oracle.weSay(good)).toBeDefined()
  })

  test.each<[string, string]>([
    [
      'a header in another order',
      oracle.forge({ header: JSON.stringify({ typ: 'at+jwt', alg, kid }), payload: text }),
    ],
    [
      'a header with a member more',
      oracle.forge({
        header: JSON.stringify({ alg, typ: 'at+jwt', kid, cty: 'JWT' }),
        payload: text,
      }),
    ],
    [
      'a typ with its media type',
      oracle.forge({
        header: JSON.stringify({ alg, typ: 'application/at+jwt', kid }),
        payload: text,
      }),
    ],
    ['a space in the payload', oracle.forge({ payload: `${text} ` })],
    ['a byte order mark', oracle.forge({ payload: `\ufeff${text}` })],
    ['a member twice', oracle.forge({ payload: text.replace('{', '{"sub":"somebody-else",') })],
    ['a name with an escape', oracle.forge({ payload: text.replace('"sub"', '"\\u0073ub"') })],
    ['a time with a fraction', oracle.forge({ payload: withClaims({ exp: 1_800_000_900.5 }) })],
    [
      'a whole time with a point',
      oracle.forge({ payload: text.replace('1800000900', '1800000900.0') }),
    ],
    ['a list of audiences', oracle.forge({ payload: withClaims({ aud: [claims.aud] }) })],
    [
      'an issue later than ours can be',
      oracle.forge({ payload: withClaims({ iat: 1_800_000_100 }) }),
    ],
    ['a longer life than ours', oracle.forge({ payload: withClaims({ exp: 1_800_009_000 }) })],
    ['another client_id', oracle.forge({ payload: withClaims({ client_id: 'wx2' }) })],
    ['a sub that is a number', oracle.forge({ payload: withClaims({ sub: 7 }) })],
    ['an empty sid', oracle.forge({ payload: withClaims({ sid: '' }) })],
    ['unused bits in its last character', `${good.slice(0, -1)}${sibling(good)}`],
    [
      'unused bits in the last character of its payload',
      oracle.forge({ segment: `${payload.slice(0, -1)}${sibling(payload)}` }),
    ],
  ])('%s', async (_, token) => {
    expect(await oracle.joseSays(token)).toBeDefined()
    expect(await oracle.weSay(token)).toBeUndefined()
  })
})

test.each<[string, string | Uint8Array]>([
  ['not UTF-8', Buffer.from('{"sub":"\xff"}', 'latin1')],
  ['UTF-8 with a lone surrogate', Buffer.from('{"sub":"\xed\xa0\x80"}', 'latin1')],
  ['a list', '[]'],
  ['a list with the claims', `[${text}]`],
  ['text with the claims', JSON.stringify(text)],
  ['text', '"user-1"'],
  ['null', 'null'],
  ['nothing', ''],
])('neither takes a payload that is %s', async (_, payload) => {
  const oracle = createOracle(1)
  const token = oracle.forge({ payload })

  expect(await oracle.joseSays(token)).toBeUndefined()
  expect(await oracle.weSay(token)).toBeUndefined()
})
