// Runs `wxlogin scan` over mini programs and component libraries that others have made, where any finding would be a false
// alarm, and its rule in secretlint's own command line: `npm run long -- scan`.
import { createHash, randomBytes } from 'node:crypto'
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
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
  const { files, leaks, skipped } = JSON.parse(output)
  const places = leaks.map(
    ({ kind, file, line }) => `${kind} ${file.split(`${name}/`).pop()}:${line}`,
  )
  const unexplained = places.filter((place) => !explained.includes(place))
  report(
    `${name}: ${files} files, ${leaks.length} found, ${explained.length} explained`,
    files > 50 && skipped.length === 0 && status === (leaks.length > 0 ? 1 : 0)
      ? unexplained
      : [output],
  )
  await withLeak(join(folder, 'node_modules', name), name)
}
await inSecretlint()

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
    const secret = newSecret()
    writeFileSync(file, `${readFileSync(file, 'utf8')}\n;wx.k={appSecret:"${secret}"}\n`)
    const { status, output } = await runNode([program, 'scan', place, '--json'])
    const before = JSON.parse(listed.output).leaks.length
    const found = JSON.parse(output).leaks.length - before
    const holds = status === 1 && found === 1 && !output.includes(secret)
    report(`${name}: an AppSecret that is put into it is found`, holds ? [] : [output])
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

function newSecret() {
  return createHash('md5').update(randomBytes(16)).digest('hex')
}

function report(name, wrong) {
  console.log(`${wrong.length === 0 ? 'ok    ' : 'FAILED'} ${name}`)
  for (const line of wrong) console.log(line)
  if (wrong.length > 0) failures.push(name)
}
