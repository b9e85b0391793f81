// The programs of docs/frameworks.md, as they stand there: compiled against the real types, started, and used as a mini
// program uses them.
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { freePort } from '../free-port.mjs'
import { bin, root, runNode, start } from '../process.mjs'

/** Which installs a program is run with, what else it is made of, how it is built and started, and what it is asked. */
const programs = [
  ...['express', 'koa', 'fastify', 'hono'].flatMap((name) => [
    { file: `${name}.ts`, installs: ['frameworks'], ask: flow },
    { file: `${name}-limits.ts`, installs: ['frameworks'], ask: limits },
  ]),
  { file: 'nest.ts', installs: ['nest-11', 'nest-12'], ask: flow },
  { file: 'nest-async.ts', installs: ['nest-11', 'nest-12'], ask: flow },
  { file: 'nest-limits.ts', installs: ['nest-11', 'nest-12'], ask: limits },
  { file: 'h3/start.ts', parts: ['h3/wx.ts'], installs: ['h3'], ask: flow },
  { file: 'h3-2/start.ts', installs: ['h3-2'], ask: flow },
  {
    file: 'egg/start.ts',
    parts: ['egg/config/config.default.ts', 'egg/app/middleware/wx_login.ts', 'egg/app/router.ts'],
    extras: { 'out/egg/package.json': '{ "name": "shop", "type": "module" }' },
    installs: ['egg'],
    ask: flow,
  },
  { file: 'midway/start.ts', parts: ['midway/configuration.ts'], installs: ['midway'], ask: flow },
  {
    file: 'think/src/config/middleware.js',
    parts: ['think/src/controller/orders.js'],
    extras: {
      'package.json': '{ "type": "commonjs" }',
      'think/src/config/config.js':
        "module.exports = { port: Number(process.env.PORT), host: '127.0.0.1', workers: 1 }",
      'think/start.js':
        "const Application = require('thinkjs')\nnew Application({ ROOT_PATH: __dirname, env: 'production' }).run()",
    },
    installs: ['think'],
    isScript: true,
    run: ['think/start.js'],
    ask: flow,
  },
  {
    file: 'h3/wx.ts',
    parts: [],
    at: { 'h3/wx.ts': 'utils/wx.ts' },
    extras: {
      'routes/wx/[...path].ts': "export default authRoutes('/wx')\n",
      'routes/orders.get.ts': 'export default guarded((_event, { userId }) => ({ userId }))\n',
      'nitro.config.ts': "export default { compatibilityDate: '2026-01-01' }\n",
    },
    installs: ['nitro'],
    isScript: true,
    build: ['node_modules/nitropack/dist/cli/index.mjs', 'build'],
    run: ['.output/server/index.mjs'],
    ask: flow,
  },
  {
    file: 'next/app/wx/[...path]/route.ts',
    parts: [
      'next/lib/auth.ts',
      'next/app/orders/route.ts',
      'next/pages/api/wx/[...path].ts',
      'next/pages/api/orders.ts',
      'next/instrumentation.ts',
    ],
    extras: {
      'next/app/layout.tsx':
        'export default ({ children }: { children: React.ReactNode }) => <html><body>{children}</body></html>\n',
    },
    installs: ['next'],
    isScript: true,
    build: ['node_modules/next/dist/bin/next', 'build', '--webpack', 'next'],
    run: ['node_modules/next/dist/bin/next', 'start', 'next', '--hostname', '127.0.0.1'],
    ask: bothRouters,
  },
]

/** What is compiled besides: uses that must compile, and mistakes that must not. */
const typeTests = { frameworks: ['types.ts'] }

const blocks = blocksOf('docs/frameworks.md')

