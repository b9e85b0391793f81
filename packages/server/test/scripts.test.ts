import { execFile } from 'node:child_process'
import { rm } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { scripts } from './script-process.js'

const path = (name: string) => fileURLToPath(new URL(name, import.meta.url))

// Within node_modules, so that it is nobody's source and finds what it imports.
const bundle = path(`../node_modules/.wxlogin/script-process-${process.pid}.mjs`)

beforeAll(async () => {
  await build({
    entryPoints: [path('script-process.ts')],
    outfile: bundle,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    packages: 'external',
    alias: { '@wxlogin/shared': path('../../shared/src/index.ts') },
    logLevel: 'error',
  })
})

afterAll(() => rm(bundle, { force: true }))

/** Node ends with 13 where nothing is left to do and something is still awaited. */
describe.concurrent('a script that awaits it ends with 0', () => {
  test.each(Object.keys(scripts))(
    '%s',
    async (name) => {
      const ended = await new Promise((resolve) => {
        execFile(process.execPath, [bundle, name], { timeout: 30_000 }, (error, stdout, stderr) =>
          resolve({ code: error?.code ?? 0, stdout, stderr }),
        )
      })

      expect(ended).toEqual({ code: 0, stdout: 'done\n', stderr: '' })
    },
    30_000,
  )
})
