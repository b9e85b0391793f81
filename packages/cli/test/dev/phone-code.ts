import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const source = (path: string) => fileURLToPath(new URL(`../../../${path}`, import.meta.url))

/** `@wxlogin/client/full` in one file, from its source. */
export async function phoneCode(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [source('client/src/full.ts')],
    bundle: true,
    format: 'cjs',
    target: 'es2015',
    alias: { '@wxlogin/shared': source('shared/src/index.ts') },
    write: false,
    logLevel: 'error',
  })
  return outputFiles[0]?.text ?? ''
}
