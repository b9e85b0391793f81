import { readFileSync } from 'node:fs'
import * as index from '@wxlogin/client'
import * as full from '@wxlogin/client/full'
import * as testing from '@wxlogin/client/testing'
import { createFakeWx } from '@wxlogin/client/testing'
import { expect, test } from 'vitest'
import tsupConfig from '../tsup.config.js'
import { baseUrl } from './set-up.js'

// A public name is a promise to users: this list changes on purpose or not at all.

test('the package exports these names', () => {
  expect(Object.keys(index).sort()).toEqual(['ClientError', 'createClient'])
  expect(Object.keys(full).sort()).toEqual(['ClientError', 'createClient'])
  expect(Object.keys(testing).sort()).toEqual(['createFakeWx', 'createTimerPromise'])
})

test('the full client has what the small one has, and more', () => {
  const wx = createFakeWx()
  const small = Object.keys(index.createClient({ baseUrl, wx }))
  const everything = Object.keys(full.createClient({ baseUrl, wx }))

  expect(small.sort()).toEqual([
    'launch',
    'login',
    'logout',
    'onChange',
    'ready',
    'request',
    'session',
  ])
  expect(everything.filter((name) => !small.includes(name)).sort()).toEqual([
    'bindPhone',
    'callContainer',
    'connectSocket',
    'downloadFile',
    'prefetched',
    'uploadFile',
  ])
})

test('every entry that is built is exported, for import, require and old TypeScript, and nothing else', async () => {
  const { exports, typesVersions, main, module, types } = JSON.parse(
    readFileSync(new URL('../package.json', import.meta.url), 'utf8'),
  )
  const configs = [typeof tsupConfig === 'function' ? await tsupConfig({}) : tsupConfig].flat()
  const built = new Set(configs.flatMap(({ entry = {} }) => Object.keys(entry)))

  const subpaths = [...built].map((name) => (name === 'index' ? '.' : `./${name}`))
  expect(Object.keys(exports).sort()).toEqual([...subpaths, './package.json'].sort())
  for (const name of built) {
    expect(exports[name === 'index' ? '.' : `./${name}`]).toEqual({
      import: { types: `./dist/${name}.d.mts`, default: `./dist/${name}.mjs` },
      require: { types: `./dist/${name}.d.ts`, default: `./dist/${name}.js` },
    })
  }
  expect(Object.keys(typesVersions['*']).sort()).toEqual(
    [...built].filter((name) => name !== 'index').sort(),
  )
  expect([main, module, types]).toEqual([
    './dist/index.js',
    './dist/index.mjs',
    './dist/index.d.ts',
  ])
})
