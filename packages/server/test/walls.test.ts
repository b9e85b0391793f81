import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { describe, expect, test } from 'vitest'
import { entries } from '../../../.ci/entries.mjs'

const packages = fileURLToPath(new URL('../..', import.meta.url))

/**
 * The map of the house: each room (a folder of `src`, or a file in its root) and what it imports, types included. A room
 * imports only rooms above it in its table, so nothing goes in circles; `node:` is any module of Node.
 */
const server = `
  errors         @wxlogin/shared
  option-checks
  redact         node:
  bounded-map
  deadline
  on-first-use
  json-text
  read-at-most
  request
  session        option-checks @wxlogin/shared node:
  guard-options  option-checks session
  events         errors session @wxlogin/shared
  emit           errors option-checks redact events
  hooks          errors option-checks deadline request session @wxlogin/shared node:
  stores         option-checks session node:
  crypto         option-checks session node: jose
  tokens         errors option-checks bounded-map session crypto @wxlogin/shared node:
  wechat         errors on-first-use option-checks redact bounded-map deadline read-at-most session events emit hooks @wxlogin/shared node: undici
  web-login      errors option-checks crypto wechat node:
  sessions       errors option-checks redact bounded-map deadline request session guard-options events hooks crypto tokens wechat @wxlogin/shared node:
  user-info      errors on-first-use option-checks json-text session hooks crypto wechat sessions
  login          errors on-first-use option-checks bounded-map json-text request session events hooks crypto tokens wechat sessions @wxlogin/shared node:
  http           errors option-checks deadline json-text read-at-most request session guard-options events crypto sessions login @wxlogin/shared node:
  options        option-checks events emit hooks stores crypto tokens wechat sessions login
  auth           on-first-use request session guard-options events hooks crypto tokens wechat sessions user-info login http options @wxlogin/shared
  lazy-auth      session guard-options sessions http auth
  index          errors request session guard-options events hooks stores crypto wechat sessions user-info login http options auth lazy-auth @wxlogin/shared
  adapters       errors option-checks json-text request session guard-options auth @nestjs/common @nestjs/core fastify hono
  telemetry      option-checks events
  testing        option-checks session guard-options hooks sessions options auth node:`

const client = `
  wx
  errors         wx @wxlogin/shared
  explanations
  explain        explanations
  translator     wx @wxlogin/shared
  backend        translator @wxlogin/shared
  events         errors
  task           errors wx
  session        errors events task wx @wxlogin/shared
  transports     errors events task session wx @wxlogin/shared
  options        errors events task session transports wx
  client         errors events task session transports options wx
  full-client    errors task session transports options client wx @wxlogin/shared
  index          errors events task session transports options client wx @wxlogin/shared
  full           errors events task session transports full-client wx @wxlogin/shared
  testing        wx node: @wxlogin/shared`

/** Each command is a file in the root, and may have a room for its parts. `run` and `commands` load it when it is called. */
const cli = `
  text
  nearest
  version        node:
  errors         text
  command        text
  project        node:
  mask           node:
  is-listening   node:
  addresses      errors
  explain        command errors nearest text node: @wxlogin/client/explain @wxlogin/server @wxlogin/server/errcodes @clack/prompts
  keygen         command errors text node:
  scan           command errors project text node: @secretlint/core @secretlint/types
  doctor         command errors explain project scan text version node: @wxlogin/server @wxlogin/server/errcodes @wxlogin/server/wechat @clack/prompts
  dev            addresses command errors is-listening mask text node: @wxlogin/client/explain @wxlogin/client/full @wxlogin/client/testing @wxlogin/server @wxlogin/server/node @wxlogin/server/testing
  conform        addresses command errors is-listening mask nearest text node: @wxlogin/server/testing
  serve          command errors nearest text node: @wxlogin/server @wxlogin/server/node @wxlogin/server/redis @wxlogin/server/sql @wxlogin/server/telemetry ioredis kysely mysql2 pg
  commands       command conform dev doctor explain keygen scan serve
  arguments      command errors nearest text node:
  help           arguments command commands text
  run            arguments command commands errors help nearest text version
  busy           command
  is-appending   node:
  uncaught       node:
  main           busy is-appending run uncaught node:`

