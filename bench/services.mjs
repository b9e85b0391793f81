// The servers and the stores of the tests, for measurements.
import { rmSync } from 'node:fs'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { build } from 'esbuild'

const folder = fileURLToPath(new URL('../packages/server/test/services/', import.meta.url))
const bundle = `${folder}bench-${process.pid}.mjs`
await build({
  stdin: {
    contents: `export { provideServices } from './global-setup.ts'
      export { createServers } from './servers.ts'
      export { openRedis, openRedisStore, openSqlStore, openStore, storePlaces } from './stores.ts'`,
    resolveDir: folder,
  },
  bundle: true,
  platform: 'node',
  format: 'esm',
  packages: 'external',
  outfile: bundle,
})
export const {
  createServers,
  openRedis,
  openRedisStore,
  openSqlStore,
  openStore,
  provideServices,
  storePlaces,
} = await import(pathToFileURL(bundle).href).finally(() => rmSync(bundle))
