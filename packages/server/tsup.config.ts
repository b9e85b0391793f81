import { defineConfig, type Options } from 'tsup'
import { entries } from '../../.ci/entries.mjs'

const shared: Options = {
  entry: { ...entries.server },
  target: 'node20',
  platform: 'node',
  removeNodeProtocol: false,
  // `.ci/build.mjs` empties the folder; three configurations that each clean would delete each other's files.
  clean: false,
}

const javascript: Options[] = [
  {
    ...shared,
    format: 'esm',
    // No entry: what package.json puts in the place of undici.
    entry: { ...entries.server, 'no-undici': 'src/wechat/no-undici.ts' },
    noExternal: ['@wxlogin/shared'],
    external: ['jose', '#undici'],
    splitting: true,
  },
  {
    ...shared,
    format: 'cjs',
    // jose is published as ES modules only, which `require` cannot load on every Node that we support.
    noExternal: ['@wxlogin/shared', 'jose'],
    external: ['#undici'],
    // Jest runs no `import()` in CommonJS.
    esbuildOptions: (options) => {
      options.supported = { ...options.supported, 'dynamic-import': false }
    },
    // With an ES module inlined, shared CommonJS chunks come out broken.
    splitting: false,
  },
]

// Both formats in one run, because the compiler takes far longer than anything else here.
const declarations: Options = {
  ...shared,
  format: ['esm', 'cjs'],
  dts: { only: true, resolve: ['@wxlogin/shared'] },
}

export default defineConfig(({ dts }) =>
  dts === false ? javascript : [...javascript, declarations],
)