/** Runs those of an install; gives one line each, and what went wrong. */
export async function runPrograms(install, home) {
  const chosen = programs.filter(({ installs }) => installs.includes(install))
  if (chosen.length === 0) return []
  const outcomes = []
  const attempt = async (what, work) => {
    const failure = await work().catch((error) => error.stack)
    outcomes.push({ what, failure })
    return failure === undefined
  }
  write(join(home, 'package.json'), '{ "type": "module" }\n')
  write(join(home, 'auth.ts'), codeOf('auth.ts'))
  for (const { file, parts = [], at = {}, extras = {} } of chosen) {
    for (const part of [file, ...parts]) write(join(home, at[part] ?? part), codeOf(part))
    for (const [name, text] of Object.entries(extras)) write(join(home, name), text)
  }

  const sources = chosen
    .filter(({ isScript }) => !isScript)
    .flatMap(({ file, parts = [] }) => [file, ...parts])
  if (sources.length > 0) {
    const files = [...sources, ...(typeTests[install] ?? [])]
    if (!(await attempt(`${files.join(', ')} compile`, () => compile(home, files)))) return outcomes
  } else await transpileAuth(home)

  const testing = join(home, 'node_modules/@wxlogin/server/dist/testing.js')
  const { createFakeWeChat } = await import(pathToFileURL(testing).href)
  const wechat = createFakeWeChat()
  const listening = await wechat.listen()
  for (const { file, build, run, ask } of chosen) {
    const args = run ?? [join('out', file.replace(/ts$/, 'js'))]
    await attempt(`${file} ${ask.name}`, async () => {
      if (build) await buildIt(home, build)
      await runOne(home, args, ask, wechat, listening.url)
    })
  }
  await listening.close()
  return outcomes
}

/** How many lines of the program of a framework speak of us. */
export function glueOf(section) {
  const code = blocks.get(`${section.toLowerCase()}.ts`) ?? ''
  return code.split('\n').filter((line) => /auth|session|wxlogin/i.test(line)).length
}

/** Every program of the page is run. */
export function forgotten() {
  const known = ['auth.ts', ...programs.flatMap(({ file, parts = [] }) => [file, ...parts])]
  return [...blocks.keys()].filter((file) => !known.includes(file))
}

function blocksOf(document) {
  const text = readFileSync(join(root, document), 'utf8')
  const found = text.matchAll(/^```[jt]s (\S+)\n([\s\S]*?)^```$/gm)
  return new Map([...found].map(([, file, code]) => [file, code]))
}

function codeOf(file) {
  const code = blocks.get(file)
  if (code === undefined) throw new Error(`docs/frameworks.md has no ${file}`)
  // The one thing that is not as it stands there: WeChat is emulated.
  return code.replace(/^( *)secret: /m, "$1wechatHosts: [process.env.WECHAT_URL ?? ''],\n$&")
}

function write(file, text) {
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, text)
}

async function compile(home, files) {
  const compilerOptions = {
    target: 'es2022',
    module: 'nodenext',
    moduleResolution: 'nodenext',
    strict: true,
    exactOptionalPropertyTypes: true,
    skipLibCheck: true,
    experimentalDecorators: true,
    emitDecoratorMetadata: true,
    types: ['node'],
    rootDir: '.',
    outDir: 'out',
  }
  write(join(home, 'tsconfig.json'), JSON.stringify({ compilerOptions, files }))
  const compiler = bin('typescript', { command: 'tsc', from: home })
  const { status, output } = await runNode([compiler, '-p', home], { cwd: home })
  if (status !== 0) throw new Error(output)
}

/** For those whose tools compile, or that are JavaScript. */
async function transpileAuth(home) {
  const file = join(home, 'node_modules/typescript/lib/typescript.js')
  const { default: ts } = await import(pathToFileURL(file).href)
  const isCommonJs = readFileSync(join(home, 'package.json'), 'utf8').includes('commonjs')
  const module = isCommonJs ? ts.ModuleKind.CommonJS : ts.ModuleKind.ESNext
  write(join(home, 'auth.js'), ts.transpile(codeOf('auth.ts'), { module, target: 'es2022' }))
}

/** Without secrets, as on a machine that builds. */
async function buildIt(home, args) {
  const env = { ...process.env, NEXT_TELEMETRY_DISABLED: '1' }
  const { status, output } = await runNode(args, { cwd: home, env })
  if (status !== 0) throw new Error(output)
}

async function runOne(home, args, ask, wechat, wechatUrl) {
  const port = await freePort()
  const env = {
    ...process.env,
    PORT: String(port),
    HOST: '127.0.0.1',
    WX_APP_ID: wechat.app.appId,
    WX_APP_SECRET: wechat.app.appSecret,
    WXLOGIN_SECRET: 'h7Qm2xV9cKp4Tz8wRb3yLn6sDf1gJa5u',
    WECHAT_URL: wechatUrl,
  }
  const program = start(process.execPath, args, { cwd: home, env })
  try {
    const url = `http://127.0.0.1:${port}`
    await isUp(url, program)
    await ask(url, wechat)
  } catch (error) {
    error.stack += `\n${program.output()}`
    throw error
  } finally {
    await program.stop()
  }
}

