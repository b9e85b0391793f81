import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'
import { sourceAliases } from './entries.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))

/** What runs with packages that only `npm run layers` brings. */
export default defineConfig({
  root,
  resolve: { alias: sourceAliases(root) },
  test: {
    testTimeout: 60_000,
    include: ['packages/client/test/layers/**/*.test.ts'],
  },
})
