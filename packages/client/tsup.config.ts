import { defineConfig, type Options } from 'tsup'
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
export const miniprogram: readonly Options[] = phoneEntries.map((name) =>
  phoneFile(name, name === 'full' ? { hoist_funs: true } : {}),
)

/** `smaller` is what makes this file smaller, and another one larger. */
function phoneFile(name: string, smaller: object): Options {
  return {
    ...common,
    entry: pick(name),
    outDir: 'miniprogram_dist',
    format: 'cjs',
    outExtension: () => ({ js: '.js' }),
    dts: false,
    // Rollup writes CommonJS without esbuild's helpers, and terser minifies better: hundreds of bytes in all.
    treeshake: 'smallest',
    minify: 'terser',
    terserOptions: {
      module: true,
      mangle: { properties: { regex: innerNames() } },
      compress: {
        ecma: 2015,
        passes: 4,
        unsafe: true,
        unsafe_arrows: true,
        unsafe_math: true,
        pure_getters: true,
        keep_fargs: false,
        lhs_constants: false,
        ...smaller,
      },
    },
    esbuildOptions(options) {
      options.charset = 'utf8'
      options.minifySyntax = true
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
