import { rm } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

/** A program of the tests in one file, for a process of its own. */
export interface ProcessBundle {
  readonly path: string
  remove(): Promise<void>
}

/** Bundles a TypeScript file of the tests; packages stay outside. */
export async function bundleProcess(file: URL): Promise<ProcessBundle> {
  const name = file.pathname.split('/').pop()?.replace(/\.ts$/, '')
  // Within node_modules, so that it is nobody's source and finds what it imports.
  const path = fileURLToPath(
    new URL(`../node_modules/.wxlogin/${name}-${process.pid}.mjs`, import.meta.url),
  )
  await build({
    entryPoints: [fileURLToPath(file)],
    outfile: path,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    packages: 'external',
    alias: {
      '@wxlogin/shared': fileURLToPath(new URL('../../shared/src/index.ts', import.meta.url)),
    },
    logLevel: 'error',
  })
  return { path, remove: () => rm(path, { force: true }) }
}
