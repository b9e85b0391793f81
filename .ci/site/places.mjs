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

/** `guide/x.zh-CN.md` becomes `zh/guide/x.md`. */
export function stagedOf(source) {
  return source.endsWith('.zh-CN.md') ? `zh/${source.replace(/\.zh-CN\.md$/, '.md')}` : source
}

/** The way back. */
export function sourceOf(staged) {
  return staged.startsWith('zh/') ? staged.slice(3).replace(/\.md$/, '.zh-CN.md') : staged
}

/** The page's address below the site's base: `zh/guide/x.md` is at `/zh/guide/x`. */
export function addressOf(staged) {
  return `/${staged.replace(/\.md$/, '').replace(/(^|\/)index$/, '$1')}`
}
