import { execFile } from 'node:child_process'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { bundleProcess, type ProcessBundle } from './bundle-process.js'
import { scripts } from './script-process.js'

let bundle: ProcessBundle

beforeAll(async () => {
  bundle = await bundleProcess(new URL('script-process.ts', import.meta.url))
})

afterAll(() => bundle?.remove())

/** Node ends with 13 where nothing is left to do and something is still awaited. */
describe.concurrent('a script that awaits it ends with 0', () => {
  test.each(Object.keys(scripts))(
    '%s',
    async (name) => {
      const ended = await new Promise((resolve) => {
        execFile(
          process.execPath,
          [bundle.path, name],
          { timeout: 30_000 },
          (error, stdout, stderr) => resolve({ code: error?.code ?? 0, stdout, stderr }),
        )
      })

      expect(ended).toEqual({ code: 0, stdout: 'done\n', stderr: '' })
    },
    30_000,
  )
})
