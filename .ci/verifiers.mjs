// Takes the recipes out of docs/verify-in-node.md and docs/other-services.md and runs them as they stand, against tokens
// of our server, good and bad. Prints a table, and ends non-zero when a recipe accepts what is bad or refuses what is
// good, or when the table in the documentation says otherwise.
//   node .ci/verifiers.mjs hono PyJWT   only these
// WXLOGIN_SOURCES names a folder with sources that neither npm nor Debian has: `golang-jwt` (v5) and `php-jwt`.
import { spawn } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { build } from 'esbuild'
import { printTable } from '../bench/measure.mjs'
import { filesOf } from './moving/home.mjs'
import { bin, root, run, runNode } from './process.mjs'
import { createPackages } from './programs.mjs'
import { tool } from './tools.mjs'
import { createIssuer, userId } from './verifying/issuer.mjs'

const npmPackages = [
  'jose@6.2.18',
  'jsonwebtoken@9.0.3',
  'jwks-rsa@4.1.0',
  'express@5.3.0',
  'express-jwt@8.5.1',
  'express-oauth2-jwt-bearer@1.10.0',
  'passport@0.7.0',
  'passport-jwt@4.0.1',
  'koa@3.3.0',
  'koa-jwt@4.0.4',
  'fastify@5.12.8',
  '@fastify/jwt@10.2.8',
  'fast-jwt@6.3.6',
  'get-jwks@11.0.3',
  'hono@4.13.19',
  'aws-jwt-verify@5.2.1',
  'oauth4webapi@3.8.8',
  'openid-client@6.9.0',
  '@types/express@5',
  '@types/jsonwebtoken@9',
  '@types/passport@1',
  '@types/passport-jwt@4',
  '@types/koa@3',
  '@types/node@20',
]

const verifiers = [
  ...[
    'jose',
    'express-oauth2-jwt-bearer',
    'express-jwt',
    'jsonwebtoken',
    'passport-jwt',
    'koa-jwt',
  ],
  ...['@fastify/jwt', 'fast-jwt', 'hono', 'aws-jwt-verify', 'oauth4webapi'],
]
  .map((name) => ({
    name,
    how: 'node',
    recipe: `verifiers/${name.replace('@', '').replace('/', '-')}.ts`,
  }))
  .concat(
    {
      name: 'PyJWT',
      how: 'python',
      recipe: 'verifiers/pyjwt.py',
      modules: 'jwt',
      debian: 'python3-jwt',
    },
    {
      name: 'Simple JWT',
      how: 'python',
      recipe: 'django/views.py',
      modules: 'rest_framework_simplejwt',
      debian: 'python3-djangorestframework-simplejwt',
    },
    {
      name: 'Authlib',
      how: 'python',
      recipe: 'verifiers/with_authlib.py',
      modules: 'authlib',
      debian: 'python3-authlib',
    },
    {
      name: 'jwcrypto',
      how: 'python',
      recipe: 'verifiers/with_jwcrypto.py',
      modules: 'jwcrypto',
      debian: 'python3-jwcrypto',
    },
    {
      name: 'python-jose',
      how: 'python',
      recipe: 'verifiers/with_jose.py',
      modules: 'jose',
      debian: 'python3-jose',
    },
    {
      name: 'golang-jwt v4',
      how: 'go',
      recipe: 'verifiers/v4/user.go',
      debian: 'golang-github-golang-jwt-jwt-dev',
    },
    { name: 'golang-jwt v5', how: 'go', recipe: 'verifiers/v5/user.go', sources: 'golang-jwt' },
    {
      name: 'go-oidc',
      how: 'go',
      recipe: 'verifiers/oidc/user.go',
      // As long as the answer may be cached, it asks for no new one.
      isPatient: true,
      debian: 'golang-github-coreos-go-oidc-dev',
    },
    { name: 'PHP alone', how: 'php', recipe: 'verifiers/plain.php' },
    { name: 'firebase/php-jwt', how: 'php', recipe: 'verifiers/firebase.php', sources: 'php-jwt' },
    { name: 'ruby-jwt', how: 'ruby', recipe: 'verifiers/user.rb' },
  )
