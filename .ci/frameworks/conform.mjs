// Our server over one framework, held to the specification by the command line that was built.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { generateKeyPairSync, randomInt } from 'node:crypto'
import { createServer } from 'node:http'
import { createAuth } from '@wxlogin/server'

const app = { appId: 'wx0000000000000001', appSecret: 'c0f0c0f0c0f0c0f0c0f0c0f0c0f0c0f0' }
// A parser before the routes refuses what is no JSON with an answer of its own.
const ofParsers = ['S-HTTP-6', 'S-HTTP-12', 'S-HTTP-13', 'S-ERROR-1']

export async function conforms(start, { hasParser = false } = {}) {
  const port = await freePort()
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const auth = createAuth({
    apps: [app],
    secret: 'h7Qm2xV9cKp4Tz8wRb3yLn6sDf1gJa5u',
    signingKeys: [privateKey.export({ format: 'jwk' })],
    wechatHosts: [`http://127.0.0.1:${port}`],
    deviceGrant: {},
    onEvent: () => undefined,
  })
  const guarded = [{ path: '/orders', options: {}, answer: () => ({}) }]
  const server = await start({ auth, basePath: '/wx', guarded })
  try {
    const found = await conform(`${server.url}/wx`, port)
    const failures = found.requirements.flatMap(({ id, failures }) =>
      hasParser && ofParsers.includes(id)
        ? []
        : failures.map(({ scenario, step, expected, came }) =>
            [id, scenario, step, expected, came].join(' · '),
          ),
    )
    assert.deepEqual(failures, [])
    assert.ok(found.passed > 60, `only ${found.passed} requirements were looked at`)
  } finally {
    await server.close()
    await auth.close()
  }
}

function conform(url, port) {
  const args = [
    ...[process.env.WXLOGIN_COMMAND_LINE, 'conform', '--json', '--lang', 'en', '--server', url],
    ...['--emulator-port', port, '--app-secret', app.appSecret, '--protected', '/orders'],
  ]
  return new Promise((tell, fail) => {
    execFile(process.execPath, args.map(String), (error, stdout, stderr) => {
      // 1: something was found, which is in the report.
      if (error && error.code !== 1) fail(new Error(`${error.message}\n${stderr}`))
      else tell(JSON.parse(stdout))
    })
  })
}

/** Below those that connections are given. */
async function freePort() {
  const port = randomInt(15_000, 32_000)
  const taken = createServer()
  const isFree = await new Promise((tell) => {
    taken.once('error', () => tell(false))
    taken.listen(port, '127.0.0.1', () => tell(true))
  })
  await new Promise((closed) => taken.close(closed))
  return isFree ? port : freePort()
}
