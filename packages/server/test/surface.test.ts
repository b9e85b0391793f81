import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import {
  adapters,
  entries,
  entriesWithPeers,
  entryFolders,
  specifierOf,
} from '../../../.ci/entries.mjs'

// A public name is a promise to users: this list changes on purpose or not at all.
const adapterNames = ['authRoutes', 'maybeSessionOf', 'requireAuth', 'sessionOf']
const names: Readonly<Record<string, readonly string[]>> = {
  index: [
    ...['AuthError', 'checkHookAnswer', 'createAuth', 'createMemoryStore', 'lazyAuth'],
    'weaknessOf',
  ],
  redis: ['createRedisStore'],
  sql: ['createSqlStore'],
  wechat: [
    'AuthError',
    'createWeChat',
    'decryptOpenData',
    'signPayment',
    'signSession',
    'verifyRawData',
  ],
  errcodes: ['knownErrcodes'],
  web: ['createWebLogin'],
  telemetry: ['createTelemetry'],
  testing: ['adapterCases', 'createFakeWeChat', 'signIn', 'storeCases'],
  ...Object.fromEntries(adapters.map((name) => [name, adapterNames])),
  nest: [
    ...['AUTH', 'AuthFilter', 'AuthGuard', 'Authenticated', 'CurrentSession', 'WxLoginModule'],
    ...adapterNames,
  ],
}

test.each(Object.entries(entries.server))(
  'the entry %s exports these names',
  async (entry, file) => {
    const exported = entriesWithPeers.includes(entry)
      ? namesIn(readFileSync(new URL(`../${file}`, import.meta.url), 'utf8'))
      : Object.keys(await import(specifierOf('server', entry)))

    expect(exported.sort()).toEqual(names[entry])
  },
)

/** What a file exports, but for types, without loading it. */
function namesIn(text: string): string[] {
  return [...text.matchAll(/^export (?:async )?(?:function|class|const) (\w+)/gm)].map(
    ([, name = '']) => name,
  )
}

test('package.json has every entry, for import, require and old TypeScript, and nothing else', () => {
  const { exports, typesVersions } = JSON.parse(
    readFileSync(new URL('../package.json', import.meta.url), 'utf8'),
  )
  const built = Object.keys(entries.server)

  expect(exports).toEqual({
    ...Object.fromEntries(
      built.map((name) => [
        name === 'index' ? '.' : `./${name}`,
        {
          import: { types: `./dist/${name}.d.ts`, default: `./dist/${name}.js` },
          require: { types: `./dist/${name}.d.cts`, default: `./dist/${name}.cjs` },
        },
      ]),
    ),
    './package.json': './package.json',
  })
  const besides = built.filter((name) => name !== 'index')
  expect(typesVersions).toEqual({
    '*': Object.fromEntries(besides.map((name) => [name, [`./dist/${name}.d.cts`]])),
  })
})

test.each(Object.entries(entryFolders))('no file of %s is without an entry', (folder, parts) => {
  const files = readdirSync(new URL(`../../../${folder}`, import.meta.url))
  const ofEntries = Object.values(entries.server)
    .map((file) => `packages/server/${file}`)
    .filter((file) => file.startsWith(`${folder}/`))
    .map((file) => file.slice(folder.length + 1))

  expect(files.sort()).toEqual([...ofEntries, ...parts].sort())
})
