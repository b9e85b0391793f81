// What is different on the site from GitHub: where links lead, how headings are named, and diagrams, which are pictures here.
import { existsSync, statSync } from 'node:fs'
import { join, posix } from 'node:path'
import { inRepository } from '../../docs/.vitepress/address.mjs'
import { root } from '../process.mjs'
import { drawn } from './diagrams.mjs'
import { addressOf, docsFolder, sourceOf, stagedOf } from './places.mjs'

export function createMarkdown() {
  return { configureMarkdown, renderForSearch, slugify }
}

/** As GitHub names headings, so that an anchor holds in both places. */
export function slugify(heading) {
  return heading
    .trim()
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\p{M} _-]/gu, '')
    .replace(/ /g, '-')
}

function configureMarkdown(md) {
  md.core.ruler.push('links_of_the_repository', ({ tokens, env }) => {
    // A title alone is rendered too, of no page.
    if (!env.relativePath) return
    const source = sourceOf(env.relativePath)
    for (const token of tokens.flatMap((block) => [block, ...(block.children ?? [])])) {
      if (token.type === 'link_open') {
        token.attrSet('href', hrefOnSite(token.attrGet('href') ?? '', source))
      } else if (token.type === 'image') {
        token.attrSet('src', srcOnSite(token.attrGet('src') ?? '', source))
      } else if (token.type === 'html_block' || token.type === 'html_inline') {
        token.content = token.content
          .replace(/(<img[^>]* src=")([^"]+)/g, (_, start, src) => start + srcOnSite(src, source))
          .replace(/(<a[^>]* href=")([^"]+)/g, (_, start, href) => start + hrefOnSite(href, source))
      }
    }
  })

  const { fence } = md.renderer.rules
  md.renderer.rules.fence = (tokens, index, options, env, self) => {
    const { info, content } = tokens[index]
    return info.trim() === 'mermaid' ? drawn(content) : fence(tokens, index, options, env, self)
  }

  // Tables scroll by themselves on a phone; the page does not.
  md.renderer.rules.table_open = () => '<div class="table" tabindex="0"><table>\n'
  md.renderer.rules.table_close = () => '</table></div>\n'
}

/** Diagrams are left out, their words stand in the text around them; the page of all pages says what they say. */
function renderForSearch(source, env, md) {
  const html = md.render(source, env)
  if (/^(?:zh\/)?all-pages\.md$/.test(env.relativePath)) return ''
  return html.replace(/<figure class="diagram"[\s\S]*?<\/figure>/g, '')
}

/** Where a link of a file of docs/ leads on the site: to a page, or to the repository. */
export function hrefOnSite(href, source) {
  if (/^(?:[a-z][a-z\d+.-]*:|\/\/|#)/i.test(href)) return href
  const [, path, hash = ''] = /^([^#]*)(#.*)?$/.exec(href) ?? []
  if (path.startsWith('/')) return href
  const target = posix.normalize(posix.join('docs', posix.dirname(source), decodeURI(path)))
  const file = join(root, target)
  if (target.startsWith('../') || !existsSync(file)) {
    throw new Error(`docs/${source} links to ${href}, and there is no ${target}`)
  }
  if (target.startsWith('docs/') && target.endsWith('.md')) {
    return addressOf(stagedOf(target.slice('docs/'.length))) + hash
  }
  return inRepository(target.replace(/\/$/, ''), { isFolder: statSync(file).isDirectory() }) + hash
}

/** Pictures stay where they are, and Chinese pages are one folder deeper here. */
function srcOnSite(src, source) {
  if (/^(?:[a-z][a-z\d+.-]*:|\/)/i.test(src)) return src
  const picture = posix.join(posix.dirname(source), src)
  if (!existsSync(join(docsFolder, picture))) {
    throw new Error(`docs/${source} shows ${src}, and there is no such file in docs/`)
  }
  const from = posix.dirname(stagedOf(source))
  const relative = posix.relative(from, picture)
  return relative.startsWith('.') ? relative : `./${relative}`
}
