// Read by `npm run mutation`, which installs Stryker outside the workspace and names the place.
import { join } from 'node:path'

const plugin = join(
  process.env.WXLOGIN_STRYKER ?? '.',
  'node_modules/@stryker-mutator/vitest-runner/dist/src/index.js',
)

export default {
  testRunner: 'vitest',
  plugins: [plugin],
  vitest: { configFile: '.ci/vitest.mutation.config.ts', related: false },
  mutate: [
    'packages/server/src/{tokens,sessions}/*.ts',
    '!packages/server/src/sessions/{redis,sql}-store.ts',
    'packages/server/src/{auth,login}.ts',
  ],
  coverageAnalysis: 'perTest',
  concurrency: 2,
  // A wait for a sibling takes 2 seconds; what takes longer hangs.
  timeoutMS: 4_000,
  timeoutFactor: 2,
  ignoreStatic: true,
  thresholds: { high: 95, low: 85, break: 85 },
  reporters: ['clear-text', 'progress-append-only', 'json'],
  jsonReporter: { fileName: '.cache/mutation.json' },
  clearTextReporter: { allowColor: false, logTests: false, reportTests: false },
  tempDirName: '.cache/stryker',
  ignorePatterns: [
    'examples',
    'bench',
    'dist',
    'miniprogram_dist',
    '*.md',
    '.github',
    '.changeset',
  ],
  allowEmpty: false,
  disableTypeChecks: true,
  checkers: [],
}
