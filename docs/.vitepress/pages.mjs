// The one list of pages is docs/README.md, which GitHub shows beside the files; the sidebar is made of it. A test holds it
// complete: a page that is not there would be found by nobody.
import { readFileSync } from 'node:fs'

const entry = /^- \[(.+?)\]\(([\w./-]+)\.md\)(?:[:：] ?(.+))?/
const heading = /^## (.+)$/

/** The sections of docs/README.md, or of docs/README.zh-CN.md for `zh`, and their pages in order. */
export function sectionsIn(language) {
  const ending = language === 'en' ? '' : '.zh-CN'
  const text = readFileSync(new URL(`../README${ending}.md`, import.meta.url), 'utf8')
  const sections = []
  for (const line of text.split('\n')) {
    const [, title] = heading.exec(line) ?? []
    if (title) sections.push({ title, pages: [] })
    const [, name, path, about = ''] = entry.exec(line) ?? []
    if (name && path && !path.startsWith('../')) {
      sections.at(-1)?.pages.push({
        title: name.replaceAll('`', ''),
        page: path.replace(/\.zh-CN$/, ''),
        about: about.replaceAll('`', ''),
      })
    }
  }
  return sections.filter(({ pages }) => pages.length > 0)
}

/** The sidebar of VitePress in one language. */
export function sidebarIn(language) {
  const prefix = language === 'en' ? '/' : `/${language}/`
  return sectionsIn(language).map(({ title, pages }) => ({
    text: title,
    collapsed: false,
    items: pages.map(({ title, page }) => ({ text: title, link: prefix + page })),
  }))
}

/** What docs/README.md says of a page: `{ title, about }`, or nothing. */
export function entryOf(page, language) {
  return sectionsIn(language)
    .flatMap(({ pages }) => pages)
    .find((entry) => entry.page === page)
}
