import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import * as expressAdapter from '../src/adapters/express.js'
import * as fetchAdapter from '../src/adapters/fetch.js'
import * as nodeAdapter from '../src/adapters/node.js'
import * as index from '../src/index.js'
import * as redisStore from '../src/stores/redis.js'
import * as sqlStore from '../src/stores/sql.js'
import * as testing from '../src/testing/index.js'
import * as wechat from '../src/wechat/index.js'
import tsupConfig from '../tsup.config.js'

// A public name is a promise to users: this list changes on purpose or not at all.

test('the package exports these names', () => {
  expect(Object.keys(index).sort()).toEqual(['AuthError', 'createAuth', 'createMemoryStore'])
  expect(Object.keys(redisStore)).toEqual(['createRedisStore'])
  expect(Object.keys(sqlStore)).toEqual(['createSqlStore'])
  expect(Object.keys(wechat).sort()).toEqual([
    'AuthError',
    'createWeChat',
    'decryptOpenData',
    'signSession',
    'verifyRawData',
  ])
  expect(Object.keys(testing).sort()).toEqual([
    'adapterCases',
    'createFakeWeChat',
    'signIn',
    'storeCases',
  ])
})

test.each(Object.entries({ expressAdapter, nodeAdapter, fetchAdapter }))(
  'the %s has the same names as the others',
  (_name, adapter) => {
    expect(Object.keys(adapter).sort()).toEqual([
      'authRoutes',
      'maybeSessionOf',
      'requireAuth',
      'sessionOf',
    ])
  },
)

test('every entry that is built is exported, for import, require and old TypeScript, and nothing else', async () => {
  const { exports, typesVersions } = JSON.parse(
    readFileSync(new URL('../package.json', import.meta.url), 'utf8'),
  )
  const configs = [typeof tsupConfig === 'function' ? await tsupConfig({}) : tsupConfig].flat()
  const built = new Set(
    configs.flatMap((config) => ('entry' in config ? Object.keys(config.entry ?? {}) : [])),
  )

  const subpaths = [...built].map((name) => (name === 'index' ? '.' : `./${name}`))
  expect(Object.keys(exports).sort()).toEqual([...subpaths, './package.json'].sort())
  for (const name of built) {
    expect(exports[name === 'index' ? '.' : `./${name}`]).toEqual({
      import: { types: `./dist/${name}.d.ts`, default: `./dist/${name}.js` },
      require: { types: `./dist/${name}.d.cts`, default: `./dist/${name}.cjs` },
    })
  }
  expect(Object.keys(typesVersions['*']).sort()).toEqual(
    [...built].filter((name) => name !== 'index').sort(),
  )
})
