// Read by `npm run mutation`, which installs Stryker outside the workspace and names the place.
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const runner = join(
  process.env.WXLOGIN_STRYKER ?? '.',
  'node_modules/@stryker-mutator/vitest-runner/dist/src/index.js',
)

/**
 * Nothing is decided by the message of an error, so no test looks at one: the text that an error, `invalidToken` or
 * `jsonCopy` is given stays as it is. Codes and reasons, which are single words, do not.
 */
export const strykerPlugins = [
  {
    kind: 'Ignore',
    name: 'messages',
    value: {
      shouldIgnore({ node, parent }) {
        const text = node.value ?? node.quasis?.map(({ value }) => value.raw).join('')
        const isText = /Literal$/.test(node.type) && typeof text === 'string' && text.includes(' ')
        const isMessage =
          isText && /Error$|^invalidToken$|^jsonCopy$/.test(parent?.callee?.name ?? '')
        return isMessage ? 'Messages are for people.' : undefined
      },
    },
  },
]

export default {
  testRunner: 'vitest',
  plugins: [runner, fileURLToPath(import.meta.url)],
  ignorers: ['messages'],
  vitest: { configFile: '.ci/vitest.mutation.config.ts', related: false },
  mutate: [
    'packages/server/src/{auth,session}.ts',
    'packages/server/src/{crypto,login,sessions,tokens,user-info}/*.ts',
    'packages/server/src/stores/memory.ts',
    'packages/server/src/wechat/apps.ts',
  ],
  coverageAnalysis: 'perTest',
  concurrency: 2,
  // A wait for a sibling takes 2 seconds, and more on a busy machine; what takes longer hangs.
  timeoutMS: 15_000,
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
