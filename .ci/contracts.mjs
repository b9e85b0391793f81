// Plays the contracts of backends that exist against the descriptions in docs/backends.md, from source, and prints what
// was called, what ten requests came to, and which promises hold: `npm run contracts`. A few seconds, no network.
import { mkdirSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { build } from 'esbuild'
import { sources } from './entries.mjs'
import { root } from './process.mjs'

const folder = `${root}node_modules/.cache/wxlogin`
const tests = `${root}packages/client/test/translator`
const { contracts, play, promises } = await load()
const rows = await play(contracts, root)

print([
  [
    'project',
    'case',
    'wx.login',
    'logins',
    'refreshes',
    'requests',
    'ten requests came to',
    'promises',
  ],
  ...rows.map(({ project, title, calls, answers, broken }) => [
    project,
    title,
    ...Object.values(calls).map(String),
    answers,
    broken.length === 0 ? 'hold' : `BROKEN: ${broken.join(', ')}`,
  ]),
])
console.log(`\nHold, in every case: all settle, ${Object.values(promises).join(', ')}.`)
console.log('What depends on the backend:\n')
print([
  [
    'project',
    'never as another user',
    'a lost refresh keeps the session',
    'a dead token is renewed silently',
  ],
  ...[...new Set(rows.map(({ project }) => project))].map((project) => {
    const row = (title) => rows.find((one) => one.project === project && one.title === title)
    const lost = row("the refresh's answer is lost")
    return [
      project,
      /user_changed/.test(row('somebody else logs in')?.answers)
        ? 'holds'
        : 'no user id, or no login',
      lost ? (lost.calls.login === 0 ? 'holds' : 'a silent login') : 'no refresh',
      /10 ok/.test(row('the token is dead')?.answers) ? 'holds' : 'no: signed_out',
    ]
  }),
])

if (rows.some(({ broken }) => broken.length > 0)) process.exitCode = 1

/** The tests' own parts, bundled: they are TypeScript. */
async function load() {
  mkdirSync(folder, { recursive: true })
  const outfile = `${folder}/contracts.mjs`
  await build({
    stdin: {
      contents: "export * from './contracts.js'\nexport * from './play.js'",
      resolveDir: tests,
      loader: 'ts',
    },
    outfile,
    bundle: true,
    format: 'esm',
    platform: 'node',
    packages: 'external',
    plugins: [
      {
        name: 'sources',
        setup({ onResolve }) {
          onResolve({ filter: /^@wxlogin\// }, ({ path }) => ({ path: root + sources().get(path) }))
        },
      },
    ],
  })
  return import(pathToFileURL(outfile).href)
}

function print(table) {
  const widths = table[0].map((_, column) => Math.max(...table.map((row) => row[column].length)))
  const lines = table.map(
    (row) => `| ${row.map((cell, column) => cell.padEnd(widths[column])).join(' | ')} |`,
  )
  const line = `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`
  console.log([lines[0], line, ...lines.slice(1)].join('\n'))
}