describe.each([
  ['server', server],
  ['client', client],
  ['cli', cli],
  ['shared', '\n  index'],
])('%s: each room imports what the map says, and nothing else', (name, map) => {
  const rooms = new Map(
    map
      .trim()
      .split('\n')
      .map((line) => line.trim().split(/\s+/))
      .map(([room = '', ...imports]) => [room, imports]),
  )
  const src = join(packages, name, 'src')

  test.each([...rooms])('%s', (room, imports) => {
    expect([...importsOf(src, room)].sort()).toEqual([...imports].sort())
  })

  test('the map has every room, and each imports only rooms that stand above it', () => {
    const drawn = [...rooms.keys()]
    // A file and the folder of its name are one room.
    const found = [...new Set(readdirSync(src).map((entry) => entry.replace(/\.ts$/, '')))]
    const upwards = [...rooms].flatMap(([room, imports], place) =>
      imports.filter((name) => drawn.indexOf(name) >= place).map((name) => `${room} → ${name}`),
    )

    expect(drawn.sort()).toEqual(found.filter((entry) => entry !== 'tsconfig.json').sort())
    expect(upwards).toEqual([])
  })
})

test.each(['server', 'client', 'cli'])(
  '%s: no file imports itself in a circle, types included',
  (name) => {
    const src = join(packages, name, 'src')
    const open: string[] = []
    const done = new Set<string>()
    const circles: string[] = []
    const visit = (file: string): void => {
      if (open.includes(file)) circles.push([...open.slice(open.indexOf(file)), file].join(' → '))
      if (open.includes(file) || done.has(file)) return
      open.push(file)
      for (const imported of importsOfFile(file)) if (imported.startsWith(src)) visit(imported)
      open.pop()
      done.add(file)
    }

    filesIn(src).forEach(visit)

    expect(circles.map((circle) => circle.replaceAll(`${src}/`, ''))).toEqual([])
  },
)

describe('any adapter and any store can be deleted without touching another', () => {
  const src = join(packages, 'server/src')

  // What checks options and writes JSON is code as well, and the same for all of them.
  const shared = ['option-checks.ts', 'guard-options.ts', 'json-text.ts']

  test.each(['adapters', 'stores'])(
    '%s take only types, the checks of options and the text of JSON',
    (room) => {
      const loaded = filesIn(join(src, room)).flatMap((file) =>
        importsOfFile(file, withoutTypes(readFileSync(file, 'utf8'))),
      )

      const elsewhere = loaded.filter(
        (file) => file.startsWith(src) && !file.startsWith(join(src, room)),
      )
      const named = elsewhere.map((file) => relative(src, file))
      expect(named.filter((file) => !shared.includes(file))).toEqual([])
    },
  )

  test('only the adapter of a framework names it', () => {
    const named = filesIn(join(src, 'adapters')).flatMap((file) =>
      importsOfFile(file)
        .filter((name) => !name.startsWith(src))
        .map((name) => `${relative(src, file)} ${name}`),
    )

    expect(named.sort()).toEqual([
      'adapters/fastify.ts fastify',
      'adapters/hono.ts hono',
      'adapters/nest.ts @nestjs/common',
      'adapters/nest.ts @nestjs/core',
    ])
  })

  test('nothing imports one that has an entry of its own', () => {
    const imported = new Set(filesIn(src).flatMap((file) => importsOfFile(file)))

    expect(
      Object.values(entries.server)
        .filter((file) => /^src\/(adapters|stores)\//.test(file))
        .filter((file) => imported.has(join(packages, 'server', file))),
    ).toEqual([])
  })
})

const filesIn = (src: string): readonly string[] =>
  readdirSync(src, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => join(src, file))

/** Files by their path, packages by their name. */
function importsOfFile(file: string, text = readFileSync(file, 'utf8')): readonly string[] {
  const imports = text.matchAll(/(?:\bfrom |\bimport\(|^import )'([^']+)'/gm)
  return [...imports].map(([, name = '']) =>
    name.startsWith('.') ? join(dirname(file), name).replace(/\.js$/, '.ts') : name,
  )
}

/** As it is loaded. */
const withoutTypes = (text: string): string =>
  ts.transpile(text, {
    module: ts.ModuleKind.ESNext,
    target: ts.ScriptTarget.ES2022,
    verbatimModuleSyntax: true,
  })

/** The other rooms and the packages that the files of a room import. */
function importsOf(src: string, room: string): ReadonlySet<string> {
  const roomOf = (file: string) => relative(src, file).split('/')[0]?.replace(/\.ts$/, '') ?? ''
  const imported = filesIn(src)
    .filter((file) => roomOf(file) === room)
    .flatMap((file) => importsOfFile(file))
    .map((name) => (name.startsWith(src) ? roomOf(name) : name.replace(/^node:.*/, 'node:')))
  return new Set(imported.filter((name) => name !== room))
}
