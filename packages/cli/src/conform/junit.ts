import type { Call } from '../command.js'
import type { Judgement } from './judge.js'
import type { Judged } from './report.js'

/** The report as JUnit XML, which CI systems show: one test case a requirement. */
export function junitOf({ serverUrl, seconds, report }: Judgement, say: Call['say']): string {
  const { requirements, failed } = report
  const skipped = requirements.filter(({ outcome }) => outcome === 'not_tested').length
  const cases = requirements.map((one) => {
    const name = attribute(`${one.id} ${say(one.about)}`)
    const start = `    <testcase classname="wxlogin conform" name="${name}"`
    const inner = innerOf(one, failed.includes(one), say)
    return inner === '' ? `${start}/>` : `${start}>${inner}</testcase>`
  })
  return `<?xml version="1.0" encoding="UTF-8"?>
<testsuites>
  <testsuite name="wxlogin conform ${attribute(serverUrl)}" tests="${requirements.length}" failures="${failed.length}" skipped="${skipped}" time="${seconds.toFixed(3)}">
${cases.join('\n')}
  </testsuite>
</testsuites>
`
}

function innerOf({ outcome, level, failures, why }: Judged, isFailed: boolean, say: Call['say']) {
  if (outcome === 'not_tested') {
    return `<skipped message="${attribute(why === undefined ? '' : say(why))}"/>`
  }
  if (outcome === 'passed') return ''
  const lines = failures.map(
    ({ scenario, step, failure }) =>
      `${scenario}: ${step}: expected ${failure?.expected}; came ${failure?.came}`,
  )
  const text = escaped(lines.join('\n'))
  if (!isFailed) return `<system-out>${text}</system-out>`
  return `<failure type="${level}" message="${attribute(lines[0] ?? '')}">${text}</failure>`
}

const attribute = (text: string) => escaped(text).replaceAll('"', '&quot;').replaceAll('\n', ' ')

function escaped(text: string): string {
  // Other characters below a space are none of XML 1.0, escaped or not.
  const printable = [...text].filter((letter) => letter >= ' ' || letter === '\n').join('')
  return printable.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
