import { fileURLToPath } from 'node:url'
import { configDefaults, defineConfig } from 'vitest/config'

const source = (path: string) => fileURLToPath(new URL(`./packages/${path}`, import.meta.url))

const services = 'packages/server/test/services/**/*.test.ts'
const engines = 'packages/client/test/engines/**/*.test.ts'

export default defineConfig({
  resolve: {
    // Tests run from source; what is built is tested by `npm run packed`.
    alias: [
      { find: /^@wxlogin\/shared$/, replacement: source('shared/src/index.ts') },
      { find: /^@wxlogin\/server$/, replacement: source('server/src/index.ts') },
      {
        find: /^@wxlogin\/server\/(testing|wechat)$/,
        replacement: source('server/src/$1/index.ts'),
      },
      {
        find: /^@wxlogin\/server\/(express|node|fetch)$/,
        replacement: source('server/src/adapters/$1.ts'),
      },
      {
        find: /^@wxlogin\/server\/(redis|sql)$/,
        replacement: source('server/src/stores/$1.ts'),
      },
      { find: /^@wxlogin\/client$/, replacement: source('client/src/index.ts') },
      { find: /^@wxlogin\/client\/full$/, replacement: source('client/src/full.ts') },
      { find: /^@wxlogin\/client\/testing$/, replacement: source('client/src/testing/index.ts') },
    ],
  },
  test: {
    passWithNoTests: false,
    testTimeout: 20_000,
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['packages/*/test/**/*.test.ts', 'examples/test/**/*.test.ts'],
          exclude: [...configDefaults.exclude, services, engines],
        },
      },
      {
        extends: true,
        test: {
          name: 'services',
          include: [services],
          // Starts the databases, and only when a test of this project runs.
          globalSetup: ['packages/server/test/services/global-setup.ts'],
          // A file has no tests where its service is missing, which is said, and with CI=true a failure.
          passWithNoTests: true,
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'engines',
          include: [engines],
          // Brings the engines, and only when a test of this project runs.
          globalSetup: ['packages/client/test/engines/global-setup.ts'],
        },
      },
    ],
  },
})
