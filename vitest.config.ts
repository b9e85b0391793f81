import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const source = (path: string) => fileURLToPath(new URL(`./packages/${path}`, import.meta.url))

export default defineConfig({
  resolve: {
    // Tests run from source; what is built is tested by `npm run packed`.
    alias: [
      { find: /^@wxlogin\/shared$/, replacement: source('shared/src/index.ts') },
      { find: /^@wxlogin\/server$/, replacement: source('server/src/index.ts') },
      { find: /^@wxlogin\/server\/testing$/, replacement: source('server/src/testing/index.ts') },
      {
        find: /^@wxlogin\/server\/(express|node|fetch)$/,
        replacement: source('server/src/adapters/$1.ts'),
      },
      { find: /^@wxlogin\/client$/, replacement: source('client/src/index.ts') },
      { find: /^@wxlogin\/client\/testing$/, replacement: source('client/src/testing/index.ts') },
    ],
  },
  test: {
    include: ['packages/*/test/**/*.test.ts', 'examples/test/**/*.test.ts'],
    passWithNoTests: false,
    testTimeout: 20_000,
  },
})
