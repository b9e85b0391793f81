import { fileURLToPath } from 'node:url'
import { configDefaults, defineConfig } from 'vitest/config'
import { sourceAliases } from './.ci/entries.mjs'

const unit = ['packages/*/test/**/*.test.ts', 'examples/test/**/*.test.ts']
/** Many thousands of interleavings, an outage played through, processes, and the compiler over all documents. */
const slow = [
  'packages/*/test/model/**/*.test.ts',
  'packages/server/test/rotation-model/**/*.test.ts',
  'packages/server/test/wechat/outage.test.ts',
  'packages/server/test/wechat/wechat-processes.test.ts',
  'packages/server/test/docs.test.ts',
  'packages/client/test/inner-names.test.ts',
]
const services = 'packages/server/test/services/**/*.test.ts'
/** With packages that `npm run layers` brings. */
const layers = 'packages/client/test/layers/**/*.test.ts'
const engines = 'packages/client/test/engines/**/*.test.ts'

export default defineConfig({
  // Tests run from source; what is built is tested by `npm run packed`.
  resolve: { alias: sourceAliases(fileURLToPath(new URL('.', import.meta.url))) },
  test: {
    passWithNoTests: false,
    // No test is about speed, and this machine may be busy: these only end what hangs.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Servers are ended and their folders removed, on a busy machine too.
    teardownTimeout: 60_000,
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: unit,
          exclude: [...configDefaults.exclude, ...slow, services, engines, layers],
          // They share nothing but the code, which is loaded once a worker: half of the time would go into loading.
          isolate: false,
        },
      },
      {
        extends: true,
        test: { name: 'slow', include: slow },
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
          testTimeout: 180_000,
          hookTimeout: 180_000,
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
