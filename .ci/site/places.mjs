// Where the parts of the site are, and which page comes of which file.
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../process.mjs'

export const docsFolder = join(root, 'docs')
export const cacheFolder = join(root, '.cache/site')
/** The pages as VitePress wants them. */
export const stagedFolder = join(cacheFolder, 'pages')
export const diagramFolder = join(cacheFolder, 'diagrams')
export const distFolder = join(cacheFolder, 'dist')

/** The Markdown files below docs/, as paths with slashes. */
export function sourceFiles() {
  return filesBelow(docsFolder).filter((file) => file.endsWith('.md'))
}

/** All files below a folder, but hidden ones, as paths with slashes. */
export function filesBelow(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .map((file) => file.replaceAll('\\', '/'))
    .filter((file) => !/(?:^|\/)\./.test(file))
    .sort()
}

/** `guide/x.zh-CN.md` becomes `zh/guide/x.md`. What is README.md to GitHub is the page of all pages here. */
export function stagedOf(source) {
  const named = source.replace(/^README\b/, 'all-pages')
  return named.endsWith('.zh-CN.md') ? `zh/${named.replace(/\.zh-CN\.md$/, '.md')}` : named
}

/** The way back. */
export function sourceOf(staged) {
  const named = staged.replace(/^(zh\/)?all-pages\.md$/, '$1README.md')
  return named.startsWith('zh/') ? named.slice(3).replace(/\.md$/, '.zh-CN.md') : named
}

/** The page's address below the site's base: `zh/guide/x.md` is at `/zh/guide/x`. */
export function addressOf(staged) {
  return `/${staged.replace(/\.md$/, '').replace(/(^|\/)index$/, '$1')}`
}
