import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { sources } from '../../../../.ci/entries.mjs'
import type { FakeWeChat } from '../../src/testing/index.js'
import type { FetchLike } from '../../src/wechat/index.js'
import { testSecret } from '../set-up.js'

// Runs the very code that docs/platforms.md shows.
const root = fileURLToPath(new URL('../../../..', import.meta.url))
const page = readFileSync(`${root}docs/platforms.md`, 'utf8')
const require = createRequire(import.meta.url)

/** The code of a block by a text in it. */
export function blockWith(text: string): string {
  for (const [, code = ''] of page.matchAll(/^```ts\n([\s\S]*?)^```$/gm)) {
    if (code.includes(text)) return code
  }
  throw new Error(`docs/platforms.md has no block with ${text}`)
}

/** One CommonJS file with everything in it. */
export async function bundle(code: string, external: readonly string[] = []): Promise<string> {
  const { outputFiles } = await build({
    stdin: { contents: code, loader: 'ts', resolveDir: `${root}packages/server` },
    bundle: true,
    write: false,
    format: 'cjs',
    platform: 'node',
    supported: { 'dynamic-import': false },
    external: [...external],
    logLevel: 'silent',
    plugins: [
      {
        name: 'sources',
        setup({ onResolve, onLoad }) {
          onResolve({ filter: /^@wxlogin\// }, ({ path }) => ({ path: root + sources().get(path) }))
          // What the reader has written.
          onResolve({ filter: /^\.\/my-store$/ }, ({ path }) => ({ path, namespace: 'reader' }))
          onLoad({ filter: /./, namespace: 'reader' }, () => ({
            contents: "export { createMemoryStore as createMyStore } from '@wxlogin/server'",
            resolveDir: root,
          }))
        },
      },
    ],
  })
  return outputFiles[0]?.text ?? ''
}

/** What the blocks read from their environment. */
export const envOf = ({ app }: FakeWeChat) => ({
  WX_APP_ID: app.appId,
  WX_APP_SECRET: app.appSecret,
  WXLOGIN_SECRET: testSecret,
})

/**
 * What a block exports. WeChat's own host is not to be reached from a test: without undici the server takes the global
 * `fetch`, and that is the emulated WeChat's in there.
 */
export async function run<Exports>(
  text: string,
  wechat: FakeWeChat,
  { fetch = wechat.fetch, ...variables }: { fetch?: FetchLike; WECHAT_URL?: string } = {},
): Promise<Exports> {
  const code = await bundle(blockWith(text), ['undici'])
  const env = { ...envOf(wechat), ...variables }
  const requireOthers = (name: string): unknown => {
    if (name === 'undici') throw new Error('undici is not here')
    return require(name)
  }
  const module: { exports: unknown } = { exports: {} }
  const names = ['module', 'exports', 'require', 'process', 'fetch']
  new Function(...names, code)(module, module.exports, requireOthers, { env }, fetch)
  return module.exports as Exports
}
