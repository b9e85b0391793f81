import { readFileSync, writeFileSync } from 'node:fs'
import { defineConfig, type Options } from 'tsup'
import { minify } from 'uglify-js'
import { entries, phoneEntries } from '../../.ci/entries.mjs'

const common: Options = {
  platform: 'neutral',
  target: 'es2015',
  noExternal: ['@wxlogin/shared'],
  dts: { resolve: ['@wxlogin/shared'] },
  splitting: false,
  // `.ci/build.mjs` empties the folders once; configurations that each clean would delete each other's files.
  clean: false,
}

/** What the WeChat builder copies as it is: each entry one file, in the language of the oldest supported phone. */
export const miniprogram: readonly Options[] = phoneEntries.map((name) => ({
  ...common,
  entry: pick(name),
  outDir: 'miniprogram_dist',
  format: 'cjs',
  outExtension: () => ({ js: '.js' }),
  dts: false,
  // Rollup writes CommonJS without esbuild's helpers.
  treeshake: 'smallest',
  plugins: [minifying()],
  esbuildOptions(options) {
    options.charset = 'utf8'
    options.minifySyntax = true
  },
}))

/**
 * UglifyJS reuses short names more than other minifiers do, and what repeats is what gzip makes small: 70 bytes in
 * `index` and 160 in `full`. Its passes that make code shorter and less alike are off.
 */
function minifying(): NonNullable<Options['plugins']>[number] {
  // By itself, as its types do not know `domprops`.
  const properties = { builtins: true, domprops: true, regex: innerNames() }
  return {
    name: 'minifying',
    buildEnd({ writtenFiles }) {
      for (const { name } of writtenFiles) {
        const { code, error } = minify(readFileSync(name, 'utf8'), {
          module: true,
          compress: {
            module: true,
            passes: 5,
            pure_getters: true,
            keep_fargs: false,
            collapse_vars: false,
            comparisons: false,
            if_return: false,
            inline: false,
            sequences: false,
            // It makes the largest entry and the smallest one smaller, and this one larger.
            varify: !name.endsWith('index.js'),
          },
          mangle: { properties },
        })
        if (error) throw error
        writeFileSync(name, code)
      }
    },
  }
}

/**
 * The names by which the client's own parts know each other, written out so that no name of `wx`, of the wire, of what
 * is stored or of an option can be among them.
 */
function innerNames(): RegExp {
  const names = [
    'authUrl',
    'emit',
    'isInDevelopment',
    'isTrusted',
    'last',
    'needed',
    'newKey',
    'opened',
    'pair',
    'read',
    'renewal',
    'settings',
    'store',
    'urlOf',
    'write',
  ]
  return new RegExp(`^(${names.join('|')})$`)
}

function pick(...names: readonly string[]): Record<string, string> {
  return Object.fromEntries(names.map((name) => [name, entries.client[name] ?? '']))
}

export default defineConfig([
  ...miniprogram,
  { ...common, entry: pick(...phoneEntries), format: ['cjs', 'esm'] },
  {
    ...common,
    entry: pick('testing'),
    tsconfig: 'src/testing/tsconfig.json',
    format: ['cjs', 'esm'],
    platform: 'node',
    target: 'node20',
    dts: {
      resolve: ['@wxlogin/shared'],
      compilerOptions: { target: 'ES2022', lib: ['ES2022'], types: ['node'] },
    },
  },
])
