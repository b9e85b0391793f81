// Diagrams are Mermaid in the Markdown, which GitHub draws. For the site they are drawn here, once each, by Mermaid itself in
// Chromium: readers load a picture, and no program of a megabyte that makes one. Colours come from the site's stylesheet.
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { diagramFolder, docsFolder, sourceFiles } from './places.mjs'

const mermaid = '@mermaid-js/tiny@12.0.0'
export const diagramPackages = [mermaid, 'playwright-core@1.65.1']

const settings = {
  startOnLoad: false,
  theme: 'base',
  look: 'classic',
  fontFamily: 'Inter, system-ui, "PingFang SC", "Noto Sans CJK SC", "Microsoft YaHei", sans-serif',
  htmlLabels: false,
  themeVariables: { fontSize: '15px' },
  sequence: {
    mirrorActors: false,
    actorMargin: 30,
    width: 130,
    height: 52,
    messageMargin: 38,
    noteMargin: 12,
    actorFontSize: 15,
    messageFontSize: 14,
    noteFontSize: 14,
  },
  state: { nodeSpacing: 60, rankSpacing: 60 },
}

/** Draws what is in docs/ and is not drawn yet, and forgets what is there no more. */
export async function drawDiagrams({ toolFolder, launch }) {
  mkdirSync(diagramFolder, { recursive: true })
  const sources = new Map(
    sourceFiles().flatMap((file) =>
      diagramsIn(readFileSync(join(docsFolder, file), 'utf8')).map((source) => [
        nameOf(source),
        { file, source },
      ]),
    ),
  )
  for (const name of readdirSync(diagramFolder)) {
    if (!sources.has(name)) rmSync(join(diagramFolder, name))
  }
  const missing = [...sources].filter(([name]) => !existsSync(join(diagramFolder, name)))
  if (missing.length > 0) await draw(missing, { toolFolder, launch })
  return sources.size
}

/** The picture of a diagram, or its source where it is not drawn: while a page is being written. */
export function drawn(source) {
  const file = join(diagramFolder, nameOf(source))
  if (existsSync(file)) return figure(readFileSync(file, 'utf8'), idOf(source))
  if (process.env.NODE_ENV === 'production') throw new Error(`A diagram is not drawn:\n${source}`)
  return `<pre class="diagram" v-pre>${escaped(source)}</pre>\n`
}

export function diagramsIn(text) {
  return [...text.matchAll(/^```mermaid *\n([\s\S]*?)^```/gm)].map(([, source]) => source)
}

async function draw(missing, { toolFolder, launch }) {
  const browser = await launch()
  try {
    const page = await browser.newPage()
    await page.addScriptTag({
      path: join(toolFolder, 'node_modules/@mermaid-js/tiny/dist/mermaid.tiny.js'),
    })
    await page.evaluate((settings) => globalThis.mermaid.initialize(settings), settings)
    for (const [name, { file, source }] of missing) {
      const description = /^ *accDescr: *(.+)$/m.exec(source)?.[1]
      if (!/^ *accTitle: *\S/m.test(source) || !description) {
        throw new Error(
          `docs/${file}: a diagram has no accTitle and accDescr, which say to those who do not see it what it shows`,
        )
      }
      const svg = await page
        .evaluate(
          ([id, source]) => globalThis.mermaid.render(id, source).then(({ svg }) => svg),
          [idOf(source), source],
        )
        .catch(({ message }) => {
          throw new Error(`docs/${file}: a diagram cannot be drawn. ${message}`)
        })
      writeFileSync(join(diagramFolder, name), svg)
    }
  } finally {
    await browser.close()
  }
}

/** Without colours and sizes of its own; every id belongs to this picture alone. */
function figure(svg, id) {
  const [, width] = /viewBox="[-\d.]+ [-\d.]+ ([\d.]+)/.exec(svg) ?? []
  const bare = svg
    .replace(/<style[\s\S]*?<\/style>/g, '')
    .replace(/ (?:width="100%"|style="max-width:[^"]*"|aria-roledescription="[^"]*")/g, '')
    .replace(/<defs><symbol[\s\S]*?<\/symbol><\/defs>/g, '')
    .replace(/ filter="[^"]*"/g, '')
    // The names of states stand at the left otherwise.
    .replace(/(<g class="label" style="" transform="translate\()[-\d.]+/g, '$1' + '0')
    .replace(/\bid="(?!diagram-|chart-)([^"]+)"/g, `id="${id}-$1"`)
    .replace(/url\(#(?!diagram-)([^)]+)\)/g, `url(#${id}-$1)`)
    .replace('<svg ', `<svg style="--width: ${Math.ceil(Number(width))}px" `)
    .replace(/\n/g, ' ')
  return `<figure class="diagram" tabindex="0" v-pre>${bare}</figure>\n`
}

function nameOf(source) {
  return `${hashOf(source)}.svg`
}

function idOf(source) {
  return `diagram-${hashOf(source).slice(0, 8)}`
}

function hashOf(source) {
  const text = JSON.stringify([source, settings, mermaid])
  return createHash('sha256').update(text).digest('hex').slice(0, 16)
}

function escaped(text) {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
}
