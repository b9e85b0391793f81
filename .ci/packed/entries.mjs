// node entries.mjs <entry>…: runs in a project that has the tarballs. Loads every entry in both formats, and sees that
// what one build makes is known to the other.
import assert from 'node:assert/strict'
import { createRequire } from 'node:module'

const require = createRequire(import.meta.url)
const builds = { esm: new Map(), cjs: new Map() }

for (const entry of process.argv.slice(2)) {
  const esm = await import(entry)
  const cjs = require(entry)
  const names = Object.keys(cjs).filter((name) => name !== '__esModule')
  assert.deepEqual(
    Object.keys(esm)
      .filter((name) => name !== 'default' && name !== 'module.exports')
      .sort(),
    names.sort(),
    `${entry} exports the same names in both formats`,
  )
  assert.notEqual(names.length, 0, `${entry} exports something`)
  builds.esm.set(entry, esm)
  builds.cjs.set(entry, cjs)
}

for (const [makerName, maker] of Object.entries(builds)) {
  for (const [readerName, reader] of Object.entries(builds)) {
    await check(maker, reader, `made by ${makerName}, read by ${readerName}`)
  }
}

async function check(maker, reader, how) {
  const { AuthError: Made, createAuth } = maker.get('@wxlogin/server')
  const { AuthError: Read } = reader.get('@wxlogin/server')
  assert.ok(new Made('invalid_token', 'a test') instanceof Read, `AuthError, ${how}`)
  assert.ok(!(new Error('a test') instanceof Read), `another error is no AuthError, ${how}`)

  const { createWeChat } = maker.get('@wxlogin/server/wechat')
  const { createFakeWeChat } = reader.get('@wxlogin/server/testing')
  const emulated = createFakeWeChat()
  const wechat = createWeChat({ ...emulated.app, fetch: emulated.fetch })
  const { openid } = await wechat.code2Session(emulated.codeFor('alice'))
  assert.equal(openid, emulated.openidOf('alice'))
  await assert.rejects(
    wechat.phoneNumber(emulated.codeFor('alice')),
    (error) => error instanceof Read && error.code === 'invalid_code',
    `an error of WeChat's interfaces, ${how}`,
  )

  const auth = createAuth({
    apps: [{ appId: 'wx0000000000000001', appSecret: 'a secret of no mini program' }],
    secret: 'h7Qm2xV9cKp4Tz8wRb3yLn6sDf1gJa5u',
    claims: ({ userId }) => {
      if (userId === 'blocked') throw new Read('access_denied', 'a test', { reason: 'blocked' })
      return {}
    },
  })
  await assert.rejects(
    auth.authenticate(undefined),
    (error) => error instanceof Read && error.code === 'invalid_token',
    `authenticate, ${how}`,
  )

  const { signIn } = reader.get('@wxlogin/server/testing')
  await assert.rejects(
    signIn(auth, { openid: 'openid-1', userId: 'blocked' }),
    (error) =>
      error instanceof Read && error.code === 'access_denied' && error.reason === 'blocked',
    `an error that a hook throws, ${how}`,
  )

  const { headers, userId } = await signIn(auth, { openid: 'openid-2', userId: 'user-2' })
  assert.equal((await auth.authenticate(headers.authorization)).userId, userId)
  for (const adapter of ['@wxlogin/server/express', '@wxlogin/server/node']) {
    const request = { headers, url: '/', method: 'GET', httpVersionMajor: 1 }
    await new Promise((resolve, reject) => {
      maker.get(adapter).requireAuth(auth)(
        request,
        {
          writeHead: (status) => ({
            end: () => reject(new Error(`${adapter} refused: ${status}`)),
          }),
        },
        (error) => (error ? reject(error) : resolve()),
      )
    })
    assert.equal(reader.get(adapter).sessionOf(request, auth).userId, userId, `${adapter}, ${how}`)
  }
  await auth.close()
}
