import { execFile } from 'node:child_process'
import { rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { expect, onTestFinished, test } from 'vitest'

test.each([
  ['thrown', 'setTimeout(() => { throw error })'],
  ['rejected', 'Promise.reject(error)'],
])(
  'what nobody catches ends the program, without the command that a driver hangs on it: %s',
  async (_, throws) => {
    const program = fileURLToPath(
      new URL(`../node_modules/.wxlogin/uncaught-${process.pid}.mjs`, import.meta.url),
    )
    onTestFinished(() => rmSync(program, { force: true }))
    await build({
      stdin: {
        contents: `import { endOnUncaught } from '../src/uncaught.js'
endOnUncaught(process)
const cause = Object.assign(new TypeError('the socket'), { url: 'redis://:canary@redis' })
const error = Object.assign(new Error('refused', { cause }), { command: { args: ['canary'] } })
${throws}
setTimeout(() => {}, 60_000)`,
        resolveDir: fileURLToPath(new URL('.', import.meta.url)),
      },
      outfile: program,
      bundle: true,
      platform: 'node',
      format: 'esm',
      logLevel: 'error',
    })

    const { code, stderr } = await new Promise<{ code: unknown; stderr: string }>((ended) => {
      execFile(process.execPath, [program], (error, _out, stderr) =>
        ended({ code: Object(error).code, stderr }),
      )
    })

    expect(code).toBe(1)
    expect(stderr).toContain('Error: refused')
    expect(stderr).toContain('TypeError: the socket')
    expect(stderr).not.toContain('canary')
  },
)
