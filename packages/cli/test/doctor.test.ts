import { cpSync, readdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { createAuth, weaknessOf } from '@wxlogin/server'
import { authRoutes } from '@wxlogin/server/node'
import { createFakeWeChat, type FakeWeChat } from '@wxlogin/server/testing'
import { describe, expect, onTestFinished, test } from 'vitest'
import { folderWith, listen, root, wxlogin } from './set-up.js'

const appId = 'wx0123456789abcdef'
const appSecret = 'd1f3a9c47be28056e1d4f7a2b9c83065'
const secret = 'Zb3vK9qR1tXw7LmN5pYc2HdJ8sFgA4eU6oTiVnQkBx0'
const client = '/* as it was published */'
const createClient = `import { createClient } from '@wxlogin/client'
export const client = createClient({ baseUrl: 'https://api.example.com', authPath: '/wx' })`

/** A mini program and a backend with which nothing is wrong. */
const project: Readonly<Record<string, string>> = {
  '.env': `WX_APP_ID=${appId}\nWX_APP_SECRET=${appSecret}\nWXLOGIN_SECRET=${secret}\n`,
  'server/package.json': '{ "dependencies": { "@wxlogin/server": "^0.1.0" } }',
  'server/main.js': `import { createAuth } from '@wxlogin/server'
import { createRedisStore } from '@wxlogin/server/redis'
const { WX_APP_ID: appId, WX_APP_SECRET } = process.env
export const auth = createAuth({
  apps: [{ appId, appSecret: WX_APP_SECRET }],
  secret: process.env.WXLOGIN_SECRET,
  store: createRedisStore(redis),
})`,
  'app/project.config.json': `{ "appid": "${appId}", "libVersion": "3.6.0" }`,
  'app/package.json': '{ "dependencies": { "@wxlogin/client": "^0.1.0" } }',
  'app/app.json': '{ "pages": ["pages/index/index"] }',
  'app/client.js': createClient,
  'app/node_modules/@wxlogin/client/miniprogram_dist/index.js': client,
  'app/miniprogram_npm/@wxlogin/client/index.js': client,
}

interface Options {
  /** Instead of what is in the project; `undefined` takes a file away. */
  readonly files?: Readonly<Record<string, string | undefined>>
  readonly args?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  readonly now?: () => number
}

async function examined({ files = {}, args = [], env = {}, now = Date.now }: Options = {}) {
  const all = Object.entries({ ...project, ...files }).flatMap(([path, content]) =>
    content === undefined ? [] : [[path, content] as const],
  )
  const cwd = folderWith(Object.fromEntries(all))
  const ran = await wxlogin(['doctor', '--json', ...args], { cwd, env, now })
  const { findings, checks } = ran.json()
  return { exit: ran.exit, findings, checks, out: ran.out, cwd }
}

const changed = (file: string, from: string | RegExp, to: string) => ({
  [file]: (project[file] ?? '').replace(from, to),
})

/** A backend that listens, with an emulated WeChat behind it. */
async function backend({
  wechat = createFakeWeChat({ apps: [{ appId, appSecret }] }),
  served = wechat.app,
}: {
  wechat?: FakeWeChat
  served?: { appId: string; appSecret: string }
} = {}) {
  const auth = createAuth({ apps: [served], secret, fetch: wechat.fetch, onEvent: () => {} })
  onTestFinished(() => auth.close())
  return listen(authRoutes(auth, { basePath: '/wx' }))
}

test('a project with which nothing is wrong', async () => {
  const url = await backend()

  const { exit, findings, checks } = await examined({ args: ['--url', url] })

  expect(findings).toEqual([])
  expect(exit).toBe(0)
  expect(checks.filter(({ outcome }: { outcome: string }) => outcome !== 'fine')).toEqual([
    { check: 'wechat', outcome: 'not_made', why: 'no --online' },
  ])
})

describe('what is planted is found, alone, with what to do', () => {
  test.each<[name: string, check: string, file: string, options: Options]>([
    [
      'another AppID than the backend has',
      'app_id_differs',
      'app/project.config.json',
      { files: changed('app/project.config.json', appId, 'wxfedcba9876543210') },
    ],
    [
      'touristappid',
      'tourist_app_id',
      'app/project.config.json',
      { files: changed('app/project.config.json', appId, 'touristappid') },
    ],
    [
      'an AppSecret in the mini program',
      'leak',
      'app/client.js',
      { files: { 'app/client.js': `${createClient}\nconst appSecret = '${appSecret}'` } },
    ],
    [
      'no appSecret in the environment',
      'missing_variable',
      'server/main.js',
      { files: changed('.env', /WX_APP_SECRET=.*/, '') },
    ],
    ['an empty one', 'missing_variable', 'server/main.js', { env: { WX_APP_SECRET: '' } }],
    [
      'a guessable secret',
      'guessable_secret',
      'server/main.js',
      { files: changed('.env', secret, 'my-super-secret-key-please-change-me-1234567890') },
    ],
    [
      'one that is written down',
      'guessable_secret',
      'server/main.js',
      { files: changed('server/main.js', 'process.env.WXLOGIN_SECRET', "'change-me'") },
    ],
    [
      'http in a release',
      'plain_http',
      'app/client.js',
      { files: changed('app/client.js', 'https:', 'http:') },
    ],
    [
      'this machine in a release',
      'plain_http',
      'app/client.js',
      {
        files: changed('app/client.js', 'https://api.example.com', 'http://127.0.0.1:3000'),
        args: ['--release'],
      },
    ],
    [
      '构建 npm not run',
      'npm_not_built',
      'app',
      { files: { 'app/miniprogram_npm/@wxlogin/client/index.js': undefined } },
    ],
    [
      '构建 npm older than the package',
      'npm_not_built',
      'app/miniprogram_npm/@wxlogin/client',
      { files: { 'app/miniprogram_npm/@wxlogin/client/index.js': '/* the last version */' } },
    ],
    [
      'the client in devDependencies',
      'dev_dependency',
      'app/package.json',
      { files: changed('app/package.json', 'dependencies', 'devDependencies') },
    ],
    [
      'the server in devDependencies',
      'dev_dependency',
      'server/package.json',
      { files: changed('server/package.json', 'dependencies', 'devDependencies') },
    ],
    [
      'a base library below the floor',
      'base_library',
      'app/project.config.json',
      { files: changed('app/project.config.json', '3.6.0', '2.10.4') },
    ],
    [
      'one that DevTools has chosen here',
      'base_library',
      'app/project.config.json',
      { files: { 'app/project.private.config.json': '{ "libVersion": "2.10.4" }' } },
    ],
    [
      'one below that of cloud hosting',
      'base_library',
      'app/project.config.json',
      {
        files: {
          ...changed('app/project.config.json', '3.6.0', '2.12.0'),
          ...changed(
            'app/client.js',
            "baseUrl: 'https://api.example.com'",
            'container: { env, service }',
          ),
        },
      },
    ],
    [
      'memory store in production',
      'memory_store',
      'server/main.js',
      {
        files: changed('server/main.js', /\n {2}store:.*/, ''),
        env: { NODE_ENV: 'production' },
      },
    ],
    [
      'the same, written out',
      'memory_store',
      'server/main.js',
      {
        files: changed('server/main.js', 'createRedisStore(redis)', 'createMemoryStore()'),
        env: { NODE_ENV: 'production' },
      },
    ],
  ])('%s', async (_name, check, file, options) => {
    const { exit, findings, out } = await examined(options)

    expect(exit).toBe(1)
    expect(findings).toEqual([
      expect.objectContaining({
        check,
        file,
        problem: expect.stringMatching(/./),
        todo: expect.stringMatching(/./),
      }),
    ])
    expect(out).not.toContain(appSecret)
    expect(out).not.toContain(secret)
  })

  test('a clock that is two minutes off, in either direction', async () => {
    const url = await backend()

    for (const [offset, words] of [
      [120_000, /1[12]\d s behind/],
      [-120_000, /1[12]\d s ahead/],
    ] as const) {
      const { findings } = await examined({
        args: ['--url', url],
        now: () => Date.now() + offset,
      })
      expect(findings).toEqual([
        expect.objectContaining({ check: 'clock', problem: expect.stringMatching(words) }),
      ])
    }
  })

  test('and one that is half a minute off is none', async () => {
    const url = await backend()

    const { findings } = await examined({ args: ['--url', url], now: () => Date.now() + 30_000 })

    expect(findings).toEqual([])
  })

  test('an authPath that answers 404', async () => {
    const url = await backend()

    const { findings } = await examined({ args: ['--url', url, '--auth-path', '/auth'] })

    expect(findings).toMatchObject([
      { check: 'auth_path', problem: 'POST /auth/login answers 404: no login routes are there' },
    ])
  })

  test('one that is in the address already', async () => {
    const url = await backend()

    const { findings } = await examined({ args: ['--url', `${url}/wx/`] })

    expect(findings).toMatchObject([
      { check: 'auth_path', todo: expect.stringMatching(/ends in authPath already/) },
    ])
  })

  test.each<[string, Parameters<typeof listen>[0], RegExp]>([
    [
      'HTML',
      (_request, response) =>
        response
          .writeHead(200, { 'content-type': 'text/html' })
          .end('<!doctype html><html></html>'),
      /answers 200 with HTML/,
    ],
    [
      'a redirect',
      (_request, response) => response.writeHead(301, { location: '/elsewhere' }).end(),
      /is redirected/,
    ],
    [
      'JSON of another kind',
      (_request, response) => response.end('{"code":0,"msg":"ok"}'),
      /is not of wxlogin/,
    ],
  ])('one that answers %s', async (_what, answer, words) => {
    const url = await listen(answer)

    const { findings } = await examined({ args: ['--url', url] })

    expect(findings).toEqual([
      expect.objectContaining({ check: 'auth_path', problem: expect.stringMatching(words) }),
    ])
  })

  test('a backend that is down', async () => {
    const { findings } = await examined({ args: ['--url', 'http://127.0.0.1:1'] })

    expect(findings).toMatchObject([
      {
        check: 'auth_path',
        problem: expect.stringMatching(/^http:\/\/127\.0\.0\.1:1 does not answer/),
      },
    ])
  })

  test('a backend that has another AppID', async () => {
    const url = await backend({ served: { appId: 'wxfedcba9876543210', appSecret } })

    const { findings } = await examined({ args: ['--url', url] })

    expect(findings).toMatchObject([{ check: 'app_id_differs' }])
  })

  test('a backend that WeChat refuses', async () => {
    const wechat = createFakeWeChat({ apps: [{ appId, appSecret }] })
    const url = await backend({ wechat, served: { appId, appSecret: 'another' } })

    const { findings } = await examined({ args: ['--url', url] })

    expect(findings).toMatchObject([{ check: 'wechat', todo: expect.stringMatching(/--online/) }])
  })
})

describe('an address that is not simply written down', () => {
  const http = 'http://api.example.com'
  const https = 'https://api.example.com'
  const clientWith = (expression: string, before = '') => ({
    'app/client.js': `import { createClient } from '@wxlogin/client'
${before}
export const client = createClient({ baseUrl: ${expression}, authPath: '/wx' })`,
  })

  test.each<[name: string, files: Readonly<Record<string, string>>, file?: string]>([
    ['http unless it is development', clientWith(`isDev ? '${https}' : '${http}'`)],
    ['the same with a sign before it', clientWith(`!isDev ? '${http}' : '${https}'`)],
    [
      'the same over several lines',
      clientWith('baseUrl', `const baseUrl = isDev\n  ? '${https}'\n  : '${http}'`),
    ],
    [
      'http in production',
      clientWith(`process.env.NODE_ENV === 'production' ? '${http}' : '${https}'`),
    ],
    [
      'http unless it is not production',
      clientWith(`process.env.NODE_ENV !== 'production' ? '${https}' : '${http}'`),
    ],
    [
      'a condition with a name of its own',
      clientWith(`flag ? '${https}' : '${http}'`, "const flag = envVersion === 'develop'"),
    ],
    [
      'a switch that was left on',
      clientWith(`isDev ? '${http}' : '${https}'`, 'const isDev = true'),
    ],
    ['a condition nobody can judge', clientWith(`isNear ? '${http}' : '${https}'`)],
    [
      'a condition in a condition',
      clientWith(`isDev ? '${https}' : isNear ? '${https}' : '${http}'`),
    ],
    [
      'one address a version',
      clientWith(
        'urls[wx.getAccountInfoSync().miniProgram.envVersion]',
        `const urls = { develop: '${https}', trial: '${https}', release: '${http}' }`,
      ),
    ],
    [
      'one of a version in an object',
      clientWith('urls.release', `const urls = {\n  release: '${http}',\n}`),
    ],
    [
      'a constant of another file',
      {
        ...clientWith('baseUrl', "import { baseUrl } from './config'"),
        'app/config.js': `export const baseUrl = '${http}'`,
      },
      'app/config.js',
    ],
    [
      'one with another name here',
      {
        ...clientWith('address', "import { baseUrl as address } from './config.js'"),
        'app/config.ts': `export const baseUrl: string = '${http}'`,
      },
      'app/config.ts',
    ],
    [
      'a member of what another file is',
      {
        ...clientWith('config.api.baseUrl', "import config from '@/config'"),
        'app/config/index.js': `export default { api: { baseUrl: '${http}' } }`,
      },
      'app/config/index.js',
    ],
    [
      'the same in CommonJS',
      {
        ...clientWith('config.baseUrl', "const config = require('./config')"),
        'app/config.js': `module.exports = { baseUrl: '${http}' }`,
      },
      'app/config.js',
    ],
    [
      'the same, taken apart',
      {
        ...clientWith('BASE_URL', "const { BASE_URL } = require('./config.js')"),
        'app/config.js': `const BASE_URL = '${http}'\nmodule.exports = { BASE_URL }`,
      },
      'app/config.js',
    ],
    [
      'a condition in another file',
      {
        ...clientWith('baseUrl', "import { baseUrl } from './config'"),
        'app/config.js': `const isDev = false\nexport const baseUrl = isDev ? '${https}' : '${http}'`,
      },
      'app/config.js',
    ],
    [
      'all options from another file',
      {
        'app/client.js':
          "import { createClient } from '@wxlogin/client'\nimport { options } from './options'\nexport const client = createClient(options)",
        'app/options.js': `export const options = { baseUrl: '${http}', authPath: '/wx' }`,
      },
      'app/options.js',
    ],
    ['an address in parts', clientWith("'http://' + host + '/api'")],
    [
      'parts that are known',
      clientWith('`http://$' + '{host}/api`', "const host = 'api.example.com'"),
    ],
    [
      'a variable that the build sets',
      {
        ...clientWith('import.meta.env.VITE_BASE_URL'),
        'app/.env': `VITE_BASE_URL=${https}`,
        'app/.env.production': `VITE_BASE_URL=${http}`,
      },
    ],
    [
      'what stands for a variable that is not set',
      clientWith(`process.env.TARO_APP_URL || '${http}'`),
    ],
  ])('%s: http is found', async (_name, files, file = 'app/client.js') => {
    for (const args of [[], ['--release']]) {
      const { findings } = await examined({ files, args })

      expect(findings).toEqual([
        expect.objectContaining({ check: 'plain_http', file, line: expect.any(Number) }),
      ])
    }
  })

  test('it is found where it is written, not where it is used', async () => {
    const { findings } = await examined({
      files: {
        ...clientWith('baseUrl', "import { baseUrl } from './config'"),
        'app/config.js': `// What the phone speaks to.\nexport const baseUrl = isDev\n  ? '${https}'\n  : '${http}'`,
      },
    })

    expect(findings).toMatchObject([{ file: 'app/config.js', line: 4 }])
  })

  test.each<[name: string, files: Readonly<Record<string, string>>]>([
    ['http in development', clientWith(`isDev ? '${http}' : '${https}'`)],
    ['a switch that is off', clientWith(`isDev ? '${http}' : '${https}'`, 'const isDev = false')],
    [
      'this machine in development',
      clientWith("__DEV__ ? 'http://127.0.0.1:3000' : 'https://api.example.com'"),
    ],
    [
      'http in one version that is not the release',
      clientWith(
        'urls[envVersion]',
        `const urls = { develop: '${http}', trial: '${https}', release: '${https}' }`,
      ),
    ],
    ['a condition of two', clientWith(`isDev && useMock ? '${http}' : '${https}'`)],
    ['a device is no development', clientWith(`device ? '${https}' : '${https}/v2'`)],
    [
      'a constant of another file',
      {
        ...clientWith('config.baseUrl', "import config from './config'"),
        'app/config.js': `export default { baseUrl: isDev ? '${http}' : '${https}' }`,
      },
    ],
    [
      'a variable that development alone sets to http',
      {
        ...clientWith(`import.meta.env.VITE_BASE_URL ?? '${http}'`),
        'app/.env': `VITE_BASE_URL=${http}`,
        'app/.env.production': `VITE_BASE_URL=${https}`,
      },
    ],
  ])('%s: nothing is found, and it was looked at', async (_name, files) => {
    const { findings, checks } = await examined({ files, args: ['--release'] })

    expect(findings).toEqual([])
    expect(checks).toContainEqual({ check: 'plain_http', outcome: 'fine' })
  })

  test.each<[name: string, files: Readonly<Record<string, string>>]>([
    ['a call', clientWith('addressOf(region)')],
    ['a file that is not there', clientWith('baseUrl', "import { baseUrl } from './gone'")],
    [
      'a file that leads to itself',
      {
        ...clientWith('baseUrl', "import { baseUrl } from './a'"),
        'app/a.js': "export { baseUrl } from './a'\nexport const other = baseUrl",
      },
    ],
    ['no createClient at all', { 'app/client.js': 'Page({})' }],
  ])('%s cannot be read, which is said', async (_name, files) => {
    const { findings, checks } = await examined({ files })

    expect(findings).toEqual([])
    expect(checks).toContainEqual({
      check: 'plain_http',
      outcome: 'not_made',
      why: expect.stringMatching(/baseUrl|createClient/),
    })
  })

  test('cloud hosting has none, and needs none', async () => {
    const { checks } = await examined({
      files: changed(
        'app/client.js',
        "baseUrl: 'https://api.example.com'",
        'container: { env, service }',
      ),
    })

    expect(checks).toContainEqual({ check: 'plain_http', outcome: 'fine' })
  })
})

describe('the secret of a backend', () => {
  const secretOf = (code: string) => ({
    'server/main.js': (project['server/main.js'] ?? '')
      .replace(
        'WX_APP_SECRET }',
        'WX_APP_SECRET, WXLOGIN_SECRET, OLD, ORIGIN = `http://$' + '{OLD}` }',
      )
      .replace('process.env.WXLOGIN_SECRET', code),
  })

  test.each([
    ['a list in a variable', "process.env.WXLOGIN_SECRET.split(',')"],
    ['the same by a name', "WXLOGIN_SECRET.split(',')"],
    ['a list by names', '[WXLOGIN_SECRET, OLD]'],
    ['a list by names while it is rotated', 'OLD ? [WXLOGIN_SECRET, OLD] : [WXLOGIN_SECRET]'],
    ['one that a function looks at', 'required(WXLOGIN_SECRET)'],
    ['one that is trimmed', 'process.env.WXLOGIN_SECRET?.trim()'],
    ['the first of a list', '[process.env.WXLOGIN_SECRET, process.env.WXLOGIN_SECRET_BEFORE]'],
    [
      'one with another while it is rotated',
      'process.env.OLD ? [process.env.WXLOGIN_SECRET, process.env.OLD] : [process.env.WXLOGIN_SECRET]',
    ],
    ['one of a release', "isProd ? process.env.WXLOGIN_SECRET : 'development'"],
    ['one with something in its place', "process.env.WXLOGIN_SECRET ?? ''"],
  ])('%s is read: it may be missing, and nothing else has to be there', async (_name, code) => {
    const files = secretOf(code)
    const missing = changed('.env', /WXLOGIN_SECRET=.*/, '')

    expect((await examined({ files })).findings).toEqual([])
    expect((await examined({ files: { ...files, ...missing } })).findings).toMatchObject([
      { check: 'missing_variable', problem: expect.stringMatching(/WXLOGIN_SECRET,/) },
    ])
  })

  test('an address with a variable before it is that of the variable', async () => {
    const files = {
      ...changed(
        'app/client.js',
        "'https://api.example.com'",
        "process.env.APP_URL ? process.env.APP_URL.replace(/x/, '') : 'http://127.0.0.1:3000'",
      ),
      'app/.env.production': 'APP_URL=https://api.example.com',
    }

    const { findings, checks } = await examined({ files, args: ['--release'] })

    expect(findings).toEqual([])
    expect(checks).toContainEqual({ check: 'plain_http', outcome: 'fine' })
  })
})

describe('what is not known is not called fine', () => {
  const outcomeOf = (checks: readonly { check: string; outcome: string }[], name: string) =>
    checks.find(({ check }) => check === name)?.outcome

  test.each<[name: string, check: string, config: string]>([
    ['touristappid', 'app_id_differs', '{ "appid": "touristappid", "libVersion": "3.6.0" }'],
    ['no AppID', 'app_id_differs', '{ "libVersion": "3.6.0" }'],
    ['no AppID', 'tourist_app_id', '{ "libVersion": "3.6.0" }'],
    ['no base library', 'base_library', `{ "appid": "${appId}" }`],
  ])('%s: %s', async (_name, check, config) => {
    const { checks } = await examined({ files: { 'app/project.config.json': config } })

    expect(outcomeOf(checks, check)).toBe('not_made')
  })
})

describe('what is no mistake', () => {
  test.each<[string, Options]>([
    [
      'an AppID that is one of several',
      {
        files: changed('server/main.js', '[{', "[{ appId: 'wxfedcba9876543210', appSecret: x }, {"),
      },
    ],
    ['a newest base library', { files: changed('app/project.config.json', '3.6.0', 'latest') }],
    [
      'this machine while developing',
      { files: changed('app/client.js', 'https://api.example.com', 'http://192.168.1.9:3000') },
    ],
    [
      'http in a comment',
      { files: { 'app/client.js': `// baseUrl: 'http://api.example.com'\n${createClient}` } },
    ],
    ['a memory store while developing', { files: changed('server/main.js', /\n {2}store:.*/, '') }],
    [
      'an AppID that the private configuration has',
      {
        files: {
          ...changed('app/project.config.json', appId, 'touristappid'),
          'app/project.private.config.json': `{ "appid": "${appId}" }`,
        },
      },
    ],
    [
      'a secret of something else',
      {
        files: { 'server/other.js': "export const cookies = session({ secret: 'keyboard cat' })" },
      },
    ],
    [
      'what another tool has built',
      {
        files: {
          'server/.next/server/page.js':
            "import '@wxlogin/server'\ncreateAuth({ secret: 'short' })",
        },
      },
    ],
    [
      'options that bring the store along',
      {
        files: changed(
          'server/main.js',
          'store: createRedisStore(redis)',
          '...{ store: createRedisStore(redis) }',
        ),
        env: { NODE_ENV: 'production' },
      },
    ],
    [
      "options that bring a store of the app's own",
      {
        files: changed(
          'server/main.js',
          'store: createRedisStore(redis)',
          '...{ store: createFileStore(folder) }',
        ),
        env: { NODE_ENV: 'production' },
      },
    ],
    ['an environment that is not that of the backend', { files: { '.env': undefined } }],
    [
      'a package that is linked to where it is worked on',
      {
        files: {
          'app/miniprogram_npm/@wxlogin/client/index.js': undefined,
          'app/node_modules/@wxlogin/client/miniprogram_dist/index.js': undefined,
        },
      },
    ],
  ])('%s', async (name, options) => {
    const isLinked = name.startsWith('a package that is linked')
    const { findings } = isLinked ? await linked(options) : await examined(options)

    expect(findings).toEqual([])
  })

  async function linked({ files = {} }: Options) {
    const all = Object.entries({ ...project, ...files }).flatMap(([path, content]) =>
      content === undefined ? [] : [[path, content] as const],
    )
    const cwd = folderWith({
      ...Object.fromEntries(all),
      'app/node_modules/@wxlogin/.keep': '',
      'packages/client/package.json': '{}',
    })
    symlinkSync(
      join(cwd, 'packages/client'),
      join(cwd, 'app/node_modules/@wxlogin/client'),
      'junction',
    )
    return (await wxlogin(['doctor', '--json'], { cwd, env: {} })).json()
  }
})

describe('a .env file in a repository of git', () => {
  const inGit = { '.git/HEAD': 'ref: refs/heads/main' }
  const problems = async (files: Readonly<Record<string, string>>) =>
    (await examined({ files: { ...inGit, ...files } })).findings

  test.each([
    ['there is no .gitignore', {}],
    ['it ignores others', { '.gitignore': 'node_modules\n.env.local\nenv\n' }],
    ['it is only a comment', { '.gitignore': '# .env\n' }],
    ['it is taken back', { '.gitignore': '.env*\n!.env\n' }],
    ['another folder ignores it', { 'server/.gitignore': '.env\n' }],
    ['it is meant for another folder', { '.gitignore': '/server/.env\n' }],
  ])('is found when %s', async (_, files) => {
    expect(await problems(files)).toEqual([
      expect.objectContaining({ check: 'env_in_git', file: '.env' }),
    ])
  })

  test.each([
    '.env',
    '/.env',
    '*.env',
    '.env*',
    '**/.env',
    '  \n# secrets\n.env   \r\n',
    'node_modules\n.en?\n',
    '.*\n!.gitignore\n',
    '.[e]nv',
  ])('is not when .gitignore has %j', async (text) => {
    expect(await problems({ '.gitignore': text })).toEqual([])
  })

  test('is not when it is ignored on this machine alone', async () => {
    expect(await problems({ '.git/info/exclude': '.env\n' })).toEqual([])
  })

  test('is found in the folder of the backend, whose own .gitignore counts', async () => {
    const moved = { '.env': '', 'server/.env': project['.env'] ?? '' }

    expect(await problems(moved)).toEqual([expect.objectContaining({ file: 'server/.env' })])
    expect(await problems({ ...moved, 'server/.gitignore': '.env\n' })).toEqual([])
    expect(await problems({ ...moved, '.gitignore': 'server/.env\n' })).toEqual([])
    expect(await problems({ ...moved, '.gitignore': 'server/\n' })).toEqual([])
  })

  test('without a secret in it may be there', async () => {
    const files = { ...inGit, '.env': 'PORT=3000\n' }
    const env = { WX_APP_ID: appId, WX_APP_SECRET: appSecret, WXLOGIN_SECRET: secret }

    expect((await examined({ files, env })).findings).toEqual([])
  })

  test('is looked for above the folder that is examined', async () => {
    const cwd = folderWith({
      ...inGit,
      ...Object.fromEntries(Object.entries(project).map(([path, text]) => [`shop/${path}`, text])),
    })

    const { findings } = (await wxlogin(['doctor', 'shop', '--json'], { cwd })).json()

    expect(findings).toEqual([
      expect.objectContaining({
        check: 'env_in_git',
        todo: expect.stringContaining('reset the AppSecret'),
      }),
    ])
  })
})

describe('the examples', () => {
  // Neither mini programs nor backends in Node: the login service, and what stands beside it.
  const others = ['java', 'python', 'serve']
  const names = readdirSync(join(root, 'examples'), { withFileTypes: true })
    .filter(
      (entry) =>
        entry.isDirectory() && !['demo', 'test', 'node_modules', ...others].includes(entry.name),
    )
    .map(({ name }) => `examples/${name}`)

  test.each([...names, 'examples'])('%s has nothing to mend', async (name) => {
    expect(await wxlogin(['doctor', name])).toMatchObject({
      exit: 0,
      out: expect.stringMatching(/^Nothing to mend; [1-9]\d* checks were made/),
    })
  })

  test('set up as their READMEs say, they have nothing to mend either, and more is checked', async () => {
    const cwd = folderWith({ '.env': project['.env'] ?? '' })
    for (const name of ['express', 'miniprogram']) {
      cpSync(join(root, 'examples', name), join(cwd, name), {
        recursive: true,
        filter: (path) => !path.includes('node_modules'),
      })
    }
    const config = await import('node:fs/promises')
    const file = join(cwd, 'miniprogram/project.config.json')
    await config.writeFile(
      file,
      (await config.readFile(file, 'utf8')).replace('touristappid', appId),
    )
    cpSync(
      join(cwd, 'miniprogram/sitemap.json'),
      join(cwd, 'miniprogram/miniprogram_npm/@wxlogin/client/index.js'),
    )
    const url = await backend()

    const ran = await wxlogin(['doctor', '--json', '--url', url], { cwd, env: {} })

    expect(ran.json().findings).toEqual([])
    expect(
      ran.json().checks.filter(({ outcome }: { outcome: string }) => outcome === 'not_made'),
    ).toEqual([expect.objectContaining({ check: 'wechat' })])
  })
})

describe('--online asks WeChat', () => {
  async function asked(wechat: FakeWeChat, { files = {} }: Options = {}) {
    const server = await wechat.listen()
    onTestFinished(() => server.close())
    return examined({ files, args: ['--online', '--wechat-host', server.url] })
  }
  const known = () => createFakeWeChat({ apps: [{ appId, appSecret }] })

  test('and all is well', async () => {
    const { findings, checks } = await asked(known())

    expect(findings).toEqual([])
    expect(checks).toContainEqual({ check: 'wechat', outcome: 'fine' })
  })

  test('about an AppSecret that is wrong', async () => {
    const { findings, out } = await asked(known(), {
      files: changed('.env', appSecret, 'e'.repeat(32)),
    })

    expect(findings).toMatchObject([
      { check: 'wechat', todo: 'The AppSecret is wrong; copy it again from the WeChat console' },
    ])
    expect(out).not.toContain('e'.repeat(32))
  })

  test.each([
    [40125, /AppSecret is wrong/],
    [40164, /not on the whitelist/],
    [40243, /frozen/],
  ])('and is answered %i', async (errcode, words) => {
    const wechat = known()
    wechat.fail(errcode, { times: 5 })

    const { findings } = await asked(wechat)

    expect(findings).toMatchObject([
      {
        check: 'wechat',
        problem: `WeChat refuses ${appId} with errcode ${errcode}`,
        todo: expect.stringMatching(words),
      },
    ])
  })

  test('and gets no answer', async () => {
    const { findings } = await examined({
      args: ['--online', '--wechat-host', 'http://127.0.0.1:1'],
    })

    expect(findings).toMatchObject([
      { check: 'wechat', problem: expect.stringMatching(/cannot be reached/) },
    ])
  })

  test('and without an AppSecret it says what is missing', async () => {
    const { checks } = await examined({ files: { '.env': undefined }, args: ['--online'] })

    expect(checks).toContainEqual({
      check: 'wechat',
      outcome: 'not_made',
      why: expect.stringMatching(/AppID and AppSecret are not known here/),
    })
  })
})

test('a report can be pasted into an issue: nothing in it is a secret or names somebody', async () => {
  const cwd = folderWith({
    ...project,
    ...changed('.env', secret, 'password-password-password-password'),
    ...changed('app/client.js', 'https://api.example.com', 'http://bank.example.com'),
    ...changed('app/project.config.json', appId, 'wxfedcba9876543210'),
    'app/leak.js': `const appSecret = '${appSecret}'`,
  })

  const { exit, out } = await wxlogin(['doctor', '--report'], { cwd, env: {} })

  expect(exit).toBe(1)
  for (const check of ['app_id_differs', 'leak', 'plain_http', 'guessable_secret']) {
    expect(out).toContain(`**${check}**`)
  }
  expect(out).toMatch(/wxlogin 0\.\d+\.\d+, Node \d+/)
  for (const secretPart of [
    appSecret,
    'password-password',
    appId,
    'wxfedcba9876543210',
    'bank',
    cwd,
  ]) {
    expect(out).not.toContain(secretPart)
  }
})

test('a backend whose folder lies in that of the mini program is one', async () => {
  const moved = Object.entries(project).map(([path, content]) => [
    path.replace(/^app\//, ''),
    content,
  ])
  const cwd = folderWith({
    ...Object.fromEntries(moved),
    'project.config.json': '{ "appid": "wxfedcba9876543210", "libVersion": "3.6.0" }',
  })

  const ran = await wxlogin(['doctor', '--json'], { cwd, env: {} })

  expect(ran.json().findings).toMatchObject([
    { check: 'app_id_differs', file: 'project.config.json' },
  ])
})

test('what is found is said in Chinese, too', async () => {
  const cwd = folderWith({ ...project, ...changed('app/project.config.json', '3.6.0', '2.10.4') })

  const { out } = await wxlogin(['doctor', '--lang', 'zh'], { cwd, env: {} })

  expect(out).toMatch(
    /^✗ 基础库是 2\.10\.4，而 @wxlogin\/client 需要 2\.11\.0\n {2}app\/project\.config\.json\n {2}→ 在开发者工具里/,
  )
  expect(out).toMatch(/1 处需要处理/)
})

test('a folder with nothing of it is no project', async () => {
  const cwd = folderWith({ 'README.md': 'empty' })

  expect(await wxlogin(['doctor'], { cwd, env: {} })).toMatchObject({
    exit: 3,
    err: expect.stringMatching(
      /neither a mini program nor a program that imports @wxlogin\/server/,
    ),
  })
})

test.each([
  ['too short', 'short'],
  ['0123456789abcdefghijklmnopqrstuvwxyz', 'words'],
  ['abcabcabcabcabcabcabcabcabcabcabcabc', 'alike'],
  ['correcthorsecorrecthorsecorrecthorse', 'alike'],
  ['this-is-a-very-long-secret-for-my-app-please', 'words'],
  ['your_wxlogin_secret_at_least_32_bytes_long', 'words'],
  ['{"kty":"oct","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ"}', 'not_a_secret'],
  [secret, undefined],
  [appSecret, undefined],
  ['h7Qm2xV9cKp4Tz8wRb3yLn6sDf1gJa5u', undefined],
])('%s: %s', (text, weakness) => {
  expect(weaknessOf(text)).toBe(weakness)
})
