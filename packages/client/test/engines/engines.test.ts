import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { build, type Options } from 'tsup'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { clientEntries } from '../../../../.ci/entries.mjs'
import { miniprogram } from '../../tsup.config.js'
import type { Engine } from './engines.js'

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))
const source = (name: string) => readFileSync(here(name), 'utf8')

const engines = inject('engines')
const folder = mkdtempSync(join(tmpdir(), 'wxlogin-engines-'))
const builds = [miniprogram].flat()
const namesOf = ({ entry = {} }: Options) => Object.keys(entry)
const entries = builds.flatMap(namesOf).filter((name) => clientEntries.includes(name))
const bundle = (entry: string) => readFileSync(join(folder, `${entry}.js`), 'utf8')

beforeAll(async () => {
  for (const options of builds) {
    await build({
      ...options,
      config: false,
      silent: true,
      entry: Object.fromEntries(
        namesOf(options).map((name) => [name, here(`../../src/${name}.ts`)]),
      ),
      tsconfig: here('../../tsconfig.json'),
      outDir: folder,
    })
  }
})

afterAll(() => {
  rmSync(folder, { recursive: true })
})

interface Run {
  readonly code: string
  /** The entry whose promises are played. */
  readonly entry?: string
  /** The engine's own, or those of iOS 15 and older, which react in timers. */
  readonly promises?: 'native' | 'timers'
}

/** Everything the engine said; its last line tells whether all checks held. */
async function run(
  engine: Engine,
  { code, entry = 'index', promises = 'native' }: Run,
): Promise<string> {
  const script = join(folder, `${randomUUID()}.js`)
  const isFull = entry === 'full'
  const parts = [
    source('language.js'),
    source('clock.js'),
    promises === 'timers' ? source('timer-promise.js') : '',
    source('phone.js'),
    isFull ? source('phone-full.js') : '',
    `var library = {}\n;(function (exports) {${code}\n})(library)`,
    source('scenario.js'),
    isFull ? source('scenario-full.js') : '',
    source('play.js'),
  ]
  writeFileSync(script, parts.join('\n'))
  const [program = '', ...args] = [...engine.before, script, ...engine.after]
  try {
    return (await promisify(execFile)(program, args)).stdout
  } catch (error) {
    // An engine that stopped at an error may have said that all is well before.
    const { stdout, stderr } = Object(error)
    return `${stdout}${stderr}\nthe engine ended with an error\n`
  }
}

const allHold = /^(ok .+\n){30,}all \d+ checks hold\n$/

describe.concurrent.each(engines)('on $name', (engine) => {
  test.each(entries)('%s.js keeps its promises', async (entry) => {
    expect(await run(engine, { code: bundle(entry), entry })).toMatch(allHold)
  })

  test.each(entries)('%s.js does where reactions are timers, as on iOS 15', async (entry) => {
    expect(await run(engine, { code: bundle(entry), entry, promises: 'timers' })).toMatch(allHold)
  })

  test.each([
    ['a global that phones do not have', 'globalThis.process'],
    ['a function of ES2019', 'Object.fromEntries([])'],
    ['a function of ES2016', '[1].includes(1)'],
    ['an error that nobody catches', 'setTimeout(function () { throw new Error("lost") }, 0)'],
  ])('%s is noticed', async (_, mistake) => {
    expect(await run(engine, { code: `${bundle('index')};${mistake}` })).not.toMatch(allHold)
  })

  test('a rejection that nobody handles is noticed', async () => {
    const code = `${bundle('index')};Promise.reject(new Error('lost'))`

    // This build of QuickJS does not tell of its own.
    const promises = engine.name === 'QuickJS' ? 'timers' : 'native'

    expect(await run(engine, { code, promises })).not.toMatch(allHold)
  })

  test('a client that forgets the time is noticed', async () => {
    const code = bundle('index').replace(/\bexpires_in\b/g, 'expires_on')

    expect(code).not.toBe(bundle('index'))
    expect(await run(engine, { code })).toMatch(/^FAILED /m)
  })
})

// The newer engines know it, and a bundle with it works on the developer's machine.
describe.concurrent.each(engines.filter(({ name }) => /Node (6|8)\b/.test(name)))(
  'on $name',
  (engine) => {
    test.each(['({})?.b', 'try {} catch {}'])('the newer syntax %s is noticed', async (newer) => {
      expect(await run(engine, { code: `${bundle('index')};${newer}` })).not.toMatch(allHold)
    })

    test('the language of 2015 is not taken for newer', async () => {
      expect(await run(engine, { code: `${bundle('index')};({}).b` })).toMatch(allHold)
    })
  },
)
