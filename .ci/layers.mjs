// npm run layers: the glue in docs/request-layers.md for request layers that stay, compiled and run with the real
// packages. They are fetched once, into the cache folder.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sources } from './entries.mjs'
import { bin, root, runNode } from './process.mjs'
import { tool } from './tools.mjs'
import { runTests } from './vitest.mjs'

const packages = await tool(
  'layers',
  [
    'luch-request@3.1.1',
    'alova@3.5.5',
    '@alova/adapter-uniapp@2.0.16',
    'vue@3.5.45',
    'axios@1.21.1',
    '@uni-helper/axios-adapter@1.16.1',
    '@dcloudio/types@3.4.32',
  ],
  { about: 'about 50 MB' },
)

const client = `import { createClient } from '@wxlogin/client'
export const client = createClient({ baseUrl: 'https://api.example.com', wx: uni })
`
const settings = {
  extends: `${root}tsconfig.base.json`,
  compilerOptions: {
    types: ['@dcloudio/types'],
    // The client's own sources are compiled elsewhere, with their own settings.
    noImplicitOverride: false,
    paths: Object.fromEntries([...sources()].map(([name, file]) => [name, [root + file]])),
  },
  include: ['.'],
}

const wrong = await compile()
console.log(
  `${wrong ? 'FAILED' : 'ok    '} the documented code compiles with the types of the packages`,
)
if (wrong) console.error(wrong)
const { holds, summary } = await runTests(['--config=.ci/vitest.layers.config.ts'], {
  env: { WXLOGIN_LAYERS: packages },
})
console.log(`${holds ? 'ok    ' : 'FAILED'} it runs: ${summary}`)
if (wrong || !holds) process.exitCode = 1

/** What the compiler says of the blocks that import one of the packages, and of what they build on. */
async function compile() {
  const document = readFileSync(`${root}docs/request-layers.md`, 'utf8')
  const blocks = [...document.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map(([, code]) => code)
  const layers = blocks.filter((code) => /from '(luch-request|alova|axios)'/.test(code))
  const tokens = blocks.find((code) => code.includes('export async function passFor'))
  if (layers.length !== 4 || !tokens)
    return 'docs/request-layers.md does not have the blocks that belong here'

  const place = mkdtempSync(join(tmpdir(), 'wxlogin-layers-'))
  try {
    symlinkSync(join(packages, 'node_modules'), join(place, 'node_modules'), 'junction')
    mkdirSync(join(place, 'app'))
    const write = (name, text) => writeFileSync(join(place, 'app', name), text)
    write('client.ts', client)
    write('tokens.ts', tokens)
    for (const [index, code] of layers.entries()) write(`layer-${index}.ts`, code)
    write('tsconfig.json', JSON.stringify(settings))
    const { status, output } = await runNode([
      bin('typescript', { command: 'tsc' }),
      '--noEmit',
      '-p',
      join(place, 'app'),
    ])
    return status === 0 ? '' : output
  } finally {
    rmSync(place, { recursive: true, force: true })
  }
}
