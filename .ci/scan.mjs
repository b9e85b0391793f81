// Runs `wxlogin scan` over mini programs and component libraries that others have made, where any finding would be a false
// alarm, its rule in secretlint's own command line, and its SARIF against the schema: `npm run long -- scan`.
import { createHash, randomBytes } from 'node:crypto'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { pack } from './pack.mjs'
import { bin, root, runNode } from './process.mjs'
import { install, tool } from './tools.mjs'

/** A whole mini program, and three libraries as mini programs ship them. What is found in them is explained here. */
const libraries = [
  { name: 'wux-weapp', version: '3.11.3', explained: [] },
  { name: '@vant/weapp', version: '1.11.7', explained: [] },
  { name: 'tdesign-miniprogram', version: '1.16.0', explained: [] },
  { name: 'weui-miniprogram', version: '1.5.6', explained: [] },
]
const program = `${root}packages/cli/dist/main.js`
const failures = []

const folder = await tool(
  'mini-programs',
  libraries.map(({ name, version }) => `${name}@${version}`),
  { about: 'about 20 MB' },
)
for (const { name, explained } of libraries) {
  const { status, output } = await runNode([
    program,
    'scan',
    join(folder, 'node_modules', name),
    '--json',
  ])
  const { files, leaks, possible, skipped } = JSON.parse(output)
  const places = [...leaks, ...possible].map(
    ({ kind, file, line }) => `${kind} ${file.split(`${name}/`).pop()}:${line}`,
  )
  const unexplained = places.filter((place) => !explained.includes(place))
  report(
    `${name}: ${files} files, ${leaks.length} found, ${possible.length} possible, ${explained.length} explained`,
    files > 50 && skipped.length === 0 && status === (leaks.length > 0 ? 1 : 0)
      ? unexplained
      : [output],
  )
  await withLeak(join(folder, 'node_modules', name), name)
}
await inSecretlint()
await asSarif()

if (failures.length > 0) {
  console.error(`\n${failures.length} failed:\n${failures.map((name) => `  ${name}`).join('\n')}`)
  process.exit(1)
}

/** That silence means something: the same folder with an AppSecret in one of its files. */
async function withLeak(original, name) {
  const place = mkdtempSync(join(tmpdir(), 'wxlogin-scan-'))
  try {
    cpSync(original, place, { recursive: true })
    const listed = await runNode([program, 'scan', place, '--json'])
    const file = await anyProgramIn(place)
    const before = JSON.parse(listed.output)
    const content = readFileSync(file, 'utf8')
    for (const [what, list, code] of [
      ['an AppSecret', 'leaks', (secret) => `wx.k={appSecret:"${secret}"}`],
      ['one without a name', 'possible', (secret) => `wx.k="${secret}"`],
    ]) {
      const secret = newSecret()
      writeFileSync(file, `${content}\n;${code(secret)}\n`)
      const { status, output } = await runNode([program, 'scan', place, '--json'])
      const found = JSON.parse(output)[list].length - before[list].length
      const isSaid = status === (list === 'leaks' ? 1 : listed.status)
      const holds = isSaid && found === 1 && !output.includes(secret)
      report(`${name}: ${what} that is put into it is found`, holds ? [] : [output])
    }
  } finally {
    rmSync(place, { recursive: true, force: true })
  }
}

/** The main program of a mini program, or any component. */
async function anyProgramIn(place) {
  const { readdir } = await import('node:fs/promises')
  const files = (await readdir(place, { recursive: true })).sort()
  const file =
    files.find((path) => /example[\\/]app\.js$/.test(path)) ??
    files.find((path) => /([\w-]+)[\\/](?:\1|index)\.js$/.test(path))
  return join(place, file)
}

