import { readFileSync } from 'node:fs'
import * as index from '@wxlogin/client'
import * as backend from '@wxlogin/client/backend'
import * as explain from '@wxlogin/client/explain'
import * as full from '@wxlogin/client/full'
import * as testing from '@wxlogin/client/testing'
import { createFakeWx } from '@wxlogin/client/testing'
import { expect, test } from 'vitest'
import { entries } from '../../../.ci/entries.mjs'
import { baseUrl } from './set-up.js'

// A public name is a promise to users: this list changes on purpose or not at all.

test('the package exports these names', () => {
  expect(Object.keys(index).sort()).toEqual(['ClientError', 'createClient'])
  expect(Object.keys(full).sort()).toEqual(['ClientError', 'createClient'])
  expect(Object.keys(backend)).toEqual(['createTranslator'])
  expect(Object.keys(explain).sort()).toEqual(['explain', 'mistakes'])
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
    'refused',
    'request',
    'session',
    'token',
  ])
  expect(everything.filter((name) => !small.includes(name)).sort()).toEqual([
    'bindPhone',
    'callContainer',
    'connectSocket',
    'downloadFile',
    'pay',
    'prefetched',
    'uploadFile',
    'webViewUrl',
  ])
})

test('package.json has every entry, for import, require and old TypeScript, and nothing else', () => {
  const { exports, typesVersions, main, module, types } = JSON.parse(
    readFileSync(new URL('../package.json', import.meta.url), 'utf8'),
  )
  const built = Object.keys(entries.client)

  expect(exports).toEqual({
    ...Object.fromEntries(
      built.map((name) => [
        name === 'index' ? '.' : `./${name}`,
        {
          import: { types: `./dist/${name}.d.mts`, default: `./dist/${name}.mjs` },
          require: { types: `./dist/${name}.d.ts`, default: `./dist/${name}.js` },
        },
      ]),
    ),
    './package.json': './package.json',
  })
  const besides = built.filter((name) => name !== 'index')
  expect(typesVersions).toEqual({
    '*': Object.fromEntries(besides.map((name) => [name, [`./dist/${name}.d.ts`]])),
  })
  expect([main, module, types]).toEqual([
    './dist/index.js',
    './dist/index.mjs',
    './dist/index.d.ts',
  ])
})
