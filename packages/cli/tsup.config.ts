import { defineConfig } from 'tsup'

export default defineConfig({
  entry: { main: 'src/main.ts', 'secretlint-rule': 'src/scan/secretlint-rule.ts' },
  format: 'esm',
  target: 'node20',
  platform: 'node',
  removeNodeProtocol: false,
  // Each command is a chunk of its own, loaded when it is called.
  splitting: true,
  clean: false,
  dts: { entry: { 'secretlint-rule': 'src/scan/secretlint-rule.ts' } },
})