async function isUp(url, program) {
  for (let n = 0; n < 300; n++) {
    if (program.hasEnded()) throw new Error('It ended before it listened')
    const response = await fetch(url).catch(() => undefined)
    if (response) return response.text()
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  throw new Error('It does not listen')
}

async function post(url, body, headers = {}) {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'idempotency-key': randomUUID(), ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  })
  return read(response)
}

async function read(response) {
  const text = await response.text()
  let body = {}
  try {
    body = JSON.parse(text)
  } catch {}
  return { status: response.status, headers: response.headers, text, body }
}

/** Login, a request, renewal, its replay, logout, and what is refused. */
async function flow(url, wechat) {
  const orders = async (token) =>
    read(
      await fetch(`${url}/orders`, {
        headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
      }),
    )
  const code = wechat.codeFor('alice')
  const login = await post(`${url}/wx/login`, { code, app_id: wechat.app.appId })
  assert.equal(login.status, 200, login.text)
  const { access_token, refresh_token, user_id } = login.body
  assert.deepEqual((await orders(access_token)).body, { userId: user_id })

  const refused = await orders()
  assert.equal(refused.status, 401, refused.text)
  assert.equal(refused.headers.get('www-authenticate'), 'Bearer error="invalid_token"')
  assert.equal(refused.body.error, 'invalid_token', refused.text)

  const headers = { 'idempotency-key': randomUUID() }
  const renewed = await post(`${url}/wx/refresh`, { refresh_token }, headers)
  assert.equal(renewed.status, 200, renewed.text)
  const again = await post(`${url}/wx/refresh`, { refresh_token }, headers)
  assert.equal(again.body.refresh_token, renewed.body.refresh_token)
  assert.equal((await orders(renewed.body.access_token)).status, 200)

  assert.equal((await post(`${url}/wx/login`, '{"code":')).status, 400)
  const large = await post(`${url}/wx/login`, { code: 'x'.repeat(90_000) })
  assert.equal(large.status, 413, large.text)

  const out = await post(`${url}/wx/logout`, { refresh_token: renewed.body.refresh_token })
  assert.deepEqual([out.status, out.text], [204, ''])
  const after = await post(`${url}/wx/refresh`, { refresh_token: renewed.body.refresh_token })
  assert.equal(after.body.error, 'invalid_grant', after.text)
}

/** By the App Router, and by the Pages Router. */
async function bothRouters(url, wechat) {
  await flow(url, wechat)
  await flow(`${url}/api`, wechat)
}

/**
 * Whoever sends too much is told so by the address that the proxy saw, whatever they claim and however they write the
 * path; nobody else is.
 */
async function limits(url) {
  const paths = ['/wx/login', '/wx/refresh', '/wx/an-unguessable-path/prefetch']
  for (const [n, path] of paths.entries()) {
    const send = async (address, claimed, end = '') => {
      const headers = { 'x-forwarded-for': `${claimed}, ${address}` }
      return path.endsWith('prefetch')
        ? read(await fetch(url + path + end, { headers }))
        : post(url + path + end, {}, headers)
    }
    const first = await send(`192.0.2.${n}`, '198.51.100.1')
    assert.notEqual(first.status, 429, path)
    let last = first
    for (let sent = 1; sent < 310 && last.status !== 429; sent++) {
      last = await send(`192.0.2.${n}`, `198.51.100.${sent % 250}`)
    }
    assert.equal(last.status, 429, `${path}: ${last.status} ${last.text}`)
    assert.equal(last.body.error, 'rate_limited', `${path}: ${last.text}`)
    assert.ok(Number(last.headers.get('retry-after')) > 0, `${path}: no Retry-After`)
    const slash = await send(`192.0.2.${n}`, '198.51.100.1', '/')
    assert.equal(slash.status, 429, `${path}/: ${slash.status} ${slash.text}`)
    const other = await send(`192.0.2.1${n}`, '198.51.100.1')
    assert.notEqual(other.status, 429, `${path}, from another address`)
  }
}
