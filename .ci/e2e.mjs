// npm run e2e: the example mini program, native and as Taro and uni-app build it, compiled by Tencent's compiler, runs in
// Chromium on Tencent's component framework, against the example backend and the emulated WeChat. What Taro and uni-app
// build for H5 runs in Chromium as it is, against a backend with a password login of its own.
//   npm run e2e -- taro uni-app-h5        only these builds
//   npm run e2e -- --update-screenshots   writes docs/screenshots, which the READMEs show
import { mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { launchBrowser } from './e2e/browser.mjs'
import { createBuilds } from './e2e/builds.mjs'
import { play } from './e2e/story.mjs'
import { playOnWeb } from './e2e/web-story.mjs'
import { pack } from './pack.mjs'
import { root } from './process.mjs'
import { tool } from './tools.mjs'

const flags = process.argv.slice(2)
const isUpdate = flags.includes('--update-screenshots')
const screenshots = join(root, isUpdate ? 'docs/screenshots' : '.cache/screenshots')
const largest = 60 * 1024

const toolFolder = await tool(
  'e2e',
  [
    'glass-easel@0.12.1',
    'glass-easel-miniprogram-adapter@0.12.1',
    'glass-easel-template-compiler@0.12.1',
    'playwright-core@1.65.1',
  ],
  { about: 'about 30 MB' },
)
const browser = await launchBrowser(toolFolder, console.log)
const place = mkdtempSync(join(tmpdir(), 'wxlogin-e2e-'))
const failed = []

try {
  mkdirSync(screenshots, { recursive: true })
  const { miniPrograms, webs } = await createBuilds({
    place,
    tarball: await pack('client', place),
  })
  const builds = { ...miniPrograms, ...webs }
  const chosen = flags.filter((flag) => !flag.startsWith('--'))
  for (const name of chosen.length > 0 ? chosen : Object.keys(builds)) {
    await playBuild(name, builds[name], name in webs ? playOnWeb : play, Object.keys(builds))
  }
} finally {
  await browser.close()
  rmSync(place, { recursive: true, force: true })
}

console.log(`\nscreenshots: ${relative(process.cwd(), screenshots)}`)
if (failed.length > 0) {
  console.error(`failed: ${failed.join(', ')}`)
  process.exitCode = 1
}

async function playBuild(name, build, play, known) {
  console.log(`\n── ${name} ──`)
  const startedAt = performance.now()
  try {
    if (!build) throw new Error(`there is no such build; there are ${known.join(', ')}`)
    const folder = await build()
    console.log(`built in ${secondsSince(startedAt)} s`)
    await play({
      browser,
      folder,
      toolFolder,
      shoot: (page, title) => shoot(page, `${name}-${title}.png`),
      say: console.log,
    })
  } catch (error) {
    failed.push(name)
    console.error(`FAILED ${name}: ${error instanceof Error ? error.message : error}`)
  }
  console.log(`(${name}: ${secondsSince(startedAt)} s)`)
}

async function shoot(page, name) {
  const path = join(screenshots, name)
  await page.screenshot({ path, animations: 'disabled' })
  const { size } = statSync(path)
  console.log(`  ${name}: ${size} bytes`)
  if (isUpdate && size > largest)
    throw new Error(`${name} is too large for the READMEs: ${size} bytes`)
}

function secondsSince(startedAt) {
  return Math.round((performance.now() - startedAt) / 1000)
}
