import { copyFileSync } from 'node:fs'
import { defineConfig } from 'tsup'

export default defineConfig([
  {
    entry: { main: 'src/main.ts', 'secretlint-rule': 'src/scan/secretlint-rule.ts' },
    format: 'esm',
    target: 'node20',
    platform: 'node',
    removeNodeProtocol: false,
    // Each command is a chunk of its own, loaded when it is called.
    splitting: true,
    clean: false,
    dts: { entry: { 'secretlint-rule': 'src/scan/secretlint-rule.ts' } },
  },
  // The page of `wxlogin dev`: three files that need nothing else.
  {
    entry: { page: 'src/dev/page/page.ts' },
    outDir: 'dist/page',
    tsconfig: 'src/dev/page/tsconfig.json',
    format: 'iife',
    target: 'es2022',
    platform: 'browser',
    minify: true,
    clean: false,
    outExtension: () => ({ js: '.js' }),
    onSuccess: async () => {
      for (const name of ['index.html', 'page.css']) {
        copyFileSync(`src/dev/page/${name}`, `dist/page/${name}`)
      }
    },
  },
])
