import { createHash, generateKeyPairSync, randomBytes } from 'node:crypto'
import { lintSource } from '@secretlint/core'
import { describe, expect, test } from 'vitest'
import { creator } from '../src/scan/secretlint-rule.js'
import { folderWith, wxlogin } from './set-up.js'
import { wxapkgOf } from './wxapkg.js'

// Nobody's: each run has its own.
const appSecret = createHash('md5').update(randomBytes(16)).digest('hex')
const [otherSecret, thirdSecret] = [1, 2].map(() =>
  createHash('md5').update(randomBytes(16)).digest('hex'),
)
const sessionKey = randomBytes(16).toString('base64')
const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const pem = privateKey.export({ format: 'pem', type: 'pkcs8' }).toString()
const jwk = JSON.stringify(privateKey.export({ format: 'jwk' }))
const half = appSecret.slice(0, 16)
const otherHalf = appSecret.slice(16)

interface Place {
  readonly kind: string
  readonly file: string
  readonly inside?: string
  readonly line: number
  readonly column: number
}

interface Report {
  readonly files: number
  readonly leaks: readonly Place[]
  readonly possible: readonly Place[]
  readonly skipped: readonly { file: string; why: string }[]
}

async function scanned(
  files: Readonly<Record<string, string | Buffer>>,
  path = '.',
): Promise<Report & { exit: number; out: string }> {
  const ran = await wxlogin(['scan', path, '--json'], { cwd: folderWith(files) })
  return { ...ran.json(), exit: ran.exit, out: ran.out }
}

/** Every shape in which it was seen, or in which somebody would hide it. */
const shapes: readonly (readonly [shape: string, kind: string, file: string, content: string])[] = [
  ['an option', 'app_secret', 'app.js', `App({ appSecret: '${appSecret}' })`],
  ['a constant', 'app_secret', 'config.ts', `export const WX_SECRET: string = "${appSecret}"`],
  ['JSON', 'app_secret', 'config.json', `{ "wx": { "app_secret" : "${appSecret}" } }`],
  ['a URL', 'app_secret', 'api.js', `get('/token?appid=wx&secret=${appSecret}&js_code=' + code)`],
  ['two halves', 'app_secret', 'a.js', `const secret = '${half}' + '${otherHalf}'`],
  ['a joined list', 'app_secret', 'a.js', `const appSecret = ['${half}', '${otherHalf}'].join('')`],
  ['an argument', 'app_secret', 'a.js', `wx.setStorageSync('appsecret', '${appSecret}')`],
  [
    'base64',
    'app_secret',
    'a.js',
    `const k = atob("${Buffer.from(appSecret).toString('base64')}")`,
  ],
  ['beside its AppID', 'app_secret', 'a.js', `login("wx0123456789abcdef","${appSecret}")`],
  ['before its AppID', 'app_secret', 'a.js', `const a = ['${appSecret}', 'wx0123456789abcdef']`],
  [
    'a statement after its AppID',
    'app_secret',
    'a.js',
    `const a = 'wx0123456789abcdef';\n// Of the console.\nconst b = '${appSecret}';`,
  ],
  ['given to what asks for a secret', 'app_secret', 'a.js', `setSecret(wx, '${appSecret}')`],
  ['given to jscode2session', 'app_secret', 'a.js', `await api.jscode2session(c, '${appSecret}')`],
  ['given to what gets a token', 'app_secret', 'a.js', `getAccessToken(id, "${appSecret}")`],
  [
    'near a call that takes one',
    'app_secret',
    'a.js',
    `const k = '${appSecret}'\nget('/sns/jscode2session?appid=' + id + '&secret=' + k)`,
  ],
  ['a string in a string', 'app_secret', 'a.js', `let c="{\\"secret\\":\\"${appSecret}\\"}"`],
  ['a comment', 'app_secret', 'a.js', `// secret: ${appSecret}\nApp({})`],
  ['an environment file', 'app_secret', '.env', `WX_APP_SECRET=${appSecret}\n`],
  ['minified', 'app_secret', 'a.js', `var t={appid:"wx1",secret:"${appSecret}"};e.exports=t`],
  ['a template', 'app_secret', 'a.wxml', `<view data-secret="${appSecret}"/>`],
  ['a session_key', 'session_key', 'mock.js', `module.exports={session_key:"${sessionKey}"}`],
  ['one in JSON', 'session_key', 'mock.json', `{"openid":"o","session_key":"${sessionKey}"}`],
  [
    'a session_key taken from an answer',
    'session_key',
    'a.js',
    'wx.setStorageSync("k", res.data.session_key)',
  ],
  ['one by destructuring', 'session_key', 'a.ts', 'const { openid, session_key } = res.data'],
  ['a private key', 'private_key', 'pay.js', `const key = \`${pem}\``],
  ['one on a line', 'private_key', 'pay.js', `const key = ${JSON.stringify(pem)}`],
  ['one in a file', 'private_key', 'apiclient_key.pem', pem],
  ['one in base64', 'private_key', 'pay.js', `x("${Buffer.from(pem).toString('base64')}")`],
  ['a JWK', 'private_key', 'keys.json', jwk],
  [
    'a call of WeChat',
    'wechat_call',
    'a.js',
    'wx.request({ url: "https://api.weixin.qq.com/sns/jscode2session" })',
  ],
  ['a call by its host', 'wechat_call', 'a.ts', "const host = 'api.weixin.qq.com'"],
  [
    'a call after a template',
    'wechat_call',
    'a.js',
    'const a = `x$' + '{b}`; go(`https://api.weixin.qq.com/$' + '{path}`)',
  ],
]

