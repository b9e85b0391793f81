// node run.mjs <row>: holds the frameworks of a row to the cases of adapters, to the matrix, and to the specification of the
// wire. One line of JSON each.
import { createAuth } from '@wxlogin/server'
import { adapterCases } from '@wxlogin/server/testing'
import { conforms } from './conform.mjs'
import { columns, opener } from './matrix.mjs'

const row = process.argv[2]
const { variants, extras = {} } = await import(`./rows/${row}.mjs`)

for (const { name, section, start, startAfterParser, told = {}, toldAfterParser } of variants) {
  const cells = {}
  const failures = []
  const attempt = async (what, work) => {
    try {
      await work()
      return true
    } catch (error) {
      failures.push(`${what}: ${error.stack}`)
      return false
    }
  }
  for (const [column, ask] of Object.entries(columns)) {
    cells[column] = await attempt(column, () => ask(opener(start), told))
  }
  cells.conform = await attempt('wxlogin conform', () => conforms(start, told))
  const cases = await casesOf(start, told, attempt)
  if (told.hasParser) cells['parser before'] = cases.passed === cases.all
  if (startAfterParser) {
    const afterParser = await casesOf(
      startAfterParser,
      toldAfterParser ?? { ...told, hasParser: true },
      attempt,
    )
    cells['parser before'] = afterParser.passed === afterParser.all
    cases.passed += afterParser.passed
    cases.all += afterParser.all
  }
  console.log(JSON.stringify({ name, section, cells, cases, failures }))
}
for (const [what, work] of Object.entries(extras)) {
  const failure = await work().then(
    () => undefined,
    (error) => error.stack,
  )
  console.log(JSON.stringify({ what: `${row}: ${what}`, failure }))
}
process.exit()

async function casesOf(start, told, attempt) {
  const cases = adapterCases({ createAuth, ...told })
  let passed = 0
  for (const { name, run } of cases) if (await attempt(name, () => run(start))) passed++
  return { passed, all: cases.length }
}
