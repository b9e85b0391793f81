// npm run long -- sdks: what others have written for WeChat, against the emulated WeChat on a real socket. The SDKs come
// from npm, into the cache folder. Prints a table of SDK × call, and ends non-zero when a call does not give what the
// emulator says is right.
//   node .ci/sdks.mjs tnwx   only this SDK
import { fork } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { join } from 'node:path'
import { printTable } from '../bench/measure.mjs'
import { root } from './process.mjs'
import { tool } from './tools.mjs'

const { createFakeWeChat } = await import('../packages/server/dist/testing.js')

const byLoopback = 'a mapping in its process: its host is fixed'
const sdks = {
  'node-easywechat': { way: '`http.baseURL`' },
  'co-wechat-api': { way: 'its prefixes, with a slash too many' },
  'nest-wechat': { way: byLoopback, isFixed: true },
  tnwx: { way: '`HttpKit.setHttpDelegate`' },
  'wafer-node-session': { way: byLoopback, isFixed: true },
  'passport-weapp': { way: byLoopback, isFixed: true },
}
const calls = {
  code2Session: 'code2Session',
  token: 'token',
  stableToken: 'stable_token',
  phone: 'phone',
  textCheck: 'msg_sec_check',
  refusedText: '… refused',
  pictureCheck: 'img_sec_check',
  message: 'subscribe',
  picture: 'wxacode',
}
// What an SDK offers of these; a call that it does not have cannot be left out by mistake.
const offered = {
  'node-easywechat': Object.keys(calls),
  'co-wechat-api': ['code2Session', 'token', 'message', 'picture'],
  'nest-wechat': ['code2Session', 'token', 'phone', 'message', 'picture'],
  tnwx: ['code2Session', 'token', 'textCheck', 'refusedText', 'pictureCheck', 'message', 'picture'],
  'wafer-node-session': ['code2Session'],
  'passport-weapp': ['code2Session'],
}

const wanted = process.argv.slice(2)
const unknown = wanted.filter((name) => !(name in sdks))
if (unknown.length > 0) {
  console.error(`There is no ${unknown.join(', ')}; there are ${Object.keys(sdks).join(', ')}`)
  process.exit(1)
}

const folder = await tool(
  'sdks',
  [
    'node-easywechat@3.6.2',
    // The newest that it still finds its way in.
    'node-socialite@1.4.1',
    'co-wechat-api@3.11.0',
    'nest-wechat@0.2.50',
    '@nestjs/common@10.4.20',
    'reflect-metadata@0.2.2',
    'rxjs@7.8.2',
    'tnwx@2.5.6',
    'wafer-node-session@1.0.10',
    'passport-weapp@1.1.1',
  ],
  { about: 'about 50 MB' },
)

const problems = []
const rows = []
for (const [name, { way, isFixed = false }] of Object.entries(sdks)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue
  const outcome = await play(name, isFixed)
  for (const problem of outcome.problems) problems.push(`${name}: ${problem}`)
  const cells = Object.keys(calls).map((call) => outcome.cells[call] ?? '–')
  rows.push([name, ...cells, way])
}
printTable(
  'SDKs of others against the emulated WeChat (– : the SDK does not have it)',
  ['', ...Object.values(calls), 'sent there by'],
  rows,
)
for (const problem of problems) console.error(`\nFAILED ${problem}`)
if (problems.length > 0) process.exitCode = 1

async function play(name, isFixed) {
  const risky = 'something risky'
  const templateId = randomBytes(32).toString('base64url')
  const wechat = createFakeWeChat({
    routes: {
      'POST /wxa/msg_sec_check': withJson(({ content }) => {
        if (typeof content !== 'string' || content === '') return { errcode: 40097 }
        if (content === risky) return { errcode: 87014, errmsg: 'risky content' }
        return { errcode: 0, errmsg: 'ok' }
      }),
      'POST /wxa/img_sec_check': ({ body }) =>
        /name="media"[\s\S]*PNG/.test(body) ? { errcode: 0, errmsg: 'ok' } : { errcode: 40097 },
      'POST /cgi-bin/message/subscribe/send': withJson(({ touser, template_id, data }) => {
        if (touser !== openid) return { errcode: 40003 }
        if (template_id !== templateId) return { errcode: 40037 }
        return data?.thing1?.value ? { errcode: 0, errmsg: 'ok' } : { errcode: 47003 }
      }),
    },
  })
  const openid = wechat.openidOf('alice')
  const code = wechat.codeFor('alice')
  const { url, close } = await wechat.listen()
  const scene = 'a=1'
  const page = 'pages/index/index'
  const given = {
    url,
    app: wechat.app,
    code,
    openid,
    phoneCode: wechat.phoneCodeFor('alice'),
    openData: wechat.openDataFor('alice', { openId: openid }),
    text: 'something harmless',
    risky,
    upload: Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), randomBytes(64)]).toString(
      'base64',
    ),
    message: { touser: openid, template_id: templateId, page, data: { thing1: { value: 'Tea' } } },
    scene,
    page,
  }
  /** What a call has to give. */
  const right = {
    code2Session: (value) => value === openid,
    token: (value) => isToken(url, value),
    stableToken: (value) => isToken(url, value),
    phone: (value) => value === wechat.phoneNumberOf('alice'),
    textCheck: (value) => value === 0,
    refusedText: (value) => value === 87014,
    pictureCheck: (value) => value === 0,
    message: (value) => value === 0,
    picture(value) {
      const scanned = wechat.scan(Buffer.from(value, 'base64'))
      return scanned.page === page && decodeURIComponent(scanned.scene) === scene
    },
  }

  const child = fork(`${root}.ci/sdks/run.cjs`, [name], {
    execArgv: [
      '--no-deprecation',
      ...(isFixed ? ['--require', `${root}.ci/sdks/loopback.cjs`] : []),
    ],
    env: { PATH: process.env.PATH, SDKS: join(folder, 'node_modules'), WECHAT_URL: url },
    cwd: folder,
  })
  const results = new Map()
  child.on('message', ({ name: call, ...result }) => results.set(call, result))
  const deadline = setTimeout(() => child.kill(), 60_000)
  child.send(given)
  const [status] = await once(child, 'exit')
  clearTimeout(deadline)

  const cells = {}
  const wrong = []
  for (const call of new Set([...offered[name], ...results.keys()])) {
    const { value, error } = results.get(call) ?? { error: 'no answer' }
    const holds = error === undefined && (await holdsFor(right[call], value))
    cells[call] = holds ? 'ok' : 'FAILED'
    if (!holds) wrong.push(`${call} gave ${error ?? JSON.stringify(value)}`)
  }
  if (status !== 0) wrong.push(`it ended with ${status}`)
  // An SDK that answered without asking would prove nothing.
  if (!wechat.calls.some(({ path, errcode }) => /jscode2session$/.test(path) && errcode === 0)) {
    wrong.push('the emulator has seen no code2Session')
  }
  await close()
  return { cells, problems: wrong }
}

async function holdsFor(check, value) {
  try {
    return await check(value)
  } catch {
    return false
  }
}

/** Whether the emulator takes it: it then asks for the openid. */
async function isToken(url, token) {
  const query = new URLSearchParams({ access_token: token })
  const answer = await fetch(`${url}/wxa/checksession?${query}`)
  return (await answer.json()).errcode === 40003
}

function withJson(route) {
  return ({ body }) => {
    try {
      return route(JSON.parse(body))
    } catch {
      return { errcode: 47001 }
    }
  }
}
