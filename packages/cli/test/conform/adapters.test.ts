import { expect, onTestFinished, test } from 'vitest'
import {
  onExpressBackend,
  onFetchBackend,
  onFunctionBackend,
  onNodeBackend,
  versions,
} from '../../../server/test/adapters/backends.js'
import { authAt, conform, freePort, ours } from './set-up.js'

const rows = [
  ...versions.flatMap(([name, express]) => [
    { name, start: onExpressBackend({ express }) },
    {
      name: `${name} after express.json()`,
      start: onExpressBackend({ express, addParser: (app) => app.use(express.json()) }),
      // The parser refuses what is no JSON with an answer of its own.
      finds: ['S-HTTP-6', 'S-HTTP-12', 'S-ERROR-1'],
    },
  ]),
  { name: 'node:http', start: onNodeBackend },
  { name: 'fetch', start: onFetchBackend },
  { name: 'cloud function', start: onFunctionBackend },
]

/** What a run finds in a backend, by requirement. */
async function foundIn({ start }: (typeof rows)[number]): Promise<readonly string[]> {
  const port = await freePort()
  const auth = authAt(port)
  const guarded = [{ path: '/orders', options: {}, answer: () => ({}) }]
  const { url, close } = await start({ auth, basePath: '/wx', guarded })
  onTestFinished(close)
  const own = ['--server', `${url}/wx`, '--emulator-port', String(port), '--protected', '/orders']
  const { found } = await conform(own)
  return found().requirements.flatMap(({ id, outcome }) => (outcome === 'failed' ? [id] : []))
}

/** Of a server that has everything: what it fails, and what is left out although it could be seen. */
async function everything() {
  const { args, told } = await ours({ deviceGrant: { numberMatching: true } })
  const { exit, failures, found } = await conform([...args, ...told, '--strict'])
  const left = found().requirements.filter(({ why }) => /--|the server has/.test(why ?? ''))
  return { exit, failures: failures(), left: left.filter(({ outcome }) => outcome !== 'passed') }
}

// At once: a run waits for most of its time, for intervals that the wire has.
test('our server passes over every adapter; `npm run long` has those of other frameworks', async () => {
  const [all, ...outcomes] = await Promise.all([everything(), ...rows.map(foundIn)])

  expect(all).toEqual({ exit: 0, failures: [], left: [] })
  expect(outcomes).toEqual(rows.map(({ finds = [] }) => finds))
})
