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

/**
 * The names by which the client's own parts know each other, written out so that no name of `wx`, of the wire, of what
 * is stored or of an option can be among them.
 */
export const innerNames = [
  'authUrl',
  'emit',
  'end',
  'events',
  'isInDevelopment',
  'isTrusted',
  'last',
  'needed',
  'newKey',
  'open',
  'opened',
  'options',
  'pair',
  'read',
  'renewal',
  'settings',
  'store',
  'urlOf',
  'write',
]

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
  const properties = {
    builtins: true,
    domprops: true,
    regex: new RegExp(`^(${innerNames.join('|')})$`),
  }
  return {
    name: 'minifying',
    buildEnd({ writtenFiles }) {
      for (const { name } of writtenFiles) {
        const source = readFileSync(name, 'utf8')
        const { code, error } = minify(isFull(name) ? withShortAssign(source) : source, {
          module: true,
          compress: {
            module: true,
            passes: 5,
            pure_getters: true,
            keep_fargs: false,
            comparisons: false,
            if_return: false,
            inline: false,
            sequences: false,
            // These two make the largest entry smaller, and one the smallest; the others they make larger.
            collapse_vars: isFull(name),
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

function isFull(name: string): boolean {
  return name.endsWith('full.js')
}

/** It calls this so often that a short name makes it smaller; the others do not. */
function withShortAssign(source: string): string {
  return `const assign = Object.assign\n${source.replace(/Object\.assign\(/g, 'assign(')}`
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
