import { execFile } from 'node:child_process'
import { rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { build } from 'esbuild'
import { expect, onTestFinished, test } from 'vitest'

// As in a container: its output is a pipe, and pnpm has installed the packages, which are links.
test('who looks at a pipe still finds the packages of packages', async () => {
  const program = fileURLToPath(
    new URL(`../node_modules/.wxlogin/appending-${process.pid}.mjs`, import.meta.url),
  )
  onTestFinished(() => rmSync(program, { force: true }))
  await build({
    stdin: {
      contents: `import { isAppending } from '../src/is-appending.js'
const appending = isAppending()
const { Redis } = await import('ioredis')
console.log(appending, typeof Redis)`,
      resolveDir: fileURLToPath(new URL('.', import.meta.url)),
    },
    outfile: program,
    bundle: true,
    platform: 'node',
    format: 'esm',
    packages: 'external',
    logLevel: 'error',
  })

  const { stdout } = await promisify(execFile)(process.execPath, [program], {
    // Where the links lead to, which a run by pnpm names.
    env: { ...process.env, NODE_PATH: '' },
  })

  expect(stdout).toBe('false function\n')
})
