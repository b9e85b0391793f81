import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { build, type Plugin } from 'esbuild'

const root = fileURLToPath(new URL('../../../', import.meta.url))

/** What the code of a document finds where it runs. */
export interface Surroundings {
  readonly globals: Readonly<Record<string, unknown>>
  /** What its imports of these names give. */
  readonly modules: Readonly<Record<string, unknown>>
  /** Where `node_modules` is. */
  readonly packages?: string
}

/** The first block of a document that has this text. */
export function blockOf(document: string, text: string): string {
  const content = readFileSync(`${root}${document}`, 'utf8')
  const blocks = [...content.matchAll(/^```tsx?\n([\s\S]*?)^```$/gm)].map(([, code = '']) => code)
  const block = blocks.find((code) => code.includes(text))
  if (!block) throw new Error(`${document} has no block with ${text}`)
  return block
}

/**
 * Runs the blocks of a document that have these texts, by the name under which the others import them, as a bundler for
 * mini programs would; returns what each exports.
 */
export async function run<Exports>(
  document: string,
  texts: Readonly<Record<string, string>>,
  { globals, modules, packages }: Surroundings,
): Promise<Exports> {
  const documented: Plugin = {
    name: 'documented',
    setup({ onResolve, onLoad, resolve }) {
      onResolve({ filter: /.*/ }, ({ path }) => {
        const name = path.replace(/^(\.{1,2}\/)+/, '')
        if (name in modules) return { path: name, namespace: 'given' }
        const isBlock = path.startsWith('.') && name in texts
        return isBlock ? { path: name, namespace: 'block' } : undefined
      })
      // Vite, with which uni-app bundles, finds these without their ending.
      onResolve({ filter: /^axios\/unsafe\/.*\w{3}$/ }, ({ path, kind, resolveDir }) =>
        path.endsWith('.js') ? undefined : resolve(`${path}.js`, { kind, resolveDir }),
      )
      onLoad({ filter: /.*/, namespace: 'given' }, ({ path }) => ({
        contents: `module.exports = given[${JSON.stringify(path)}]`,
      }))
      onLoad({ filter: /.*/, namespace: 'block' }, ({ path }) => ({
        contents: blockOf(document, texts[path] ?? ''),
        loader: 'ts',
        resolveDir: packages ?? root,
      }))
    },
  }
  const {
    outputFiles: [file],
  } = await build({
    stdin: {
      contents: Object.keys(texts)
        .map((name) => `export * from './${name}'`)
        .join('\n'),
    },
    bundle: true,
    write: false,
    format: 'cjs',
    platform: 'browser',
    logLevel: 'silent',
    ...(packages && { nodePaths: [`${packages}/node_modules`] }),
    plugins: [documented],
  })
  const names = Object.keys(globals)
  const module = { exports: {} }
  new Function('module', 'given', ...names, file?.text ?? '')(
    module,
    modules,
    ...names.map((name) => globals[name]),
  )
  return module.exports as Exports
}
