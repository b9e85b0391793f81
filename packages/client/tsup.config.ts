import { defineConfig, type Options } from 'tsup'

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
export const miniprogram: readonly Options[] = [
  phoneFile('index', { hoist_funs: true }),
  phoneFile('full', {}),
]

/** `smaller` is what makes this file smaller, and another one larger. */
function phoneFile(name: string, smaller: object): Options {
  return {
    ...common,
    entry: { [name]: `src/${name}.ts` },
    outDir: 'miniprogram_dist',
    format: 'cjs',
    outExtension: () => ({ js: '.js' }),
    dts: false,
    // Rollup writes CommonJS without esbuild's helpers, and terser minifies better: hundreds of bytes in all.
    treeshake: 'smallest',
    minify: 'terser',
    terserOptions: {
      module: true,
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

export default defineConfig([
  ...miniprogram,
  { ...common, entry: { index: 'src/index.ts', full: 'src/full.ts' }, format: ['cjs', 'esm'] },
  {
    ...common,
    entry: { testing: 'src/testing/index.ts' },
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