/** secretlint finds the rule by its name, where the package is installed beside it. */
async function inSecretlint() {
  const place = mkdtempSync(join(tmpdir(), 'wxlogin-secretlint-'))
  try {
    const tarballs = []
    for (const name of ['server', 'client', 'cli']) tarballs.push(await pack(name, place))
    const installed = await install(place, [...tarballs, 'secretlint@11.7.1'])
    if (installed.status !== 0) throw new Error(`npm could not install them\n${installed.output}`)
    const secret = newSecret()
    const rules = [{ id: 'wxlogin/secretlint-rule' }]
    writeFileSync(join(place, '.secretlintrc.json'), JSON.stringify({ rules }))
    writeFileSync(join(place, 'app.js'), `App({ appSecret: '${secret}' })\n`)
    writeFileSync(join(place, 'page.js'), 'Page({})\n')
    const { status, output } = await runNode(
      [bin('secretlint', { from: place }), '--no-color', '--maskSecrets', '*.js'],
      { cwd: place },
    )
    const holds = status === 1 && /app\.js/.test(output) && !/page\.js/.test(output)
    report(
      'secretlint runs the rule by its name',
      holds && output.includes('AppSecret') && !output.includes(secret) ? [] : [output],
    )
  } finally {
    rmSync(place, { recursive: true, force: true })
  }
}

/** What is printed for code hosts, by the schema of OASIS that a matcher of Microsoft's brings along, with its validator. */
async function asSarif() {
  const sarif = await tool('sarif', ['@microsoft/jest-sarif@1.0.0-beta.0'], { about: 'about 3 MB' })
  const schema = JSON.parse(
    readFileSync(
      join(sarif, 'node_modules/@microsoft/jest-sarif/lib/schemas/sarif-2.1.0-rtm.5.json'),
      'utf8',
    ),
  )
  const require = createRequire(`${sarif}/`)
  const Ajv = require('ajv')
  const ajv = new Ajv({ schemaId: 'id', unknownFormats: 'ignore', logger: false })
  ajv.addMetaSchema(require('ajv/lib/refs/json-schema-draft-04.json'))
  const isValid = ajv.compile(schema)
  const place = mkdtempSync(join(tmpdir(), 'wxlogin-sarif-'))
  try {
    const files = {
      'nothing.js': 'App({})\n',
      'a name/with blanks.js': `App({ appSecret: '${newSecret()}' })\nconst k = '${newSecret()}'\n`,
      '图/会话.js': 'wx.setStorageSync("k", res.data.session_key)\n',
      'apiclient_cert.p12': 'x',
      'app.js.map': JSON.stringify({
        sources: ['a.ts'],
        sourcesContent: [`secret='${newSecret()}'`],
      }),
      'broken.wxapkg': 'x',
    }
    for (const [name, content] of Object.entries(files)) {
      mkdirSync(dirname(join(place, name)), { recursive: true })
      writeFileSync(join(place, name), content)
    }
    for (const [path, count, args] of [
      ['nothing.js', 0, []],
      ['.', 5, []],
      ['.', 5, ['--lang', 'zh']],
    ]) {
      const { output } = await runNode([program, 'scan', path, '--sarif', ...args], { cwd: place })
      const log = JSON.parse(output.slice(output.indexOf('{'), output.lastIndexOf('}') + 1))
      const { results } = log.runs[0]
      const name = `the SARIF of ${count} results ${args.join(' ')}`.trim()
      report(
        `${name} is valid by the schema`,
        isValid(log) && results.length === count ? [] : [JSON.stringify(isValid.errors), output],
      )
      // That the schema says no to what is wrong.
      const bent = results.length > 0 && {
        ...log,
        runs: [{ ...log.runs[0], results: [{ ...results[0], level: 'bad' }] }],
      }
      if (bent) report(`${name}, bent, is not`, isValid(bent) ? [JSON.stringify(bent)] : [])
    }
  } finally {
    rmSync(place, { recursive: true, force: true })
  }
}

function newSecret() {
  return createHash('md5').update(randomBytes(16)).digest('hex')
}

function report(name, wrong) {
  console.log(`${wrong.length === 0 ? 'ok    ' : 'FAILED'} ${name}`)
  for (const line of wrong) console.log(line)
  if (wrong.length > 0) failures.push(name)
}
