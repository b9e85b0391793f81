// npm run long -- dev: `npx wxlogin dev` from the packed tarballs in an empty folder, played through in Chromium.
//   node .ci/dev.mjs --update-screenshots   writes docs/screenshots, which docs/dev.md shows
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { startSandbox } from './dev/command.mjs'
import { smallPng } from './dev/small-png.mjs'
import { play } from './dev/tour.mjs'
import { launchBrowser } from './e2e/browser.mjs'
import { pack } from './pack.mjs'
import { root, run } from './process.mjs'
import { install, tool } from './tools.mjs'

const isUpdate = process.argv.includes('--update-screenshots')
const screenshots = join(root, isUpdate ? 'docs/screenshots' : '.cache/screenshots')
const largest = 60 * 1024

const toolFolder = await tool('playwright', ['playwright-core@1.65.1'], { about: 'about 10 MB' })
const place = mkdtempSync(join(tmpdir(), 'wxlogin-dev-'))
const browser = await launchBrowser(toolFolder, console.log)

try {
  const folder = await installTarballs()
  mkdirSync(screenshots, { recursive: true })
  await play({ browser, start: (...args) => startSandbox(folder, args), shoot, say: console.log })
  console.log(`\nscreenshots: ${relative(process.cwd(), screenshots)}`)
} catch (error) {
  console.error(`FAILED: ${error instanceof Error ? error.message : error}`)
  process.exitCode = 1
} finally {
  await browser.close()
  rmSync(place, { recursive: true, force: true })
}

/** An empty folder, and in it what somebody gets who installs `wxlogin`. */
async function installTarballs() {
  const tarballs = []
  for (const name of ['server', 'client', 'cli']) tarballs.push(await pack(name, place))
  const folder = join(place, 'empty')
  const { status, output } = await install(folder, tarballs)
  if (status !== 0) throw new Error(`the tarballs could not be installed\n${output}`)
  const { output: size } = await run('du', ['-sm', join(folder, 'node_modules')])
  console.log(`installed: ${size.split(/\s/)[0]} MB`)
  return folder
}

async function shoot(page, title) {
  const name = `dev-${title}.png`
  const picture = smallPng(await page.screenshot({ animations: 'disabled', caret: 'hide' }))
  writeFileSync(join(screenshots, name), picture)
  console.log(`  ${name}: ${picture.length} bytes`)
  if (picture.length > largest) throw new Error(`${name} is too large for the docs`)
}
