import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'
import { sourceAliases } from './entries.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))

/**
 * The tests that judge mutants: quick ones, of what is mutated. Their names become one regular expression, so a name
 * of thousands of characters is an error of every mutant that survives.
 */
export default defineConfig({
  root,
  resolve: { alias: sourceAliases(root) },
  test: {
    // They share nothing but the code, which is loaded once for all of them.
    isolate: false,
    // Stryker ends what hangs; a busy machine is no mistake.
    testTimeout: 60_000,
    include: [
      'packages/server/test/{crypto,http,login,sessions,stores,tokens,user-info}/*.test.ts',
      'packages/server/test/{events,hooks,options}.test.ts',
      'packages/server/test/wechat/calls.test.ts',
    ],
  },
})