describe('leaks', () => {
  test.each(shapes)('%s: %s', async (_shape, kind, file, content) => {
    const { leaks, exit, out } = await scanned({ [file]: content })

    expect(exit).toBe(1)
    expect(leaks).toEqual([expect.objectContaining({ kind, file })])
    expect(out).not.toContain(appSecret.slice(0, 8))
    expect(out).not.toContain(sessionKey.slice(0, 8))
  })

  test('a certificate with its key is one, whatever is in it', async () => {
    expect(await scanned({ 'apiclient_cert.p12': Buffer.from([0, 1, 2]) })).toMatchObject({
      leaks: [{ kind: 'private_key', file: 'apiclient_cert.p12' }],
    })
  })

  test.each(shapes)('%s is found in a package, too: %s', async (_shape, kind, file, content) => {
    const packed = wxapkgOf({ '/app-config.json': '{}', [`/pages/${file}`]: content })

    const { leaks } = await scanned({ 'release.wxapkg': packed })

    expect(leaks).toEqual([
      expect.objectContaining({ kind, file: 'release.wxapkg', inside: `/pages/${file}` }),
    ])
  })

  test('and in the sources of a source map', async () => {
    const map = JSON.stringify({
      version: 3,
      sources: ['a.ts', 'b.ts'],
      sourcesContent: ['// https://api.weixin.qq.com\n', `\n  const secret = '${appSecret}'`],
      mappings: '',
    })

    expect((await scanned({ 'app.js.map': map })).leaks).toMatchObject([
      { kind: 'app_secret', file: 'app.js.map', inside: 'b.ts', line: 2, column: 19 },
    ])
  })

  test('every place of a file is named, in its order', async () => {
    const { leaks } = await scanned({
      'a.js': `const secret = '${appSecret}'\n\nfetch('https://api.weixin.qq.com')\nuse({ secret: "${appSecret}" })`,
    })

    expect(leaks.map(({ kind, line, column }) => [kind, line, column])).toEqual([
      ['app_secret', 1, 17],
      ['wechat_call', 3, 8],
      ['app_secret', 4, 16],
    ])
  })
})

