import { defineConfig, type Options } from 'tsup'
import { entries } from '../../.ci/entries.mjs'

/** Left for package.json to resolve where the package is used: Workers get another file. */
const undiciByCondition: NonNullable<Options['esbuildPlugins']>[number] = {
  name: 'undici-by-condition',
  setup({ onResolve }) {
    onResolve({ filter: /^\.\/undici\.js$/ }, () => ({ path: '#undici', external: true }))
  },
}

const shared: Options = {
  entry: { ...entries.server },
  target: 'node20',
  platform: 'node',
  removeNodeProtocol: false,
  // `.ci/build.mjs` empties the folder; three configurations that each clean would delete each other's files.
  clean: false,
}

const runnable: Options = {
  ...shared,
  // Two more that nobody imports by name.
  entry: {
    ...entries.server,
    undici: 'src/wechat/undici.ts',
    'no-undici': 'src/wechat/no-undici.ts',
  },
  esbuildPlugins: [undiciByCondition],
}

const javascript: Options[] = [
  {
    ...runnable,
    format: 'esm',
    noExternal: ['@wxlogin/shared'],
    external: ['jose', 'undici'],
    splitting: true,
  },
  {
    ...runnable,
    format: 'cjs',
    // jose is published as ES modules only, which `require` cannot load on every Node that we support.
    noExternal: ['@wxlogin/shared', 'jose'],
    external: ['undici'],
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
