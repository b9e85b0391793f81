// The login page that docs/login-on-demand.md shows, put into an example before it is built, so that the compilers of
// WeChat, Taro and uni-app see it as well.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../process.mjs'

const pages = {
  native: {
    source: '.',
    files: { 'index.wxml': 'bindtap="onLater"', 'index.ts': 'onLater() {' },
    list: 'app.json',
  },
  taro: {
    source: 'src',
    files: { 'index.tsx': 'export default function Login' },
    list: 'src/app.config.ts',
  },
  'uni-app': { source: 'src', files: { 'index.vue': '<script setup' }, list: 'src/pages.json' },
}

/** Adds it to this build of the example. */
export function addLoginPage(name, folder) {
  const { source, files, list } = pages[name]
  const page = join(folder, source, 'pages/login')
  mkdirSync(page, { recursive: true })
  for (const [file, text] of Object.entries(files)) writeFileSync(join(page, file), blockWith(text))
  if (name === 'native') writeFileSync(join(page, 'index.json'), '{}\n')
  writeFileSync(join(folder, source, 'login.ts'), blockWith('export async function logIn'))

  const before = readFileSync(join(folder, list), 'utf8')
  const after = before
    .replace(/(['"])pages\/index\/index\1(?=[\],])/, '$&, $1pages/login/index$1')
    .replace('{ "path": "pages/index/index" }', '$&, { "path": "pages/login/index" }')
  if (after === before) throw new Error(`${list} of the ${name} example lists its pages otherwise`)
  writeFileSync(join(folder, list), after)
}

function blockWith(text) {
  const document = readFileSync(`${root}docs/login-on-demand.md`, 'utf8')
  const blocks = [...document.matchAll(/^```\w+\n([\s\S]*?)^```$/gm)].map(([, code]) => code)
  const block = blocks.find((code) => code.includes(text))
  if (!block) throw new Error(`docs/login-on-demand.md shows no ${text}`)
  return block
}