const wanted = process.argv.slice(2)
const unknown = wanted.filter((name) => !verifiers.some((one) => one.name === name))
if (unknown.length > 0) {
  console.error(
    `There is no ${unknown.join(', ')}; there are ${verifiers.map(({ name }) => name).join(', ')}`,
  )
  process.exit(1)
}

const pages = ['docs/verify-in-node.md', 'docs/other-services.md']
const files = new Map(pages.flatMap((page) => [...filesOf(page)]))
const address = 'https://api.example.com'
const kinds = ['ES256', 'RS256', 'EdDSA']
const madeUp = 20
const goCode = '/usr/share/gocode/src/github.com'
const packages = createPackages((line) => console.log(line))
const place = mkdtempSync(join(tmpdir(), 'wxlogin-verifiers-'))
const problems = []
const missing = []
const judged = []

/** How each language is run: the program, its arguments, and where. */
const ways = {
  async node({ recipe }, url, kind) {
    const home = await nodeHome(url, kind)
    const file = join(home, recipe.replace('verifiers/', '').replace(/ts$/, 'mjs'))
    return [process.execPath, [join(root, '.ci/verifying/run.mjs'), file], home]
  },

  async python({ recipe }, url, kind) {
    const home = homeOf('python', url, kind, (path) => path.endsWith('.py'))
    cpSync(join(root, '.ci/verifying/run.py'), join(home, 'run.py'))
    const module = recipe.replace(/^\w+\//, '').replace('.py', '')
    return ['/usr/bin/python3', ['run.py', module], home]
  },

  async php({ recipe, sources }, url, kind) {
    const home = homeOf('php', url, kind, (path) => path.endsWith('.php'))
    const runner = join(root, '.ci/verifying/run.php')
    const theirs = sources ? [join(process.env.WXLOGIN_SOURCES, sources)] : []
    return ['php', [runner, join(home, recipe.replace('verifiers/', '')), ...theirs], home]
  },

  async ruby({ recipe }, url, kind) {
    const home = homeOf('ruby', url, kind, (path) => path.endsWith('.rb'))
    return ['ruby', [join(root, '.ci/verifying/run.rb'), recipe.replace('verifiers/', '')], home]
  },

  async go({ name, recipe, sources }, url, kind) {
    const label = `go-${recipe.split('/')[1]}`
    // Debian's go-oidc has no module, so it is built as in the days before them.
    const isOld = name === 'go-oidc'
    const home = join(place, `${label}-${kind}`)
    const backend = isOld ? join(home, 'src/example.com/backend') : home
    const program = join(home, 'recipe')
    if (!existsSync(program)) {
      const inner = join(backend, 'wxlogin')
      mkdirSync(inner, { recursive: true })
      const code = (path) =>
        withAddress(files.get(path), url, kind).replace('go-oidc/v3/oidc', 'go-oidc')
      writeFileSync(join(inner, 'user.go'), code(recipe))
      if (!isOld) writeFileSync(join(inner, 'keys.go'), code('verifiers/keys.go'))
      cpSync(join(root, '.ci/verifying/run.go'), join(backend, 'main.go'))
      const major = sources ? 'v5' : 'v4'
      const theirs = sources
        ? join(process.env.WXLOGIN_SOURCES, sources)
        : `${goCode}/golang-jwt/jwt`
      const path = `github.com/golang-jwt/jwt/${major}`
      const lines = [
        `module example.com/backend`,
        `go 1.19`,
        `require ${path} ${major}.0.0`,
        `replace ${path} => ${theirs}`,
      ]
      if (!isOld) writeFileSync(join(backend, 'go.mod'), `${lines.join('\n')}\n`)
      const modules = isOld
        ? { GO111MODULE: 'off', GOPATH: `${home}:/usr/share/gocode` }
        : { GOPROXY: 'off', GOFLAGS: '-mod=mod' }
      const { status, output } = await run('go', ['build', '-o', program, '.'], {
        cwd: backend,
        env: { ...process.env, ...modules },
      })
      if (status !== 0) throw new Error(`it does not compile\n${output}`)
    }
    return [program, [], home]
  },
}

/** The columns of the table, by the tokens that they are for. */
const columns = {
  good: ['good'],
  'issuer 20 s ahead': ['clock 20 s ahead'],
  'over for 15 s': ['over for 15 s'],
  expired: ['expired', 'over for 60 s'],
  foreign: ['foreign key', 'unknown kid'],
  none: ['alg none', 'alg NONE'],
  'HS256, public key': ['HS256, PEM', 'HS256, JWK'],
  aud: ['other AppID'],
  iss: ['other issuer'],
  'other tokens': ['refresh token', 'by the secret', 'typ JWT'],
  forged: ['changed', 'no signature', 'zeros signed', 'garbage'],
  rotated: ['rotated'],
  'made-up kids': ['fetches'],
  keys: ['keys'],
}

try {
  const tls = await makeCertificate()
  const issuers = {}
  for (const kind of kinds) issuers[kind] = await createIssuer({ kind, tls })
  try {
    for (const verifier of verifiers) {
      if (wanted.length === 0 || wanted.includes(verifier.name)) await judge(verifier, issuers)
    }
    await afterRotation(issuers.ES256)
    if (wanted.length === 0) await oauthClients(issuers.ES256)
  } finally {
    for (const { recipe } of judged) recipe.stop()
    for (const issuer of Object.values(issuers)) await issuer.close()
  }
} finally {
  rmSync(place, { recursive: true, force: true })
}
report()

/** Every token to one recipe, and what it says of each. */
async function judge(verifier, issuers) {
  const { name } = verifier
  if (!(await isThere(verifier))) return void missing.push(name)
  const cells = {}
  const issuer = issuers.ES256
  let recipe
  try {
    recipe = await startRecipe(verifier, issuer.url, 'ES256')
    const { good, bad } = await issuer.tokens()
    for (const [title, token] of Object.entries({ ...good, ...bad })) {
      const { userId: found, reason, isWrongRefusal } = await recipe.ask(token)
      const accepted = found !== undefined
      const holds = title in good ? found === userId : !accepted && !isWrongRefusal
      cells[title] = holds ? (accepted ? 'accepted' : 'refused') : 'FAILED'
      if (!holds) problems.push(`${name}: ${title}: ${accepted ? `accepted as ${found}` : reason}`)
    }
    const before = issuer.fetches()
    for (let n = 0; n < madeUp; n++) {
      const { userId: found } = await recipe.ask(await issuer.madeUp())
      if (found !== undefined) problems.push(`${name}: accepted a made-up kid`)
    }
    const fetched = issuer.fetches() - before
    cells.fetches = fetched < madeUp ? 'limited' : 'each time'
    const able = ['ES256']
    for (const kind of ['RS256', 'EdDSA']) {
      const other = await startRecipe(verifier, issuers[kind].url, kind)
      const { userId: found } = await other.ask(await issuers[kind].tokenOf()).catch(() => ({}))
      if (found === userId) able.push(kind)
      other.stop()
    }
    cells.keys = able.join(', ')
    judged.push({ name, cells, recipe, verifier })
  } catch (error) {
    recipe?.stop()
    problems.push(`${name}: ${error.message}\n${recipe?.output() ?? ''}`)
  }
}

/** The second deploy of a rotation: what the new key signs is good within a minute, and what the old one has signed stays so. */
async function afterRotation(issuer) {
  const [old, renewed] = [await issuer.beforeRotation(), await issuer.afterRotation()]
  issuer.rotate()
  const deadline = Date.now() + 75_000
  await Promise.all(
    judged.map(async ({ name, cells, recipe, verifier }) => {
      if (verifier.isPatient) {
        const other = await startRecipe(verifier, issuer.url, 'ES256')
        const both = [await other.ask(renewed), await recipe.ask(old)]
        other.stop()
        const holds = both.every(({ userId: found }) => found === userId)
        cells.rotated = holds ? 'in 5 min' : 'FAILED'
        if (!holds) problems.push(`${name}: after a rotation: ${JSON.stringify(both)}`)
        return
      }
      let verdict
      do {
        verdict = await recipe.ask(renewed)
      } while (verdict.userId !== userId && Date.now() < deadline && (await delay(2000, true)))
      const still = await recipe.ask(old)
      const holds = verdict.userId === userId && still.userId === userId
      cells.rotated = holds ? 'accepted' : 'FAILED'
      if (!holds) problems.push(`${name}: after a rotation: ${verdict.reason ?? still.reason}`)
    }),
  )
}

/** The adapter for clients of OAuth refreshes at our route, twice with one key, and is a thief with another. */
async function oauthClients(issuer) {
  const home = await nodeHome(issuer.url, 'ES256')
  process.env.NODE_EXTRA_CA_CERTS ??= join(place, 'cert.pem')
  for (const name of ['oauth-client', 'openid-client']) {
    const answer = await runNode(
      [
        join(root, '.ci/verifying/refresh.mjs'),
        pathToFileURL(join(home, `${name}.mjs`)).href,
        issuer.url,
      ],
      { env: { ...process.env, NODE_EXTRA_CA_CERTS: join(place, 'cert.pem') } },
    )
    const [line = ''] = answer.output.match(/^ok .*$/m) ?? []
    console.log(`${answer.status === 0 ? 'ok    ' : 'FAILED'} ${name}: ${line.slice(3)}`)
    if (answer.status !== 0) problems.push(`${name}: ${answer.output}`)
  }
}

function report() {
  if (judged.length > 0) {
    const cellOf = (cells, titles) => {
      const found = new Set(titles.map((title) => `${cells[title] ?? '–'}`))
      return found.has('FAILED') ? 'FAILED' : [...found].join(' / ')
    }
    printTable(
      'recipes of the documentation',
      ['', ...Object.keys(columns)],
      judged.map(({ name, cells }) => [
        name,
        ...Object.values(columns).map((titles) => cellOf(cells, titles)),
      ]),
    )
    const listed = Object.values(columns).flat()
    const forgotten = Object.keys(judged[0].cells).filter((title) => !listed.includes(title))
    if (forgotten.length > 0) problems.push(`no column for ${forgotten.join(', ')}`)
  }
  holdTheDocs()
  for (const problem of problems) console.error(`\nFAILED ${problem}`)
  const bySources = missing.filter((name) => verifiers.find((one) => one.name === name).sources)
  const lacking = missing.filter((name) => !bySources.includes(name))
  if (bySources.length > 0)
    console.log(`\nnot run without WXLOGIN_SOURCES: ${bySources.join(', ')}`)
  if (lacking.length > 0)
    console.error(`\nNOT RUN, because this machine does not have them: ${lacking.join(', ')}`)
  if (problems.length > 0 || (lacking.length > 0 && process.env.CI === 'true')) process.exitCode = 1
}

/** The table of the documentation says what has come out. */
function holdTheDocs() {
  const words = { limited: ['limited', '有限'], 'each time': ['each time', '每次'] }
  for (const [index, page] of ['other-services.md', 'other-services.zh-CN.md'].entries()) {
    const lines = readFileSync(join(root, 'docs', page), 'utf8').split('\n')
    for (const { name, cells } of judged) {
      const said = lines.find((one) => one.startsWith(`| ${name} |`)) ?? ''
      const is = `| ${name} | ${cells.keys} | ${words[cells.fetches][index]} |`
      if (!said.startsWith(is)) problems.push(`docs/${page} says "${said}", and it is "${is}"`)
    }
  }
}

async function isThere({ how, modules, debian, sources }) {
  if (sources) return existsSync(join(process.env.WXLOGIN_SOURCES ?? '/nowhere', sources))
  if (how === 'node') return true
  const wants = {
    python: [['/usr/bin/python3', '-c', `import ${modules}`], [debian]],
    go: [
      [
        'test',
        '-d',
        debian?.includes('oidc') ? `${goCode}/coreos/go-oidc` : `${goCode}/golang-jwt/jwt`,
      ],
      ['golang-go', debian],
    ],
    php: [['php', '-r', 'exit(extension_loaded("openssl") ? 0 : 1);'], ['php-cli']],
    ruby: [['ruby', '-r', 'jwt', '-e', ''], ['ruby-jwt']],
  }
  const [[program, ...args], names] = wants[how]
  const has = async () => {
    const checks =
      how === 'go' ? [run('go', ['version']), run(program, args)] : [run(program, args)]
    const outcomes = await Promise.all(checks.map((check) => check.catch(() => ({ status: 1 }))))
    return outcomes.every(({ status }) => status === 0)
  }
  if (await has()) return true
  for (const name of names) await packages.install(name)
  return has()
}

/** One process, which is asked of one token after the other. */
async function startRecipe(verifier, url, kind) {
  const [program, args, cwd] = await ways[verifier.how](verifier, url, kind)
  const certificate = join(place, 'cert.pem')
  const env = {
    PATH: process.env.PATH,
    HOME: process.env.HOME,
    TMPDIR: mkdtempSync(join(place, 'tmp-')),
    NODE_EXTRA_CA_CERTS: certificate,
    SSL_CERT_FILE: certificate,
  }
  const child = spawn(program, args, { cwd, env, stdio: ['pipe', 'pipe', 'pipe'] })
  const said = []
  const asked = new Map()
  child.stdin.on('error', () => {})
  child.stderr.on('data', (part) => said.push(part))
  createInterface({ input: child.stdout }).on('line', (line) => {
    const { id, ...verdict } = JSON.parse(line)
    asked.get(id)?.(verdict)
    asked.delete(id)
  })
  child.on('close', () => {
    for (const answer of asked.values()) answer({ reason: 'it has ended', isWrongRefusal: true })
  })
  let nextId = 0
  return {
    output: () => Buffer.concat(said).toString(),
    stop: () => child.kill('SIGKILL'),
    ask(token) {
      if (child.exitCode !== null) return Promise.reject(new Error('It has ended'))
      const id = nextId++
      const late = delay(30_000, { reason: 'no answer', isWrongRefusal: true }, { ref: false })
      const answer = new Promise((resolve) => asked.set(id, resolve))
      child.stdin.write(`${JSON.stringify({ id, token })}\n`)
      return Promise.race([answer, late])
    },
  }
}

/** The code of the documentation with our address in it, in a folder. */
function homeOf(label, url, kind, isWanted) {
  const home = join(place, `${label}-${kind}`)
  for (const [path, code] of files) {
    if (!isWanted(path)) continue
    const file = join(home, path.replace(/^(verifiers|django)\//, ''))
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, withAddress(code, url, kind))
  }
  return home
}

function withAddress(code, url, kind) {
  return code.replaceAll(address, url).replaceAll('ES256', kind)
}

async function nodeHome(url, kind) {
  const home = join(place, `node-${kind}`)
  if (existsSync(home)) return home
  const tools = await tool('verifiers', npmPackages, { about: 'about 50 MB' })
  homeOf('node', url, kind, (path) => /^verifiers\/[\w-]+\.ts$/.test(path))
  symlinkSync(join(tools, 'node_modules'), join(home, 'node_modules'), 'junction')
  writeFileSync(join(home, 'package.json'), '{ "type": "module" }\n')
  const names = [...files.keys()].filter((path) => /^verifiers\/[\w-]+\.ts$/.test(path))
  const entries = names.map((path) => join(home, path.replace('verifiers/', '')))
  if (kind === 'ES256') {
    const options = [
      '--strict',
      '--noEmit',
      '--skipLibCheck',
      '--module',
      'nodenext',
      '--target',
      'es2022',
      '--types',
      'node',
    ]
    const { status, output } = await runNode(
      [bin('typescript', { command: 'tsc' }), ...options, ...entries],
      { cwd: home },
    )
    if (status !== 0) problems.push(`the recipes for Node do not compile\n${output}`)
  }
  await build({
    entryPoints: entries,
    outdir: home,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
  })
  return home
}

/** For localhost, and trusted by the recipes alone: some libraries take keys only from https. */
async function makeCertificate() {
  const [key, cert] = [join(place, 'key.pem'), join(place, 'cert.pem')]
  const how = [
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:prime256v1',
    '-nodes',
    '-days',
    '2',
  ]
  const whose = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost']
  const { status, output } = await run('openssl', [
    'req',
    ...how,
    ...whose,
    '-keyout',
    key,
    '-out',
    cert,
  ])
  if (status !== 0) throw new Error(`openssl made no certificate\n${output}`)
  return { key: readFileSync(key), cert: readFileSync(cert) }
}