describe('what could be an AppSecret, and need not be one', () => {
  test.each([
    ['a constant with a name that says nothing', `const k = '${appSecret}'`],
    ['an option with a name that says nothing', `init({ a: '${appSecret}' })`],
    ['an argument', `start('${appSecret}')`],
    ['JSON', `{"k":"${appSecret}"}`],
    ['minified', `var t="${appSecret}",e=1`],
    ['with the name of an AppID somewhere else', `const appId = config.appId\nuse("${appSecret}")`],
  ])('%s is named, and does not fail', async (_shape, content) => {
    const { exit, leaks, possible, out } = await scanned({ 'app.js': content })

    expect([exit, leaks]).toEqual([0, []])
    expect(possible).toMatchObject([{ kind: 'possible_app_secret', file: 'app.js' }])
    expect(out).not.toContain(appSecret.slice(0, 8))
  })

  test('what leaks is not named a second time', async () => {
    const { leaks, possible } = await scanned({ 'app.js': `const secret = '${appSecret}'` })

    expect([leaks.length, possible]).toEqual([1, []])
  })

  test('it is said in text, and in SARIF it is a warning', async () => {
    const cwd = folderWith({ 'app.js': `const k = '${appSecret}'` })

    const { exit, out } = await wxlogin(['scan'], { cwd })
    const sarif = (await wxlogin(['scan', '--sarif'], { cwd })).json()

    expect(exit).toBe(0)
    expect(out).toMatch(
      /^app\.js:1:12 {2}This could be an AppSecret.*\nNothing found in 1 files; 1 to look at yourself$/,
    )
    expect((await wxlogin(['scan', '--lang', 'zh'], { cwd })).out).toMatch(
      /^app\.js:1:12 {2}可能是 AppSecret.*\n1 个文件，没有发现泄露；有 1 处请自己看一下$/,
    )
    expect(sarif.runs[0].results).toMatchObject([
      { ruleId: 'possible_app_secret', level: 'warning' },
    ])
  })

  test('doctor has nothing against it, and secretlint is told of it on demand', async () => {
    const content = `const k = '${appSecret}'`
    const source = { filePath: 'app.js', ext: '.js', contentType: 'text' as const, content }
    const linted = (options: object) =>
      lintSource({
        source,
        options: { config: { rules: [{ id: creator.meta.id, rule: creator, options }] } },
      })

    expect((await linted({})).messages).toEqual([])
    expect((await linted({ possible: true })).messages).toMatchObject([
      { messageId: 'possible_app_secret' },
    ])
  })
})

describe('no leaks', () => {
  test.each([
    ['a placeholder', "appSecret: '你的 AppSecret'"],
    ['zeros', `secret: '${'0'.repeat(32)}'`],
    ['a digit after the other', "secret: '0123456789abcdef0123456789abcdef'"],
    ['from the environment', 'appSecret: process.env.WX_APP_SECRET'],
    ['a hash', `const md5 = '${appSecret}'`],
    ['a hash beside an AppID', `{ appid: 'wx0123456789abcdef', md5: '${appSecret}' }`],
    [
      'an AppID and the id of something else',
      `track('wx0123456789abcdef', { id: '${appSecret}' })`,
    ],
    ['a hash before an AppID', `{ etag: '${appSecret}', appid: 'wx0123456789abcdef' }`],
    [
      'a hash with an AppID in another object',
      `a({ id: 'wx0123456789abcdef' }, { md5: '${appSecret}' })`,
    ],
    ['the key of a map', `new AMapWX({ key: '${appSecret}' })`],
    ['a picture', `src = 'https://cdn.example.com/${appSecret}.png'`],
    ['a list of hashes', `const files = ['${appSecret}', '${otherSecret}', '${thirdSecret}']`],
    ['a hash given to what checks it', `verifySignature('${appSecret}')`],
    ['capitals', `const k = '${appSecret.toUpperCase()}'`],
    ['a longer text', `secret = '${appSecret}${appSecret}'`],
    [
      'the name in a comment',
      '// https://api.weixin.qq.com/sns/jscode2session is for the backend\n',
    ],
    ['another host', "go('https://api.weixin.qq.com.example.com')"],
    ['a public key', '-----BEGIN PUBLIC KEY-----\\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE'],
    ['a public JWK', JSON.stringify({ ...JSON.parse(jwk), d: undefined })],
    [
      'a beginning without a key',
      "if (pem.startsWith('-----BEGIN PRIVATE KEY-----')) throw new Error()",
    ],
    ['a key of a session of something else', "const sessionKey = 'conversation-list'"],
    ['a text about session_key', "say('the session_key was replaced')"],
    ['a picture in base64', `src = "data:image/png;base64,${randomBytes(600).toString('base64')}"`],
  ])('%s', async (_what, content) => {
    expect(await scanned({ 'app.js': content })).toMatchObject({
      leaks: [],
      possible: [],
      exit: 0,
    })
  })

  test('the examples', async () => {
    for (const name of ['express', 'miniprogram', 'taro', 'uni-app']) {
      expect(await wxlogin(['scan', `examples/${name}`])).toMatchObject({
        exit: 0,
        out: expect.stringMatching(/^Nothing found in [1-9]\d* files$/),
      })
    }
  })
})

