import type { Text } from '../text.js'
import type { LeakKind } from './findings.js'
import { leakTexts } from './leak-texts.js'
import type { FoundLeak } from './scan-files.js'

const kinds: readonly LeakKind[] = [
  'app_secret',
  'session_key',
  'private_key',
  'wechat_call',
  'possible_app_secret',
]
const levelOf = (kind: LeakKind) => (kind === 'possible_app_secret' ? 'warning' : 'error')

/** The findings in SARIF 2.1.0, which code hosts show beside the lines. */
export function sarifOf(
  leaks: readonly FoundLeak[],
  { say, uriOf }: { say: (text: Text) => string; uriOf: (file: string) => string },
): object {
  return {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: {
          driver: {
            name: 'wxlogin',
            informationUri: 'https://github.com/wxlogin/wxlogin',
            rules: kinds.map((kind) => ({
              id: kind,
              shortDescription: { text: say(leakTexts[kind]) },
              defaultConfiguration: { level: levelOf(kind) },
            })),
          },
        },
        results: leaks.map(({ kind, file, inside, line, column }) => ({
          ruleId: kind,
          ruleIndex: kinds.indexOf(kind),
          level: levelOf(kind),
          message: { text: inside ? `${inside}: ${say(leakTexts[kind])}` : say(leakTexts[kind]) },
          locations: [
            {
              physicalLocation: {
                artifactLocation: { uri: encodeURI(uriOf(file)) },
                // A place inside of a package is none in the package.
                ...(!inside && { region: { startLine: line, startColumn: column } }),
              },
            },
          ],
        })),
      },
    ],
  }
}
