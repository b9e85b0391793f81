// What the demo is put together from: the packages as they are published, built when their sources changed, and the
// example backend, which esbuild turns into JavaScript for Nodes that cannot run TypeScript.
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const here = (path) => fileURLToPath(new URL(path, import.meta.url))

const { status } = spawnSync(
  process.execPath,
  [here('../../.ci/build.mjs'), '--fresh', '--no-types'],
  { stdio: 'inherit' },
)
if (status !== 0) process.exit(1)

await build({
  entryPoints: [here('../express/app.ts')],
  outfile: here('../express/dist/app.js'),
  bundle: true,
  packages: 'external',
  platform: 'node',
  format: 'esm',
  // Not the `paths` of the example's tsconfig: the demo runs the built packages.
  tsconfigRaw: {},
})

export const { createBackend } = await import('../express/dist/app.js')
export const { createMemoryStore } = await import('../../packages/server/dist/index.js')
export const { createFakeWeChat } = await import('../../packages/server/dist/testing.js')
export const { createFakeWx } = await import('../../packages/client/dist/testing.mjs')

/** The very file that the 构建 npm of DevTools copies into a mini program. */
export const npm = {
  '@wxlogin/client/full': readFileSync(
    here('../../packages/client/miniprogram_dist/full.js'),
    'utf8',
  ),
}