describe('what a mini program ships', () => {
  const leaking = `const secret = '${appSecret}'`
  const app = '{ "pages": ["pages/index/index"] }'

  test('is looked at, and the backend beside it is not', async () => {
    const { leaks } = await scanned({
      'server/index.js': leaking,
      'app/project.config.json': '{ "appid": "wx0123456789abcdef", "miniprogramRoot": "src/" }',
      'app/src/app.json': app,
      'app/src/utils/api.js': leaking,
      'app/scripts/upload.js': leaking,
    })

    expect(leaks.map(({ file }) => file)).toEqual(['app/src/utils/api.js'])
  })

  test('has no cloud functions in it, and nothing that the configuration leaves out', async () => {
    const { leaks } = await scanned({
      'project.config.json': `{
        // As DevTools writes it.
        "cloudfunctionRoot": "cloud/",
        "packOptions": { "ignore": [{ "type": "folder", "value": "mock" }, { "type": "file", "value": "/ci.js" }] },
      }`,
      'app.json': app,
      'cloud/login/index.js': leaking,
      'mock/users.js': leaking,
      'ci.js': leaking,
      'miniprogram_npm/sdk/index.js': leaking,
      'node_modules/sdk/index.js': leaking,
    })

    expect(leaks.map(({ file }) => file)).toEqual(['miniprogram_npm/sdk/index.js'])
  })

  test('has no backend in it, and no hidden files, though they lie in its folder', async () => {
    const { leaks } = await scanned({
      'project.config.json': '{ "miniprogramRoot": "./" }',
      'app.json': app,
      '.env': `WX_APP_SECRET=${appSecret}`,
      'server/package.json': '{ "dependencies": { "koa": "^3" } }',
      'server/wechat.js': "get('https://api.weixin.qq.com/sns/jscode2session')",
      'lib/package.json': '{ "dependencies": {} }',
      'lib/index.js': leaking,
    })

    expect(leaks.map(({ file }) => file)).toEqual(['lib/index.js'])
  })

  test('of Taro is its source and its build', async () => {
    const { leaks } = await scanned({
      'package.json': '{ "dependencies": { "@tarojs/taro": "4" } }',
      'project.config.json': '{ "miniprogramRoot": "dist/" }',
      'src/app.config.ts': leaking,
      'config/index.ts': leaking,
      'dist/app.js': leaking,
      'dist/app.json': app,
      'dist/project.config.json': '{}',
    })

    expect(leaks.map(({ file }) => file)).toEqual(['dist/app.js', 'src/app.config.ts'])
  })

  test('of uni-app likewise', async () => {
    const { leaks } = await scanned({
      'package.json': '{ "dependencies": { "@dcloudio/uni-app": "3" } }',
      'src/manifest.json': '/* 清单 */ { "mp-weixin": { "appid": "" } }',
      'src/main.ts': leaking,
      'vite.config.ts': leaking,
      'dist/build/mp-weixin/app.json': app,
      'dist/build/mp-weixin/app.js': leaking,
    })

    expect(leaks.map(({ file }) => file).sort()).toEqual([
      'dist/build/mp-weixin/app.js',
      'src/main.ts',
    ])
  })
})

