// The packed command line in an empty folder, as `npx wxlogin` finds it there.
import { spawn } from 'node:child_process'
import { createHash, generateKeyPairSync, randomBytes } from 'node:crypto'
import {
  cpSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { freePort } from '../free-port.mjs'
import { root, run } from '../process.mjs'

const maxInstalledMb = 20
const maxHelpMs = 300
// What Node takes to start on a machine that has nothing else to do.
const usualStartMs = 40

/**
 * @param {object} options
 * @param {readonly string[]} options.tarballs The packed server, client and command line.
 * @param {(folder: string, ...args: string[]) => Promise<{ status: number, output: string }>} options.runIn
 */
export async function checkCommandLine({ place, tarballs, installTarballs, runIn, report }) {
  const folder = join(place, 'command-line')
  await installTarballs(folder, tarballs)
  const program = join(folder, 'node_modules/wxlogin/dist/main.js')
  const wxlogin = (...args) => runIn(folder, program, ...args)

  const megabytes = sizeOf(join(folder, 'node_modules')) / 1e6
  report(
    `wxlogin, installed with everything that it brings: ${megabytes.toFixed(1)} of ${maxInstalledMb} MB`,
    megabytes <= maxInstalledMb ? [] : ['Bring less, or raise the budget with a reason.'],
  )

  const times = { help: [], nothing: [] }
  for (let n = 0; n < 7; n++) {
    times.help.push(await timeOf(() => wxlogin('--help')))
    times.nothing.push(await timeOf(() => runIn(folder, '--eval', '0')))
  }
  // The quickest of each: a busy machine makes any of them slow, Node itself included, and none of them quick.
  const waitedMs = Math.max(0, Math.min(...times.nothing) - usualStartMs)
  const milliseconds = Math.round(Math.min(...times.help) - waitedMs)
  report(
    `wxlogin --help: ${milliseconds} of ${maxHelpMs} ms`,
    milliseconds <= maxHelpMs ? [] : ['A command, or what it needs, is loaded too early.'],
  )

  const { version } = JSON.parse(readFileSync(`${root}packages/cli/package.json`, 'utf8'))
  expect('npx wxlogin --version', await npx(folder, '--version'), { status: 0, says: version })
  expect('wxlogin explain 40125', await wxlogin('explain', '40125', '--lang', 'en'), {
    status: 0,
    says: 'The AppSecret is wrong',
  })

  expect('wxlogin explain, of which nobody reads the end', await unread(program, 'explain'), {
    status: 0,
    says: '',
  })

  const made = await wxlogin('keygen', '--jwk', 'ES256')
  expect('wxlogin keygen --jwk ES256', made, { status: 0, says: 'WXLOGIN_KEY=' })

  for (const name of ['express', 'miniprogram']) {
    mkdirSync(join(folder, 'project', name), { recursive: true })
    cpSync(`${root}examples/${name}`, join(folder, 'project', name), {
      recursive: true,
      filter: (path) => !path.includes('node_modules'),
    })
  }
  expect(
    'wxlogin doctor, where 构建 npm was not run',
    await wxlogin('doctor', 'project', '--json'),
    {
      status: 1,
      says: '"check": "npm_not_built"',
    },
  )
  expect('wxlogin scan, where nothing leaks', await wxlogin('scan', 'project', '--json'), {
    status: 0,
    says: '"leaks": []',
  })
  const secret = createHash('md5').update(randomBytes(16)).digest('hex')
  writeFileSync(
    join(folder, 'project/miniprogram/leak.ts'),
    `export const appSecret = '${secret}'\n`,
  )
  const leaks = await wxlogin('scan', 'project', '--sarif')
  expect('wxlogin scan, where an AppSecret leaks', leaks, {
    status: 1,
    says: 'miniprogram/leak.ts',
    never: secret,
  })

  const load =
    "import('wxlogin/secretlint-rule').then(({ creator }) => console.log(creator.meta.id))"
  expect('its rule loads by its name', await runIn(folder, '--input-type=module', '--eval', load), {
    status: 0,
    says: 'wxlogin/secretlint-rule',
  })

  // As pnpm installs: a package is behind a link, and what it needs stands beside it there.
  const store = join(folder, 'store/node_modules')
  mkdirSync(store, { recursive: true })
  for (const name of ['ioredis', '@ioredis']) {
    renameSync(join(folder, 'node_modules', name), join(store, name))
  }
  symlinkSync(join(store, 'ioredis'), join(folder, 'node_modules/ioredis'), 'junction')
  writeFileSync(join(folder, 'linked.json'), JSON.stringify(settings))
  const checked = await wxlogin('serve', '--check', '--config', 'linked.json', '--lang', 'en')
  expect('wxlogin serve, installed with links', checked, {
    status: 1,
    says: 'The store at 127.0.0.1:9 does not answer',
    never: 'Cannot find module',
  })

  writeFileSync(join(folder, 'server.mjs'), server)
  const port = String(await freePort())
  const conform = ['conform', '--server', `http://127.0.0.1:${port}/wx`, '--strict']
  const started = [
    '--emulator-port',
    '0',
    '--lang',
    'en',
    '--',
    process.execPath,
    'server.mjs',
    port,
  ]
  expect('wxlogin conform, with a server that it starts', await wxlogin(...conform, ...started), {
    status: 0,
    says: ' passed, 0 failed, 0 warnings, ',
  })

  function expect(name, { status, output }, wanted) {
    const holds =
      status === wanted.status &&
      (wanted.says !== '' || output === '') &&
      output.includes(wanted.says) &&
      !(wanted.never && output.includes(wanted.never))
    report(name, holds ? [] : [`exited with ${status}\n${output}`])
  }
}

async function timeOf(work) {
  const startedAt = performance.now()
  await work()
  return performance.now() - startedAt
}

const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
/** With nobody where the store should be. */
const settings = {
  apps: [{ appId: 'wx0123456789abcdef', appSecret: randomBytes(16).toString('hex') }],
  secret: randomBytes(32).toString('base64url'),
  signingKeys: [privateKey.export({ format: 'jwk' })],
  redisUrl: 'redis://127.0.0.1:9',
}

/** Ours, on the port that it is given. */
const server = `
import { createServer } from 'node:http'
import { createAuth } from '@wxlogin/server'
import { authRoutes } from '@wxlogin/server/node'

const { WECHAT_URL, WX_APP_ID, WX_APP_SECRET } = process.env
const auth = createAuth({
  apps: [{ appId: WX_APP_ID, appSecret: WX_APP_SECRET }],
  secret: '${randomBytes(32).toString('base64url')}',
  wechatHosts: [WECHAT_URL],
  onEvent: () => undefined,
})
createServer(authRoutes(auth, { basePath: '/wx' })).listen(Number(process.argv[2]), '127.0.0.1')
`

/** As in `wxlogin … | head -0`: its output is closed before it writes. */
function unread(program, ...args) {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
    const parts = []
    child.stdout.destroy()
    child.stderr.on('data', (part) => parts.push(part))
    child.on('close', (status) => resolve({ status, output: Buffer.concat(parts).toString() }))
  })
}

/** What a user types, and nothing is fetched for it. */
function npx(folder, ...args) {
  return run('npx', ['--no-install', 'wxlogin', ...args], { cwd: folder })
}

/** In bytes. */
function sizeOf(folder) {
  return readdirSync(folder, { recursive: true }).reduce(
    (sum, file) => sum + lstatSync(join(folder, file)).size,
    0,
  )
}
