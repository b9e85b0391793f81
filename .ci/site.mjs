// npm run site: the site of docs/, built by VitePress. VitePress and what it needs are fetched once, into the cache folder.
//   npm run site              builds it into .cache/site/dist, and fails when a link leads nowhere
//   npm run site -- dev       serves it on this computer, and follows what is written
//   npm run site -- preview   serves what was built
//   npm run site -- walk      walks through what was built, in Chromium
//   npm run site -- test      builds it and walks through it
import { existsSync, mkdirSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join, relative } from 'node:path'
import { pathToFileURL } from 'node:url'
import { launchBrowser } from './e2e/browser.mjs'
import { root } from './process.mjs'
import { diagramPackages, drawDiagrams } from './site/diagrams.mjs'
import { checkLinks } from './site/links.mjs'
import { distFolder, docsFolder, filesBelow } from './site/places.mjs'
import { serve } from './site/serve.mjs'
import { stage, stageWhatChanges } from './site/stage.mjs'
import { takeTour } from './site/tour.mjs'
import { tool } from './tools.mjs'

const commands = { build, dev, preview, walk, test }
const [name = 'build', ...rest] = process.argv.slice(2)
const command = rest.length === 0 && Object.hasOwn(commands, name) && commands[name]
if (!command) {
  console.error(
    `There is no ${[name, ...rest].join(' ')}; there are ${Object.keys(commands).join(', ')}`,
  )
  process.exit(1)
}

try {
  await command()
} catch (error) {
  console.error(`FAILED: ${error instanceof Error ? error.message : error}`)
  process.exitCode = 1
}

async function build() {
  const vitepress = await prepare()
  const startedAt = performance.now()
  await vitepress.build(docsFolder)
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1)
  const { pages, links } = checkLinks(distFolder)
  const files = filesBelow(distFolder)
  const bytes = files.reduce((sum, file) => sum + statSync(join(distFolder, file)).size, 0)
  console.log(`${pages} pages, ${links} links of them, 0 dead`)
  console.log(`built in ${seconds} s; ${files.length} files, ${(bytes / 1e6).toFixed(1)} MB`)
}

async function dev() {
  const vitepress = await prepare()
  stageWhatChanges()
  const server = await vitepress.createServer(docsFolder)
  await server.listen()
  server.printUrls()
}

async function preview() {
  if (!existsSync(distFolder)) await build()
  const { url } = await serve(distFolder)
  console.log(url)
}

async function test() {
  await build()
  await walk()
}

async function walk() {
  if (!existsSync(distFolder)) await build()
  const screenshots = join(root, '.cache/screenshots')
  mkdirSync(screenshots, { recursive: true })
  const browser = await launchBrowser(await bringTools(), console.log)
  const server = await serve(distFolder)
  try {
    await takeTour({ browser, url: server.url, screenshots, say: console.log })
    console.log(`screenshots: ${relative(process.cwd(), screenshots)}`)
  } finally {
    await browser.close()
    await server.close()
  }
}

/** Brings VitePress, lays out the pages and draws the diagrams. */
async function prepare() {
  const toolFolder = await bringTools()
  const pages = stage()
  const diagrams = await drawDiagrams({
    toolFolder,
    launch: () => launchBrowser(toolFolder, console.log),
  })
  console.log(`${pages} pages in docs/, ${diagrams} diagrams`)
  const entry = createRequire(`${toolFolder}/`).resolve('vitepress')
  return import(pathToFileURL(entry))
}

function bringTools() {
  return tool('site', ['vitepress@1.6.4', 'vite@5.4.21', 'vue@3.5.45', ...diagramPackages], {
    about: 'about 110 MB',
  })
}