describe('a package that cannot be read is said to be so, and does not pass', () => {
  const whole = wxapkgOf({ '/app.js': 'App({})' })
  const changed = (at: number, value: number): Buffer => {
    const bytes = Buffer.from(whole)
    bytes.writeUInt32BE(value, at)
    return bytes
  }
  const manyTimes = Buffer.concat([
    wxapkgOf(
      Object.fromEntries(Array.from({ length: 100 }, (_, n) => [`/${n}.js`, 'x'.repeat(9)])),
    ),
  ])
  // Each of the hundred files claims to be the whole package.
  for (let at = 18; at < manyTimes.readUInt32BE(5) + 14; ) {
    const name = manyTimes.readUInt32BE(at)
    manyTimes.writeUInt32BE(0, at + 4 + name)
    manyTimes.writeUInt32BE(manyTimes.length, at + 8 + name)
    at += 12 + name
  }

  test.each([
    ['empty', Buffer.alloc(0), 'damaged'],
    ['something else', Buffer.from('PK\u0003\u0004 and what follows'), 'damaged'],
    ['cut off', whole.subarray(0, 24), 'damaged'],
    ['with more files than it has room for', changed(14, 1_000), 'damaged'],
    ['with a million files', changed(14, 1_000_000), 'too_large'],
    ['with an endless name', changed(18, 0xffffffff), 'damaged'],
    ['with a file beyond its end', changed(18 + 4 + 7, 0xfffffff0), 'damaged'],
    ['that would become larger than it is', manyTimes, 'damaged'],
    ['of WeChat for Windows', Buffer.from('V1MMWX and ciphertext behind it'), 'encrypted'],
  ])('%s', async (_what, bytes, why) => {
    expect(await scanned({ 'app.wxapkg': bytes })).toMatchObject({
      exit: 3,
      leaks: [],
      skipped: [{ file: 'app.wxapkg', why }],
    })
  })

  test('and the intact one is read', async () => {
    expect(await scanned({ 'app.wxapkg': whole }, 'app.wxapkg')).toMatchObject({
      exit: 0,
      skipped: [],
    })
  })
})

describe('what it prints', () => {
  const files = { 'app.js': `\n  const secret = '${appSecret}'` }

  test('is text with the place and what to do, in both languages', async () => {
    const cwd = folderWith(files)

    expect((await wxlogin(['scan'], { cwd })).out).toMatch(
      /^app\.js:2:19 {2}An AppSecret\..*reset it in the WeChat console.*\n1 found in 1 files$/,
    )
    expect((await wxlogin(['scan', '--lang', 'zh'], { cwd })).out).toMatch(
      /^app\.js:2:19 {2}AppSecret 泄露。.*小程序后台重置\n在 1 个文件里发现 1 处$/,
    )
  })

  test('is SARIF for a code host', async () => {
    const ran = await wxlogin(['scan', '--sarif'], {
      cwd: folderWith({ 'a b/app.js': files['app.js'] }),
    })

    const [{ tool, results }] = ran.json().runs
    expect([ran.exit, ran.json().version]).toEqual([1, '2.1.0'])
    expect(tool.driver.rules.map(({ id }: { id: string }) => id)).toEqual([
      'app_secret',
      'session_key',
      'private_key',
      'wechat_call',
      'possible_app_secret',
    ])
    expect(results).toMatchObject([
      {
        ruleId: 'app_secret',
        level: 'error',
        locations: [
          {
            physicalLocation: {
              artifactLocation: { uri: 'a%20b/app.js' },
              region: { startLine: 2, startColumn: 19 },
            },
          },
        ],
      },
    ])
    expect(ran.out).not.toContain(appSecret)
  })
})

test('the rule works by itself in secretlint, and says nothing of what it found', async () => {
  const config = { rules: [{ id: 'wxlogin/secretlint-rule', rule: creator }] }
  const source = {
    filePath: 'app.js',
    ext: '.js',
    contentType: 'text' as const,
    content: `App({ appSecret: '${appSecret}' })`,
  }

  const english = await lintSource({ source, options: { config } })
  const chinese = await lintSource({ source, options: { config, locale: 'zh-CN' } })

  expect(english.messages).toMatchObject([
    {
      ruleId: 'wxlogin/secretlint-rule',
      messageId: 'app_secret',
      loc: { start: { line: 1, column: 18 } },
    },
  ])
  expect(chinese.messages[0]?.message).toMatch(/^AppSecret 泄露/)
  expect(JSON.stringify([english.messages, chinese.messages])).not.toContain(appSecret)
})

test('a large minified file takes no long time', async () => {
  const line = 'var a=function(t,e){return"x"===t?e/2:`t`;},b={secret:t,k:[1,2,"ab"]};'
  const started = performance.now()

  await scanned({ 'vendor.js': line.repeat(30_000), 'hex.js': '0123456789abcdef '.repeat(120_000) })

  expect(performance.now() - started).toBeLessThan(20_000)
})
