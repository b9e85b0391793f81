// Looks at what was built: every link and every picture has to lead to something that is there, anchors included.
import { existsSync, readFileSync } from 'node:fs'
import { join, posix } from 'node:path'
import { base, site } from '../../docs/.vitepress/address.mjs'
import { filesBelow } from './places.mjs'

/** Throws with a list of what leads nowhere. */
export function checkLinks(folder) {
  const files = filesBelow(folder)
  const pages = new Map(
    files
      .filter((file) => file.endsWith('.html'))
      .map((file) => [file, readPage(readFileSync(join(folder, file), 'utf8'))]),
  )
  /** What leads nowhere, and on which pages it stands. */
  const dead = new Map()
  let count = 0
  for (const [file, { targets }] of pages) {
    for (const target of targets) {
      if (!isInside(target)) continue
      count++
      const problem = problemOf(target, file)
      if (!problem) continue
      const line = `${target} (${problem})`
      dead.set(line, (dead.get(line) ?? new Set()).add(file))
    }
  }
  if (dead.size > 0) {
    const lines = [...dead].map(([line, [first, ...others]]) =>
      others.length > 0 ? `${line}: ${first} and ${others.length} others` : `${line}: ${first}`,
    )
    throw new Error(`${dead.size} links lead nowhere:\n${lines.join('\n')}`)
  }
  return { pages: pages.size, links: count }

  function problemOf(target, file) {
    const [path = '', anchor] = target.replace(site, base).split('#')
    if (path.startsWith('/') && !path.startsWith(base)) return `not below ${base}`
    const inside = path.startsWith('/')
      ? path.slice(base.length)
      : posix.join(posix.dirname(file), path)
    const found = path === '' ? file : fileAt(inside.replace(/\?.*$/, ''))
    if (!found) return 'no such page or file'
    if (!anchor) return undefined
    return pages.get(found)?.ids.has(decodeURIComponent(anchor)) ? undefined : 'no such anchor'
  }

  function fileAt(path) {
    const name = decodeURIComponent(path)
    const candidates =
      name === '' || name === '.' || name.endsWith('/')
        ? [posix.join(name, 'index.html')]
        : [name, `${name}.html`]
    return candidates.find((candidate) => pages.has(candidate) || isFile(candidate))
  }

  function isFile(path) {
    return /\.\w+$/.test(path) && existsSync(join(folder, path))
  }
}

function readPage(html) {
  const attributes = (name) =>
    [...html.matchAll(new RegExp(`<[a-z][^<>]*?\\s${name}="([^"]*)"`, 'g'))].map(([, value]) =>
      value.replaceAll('&amp;', '&'),
    )
  return {
    ids: new Set(attributes('id')),
    targets: [...attributes('href'), ...attributes('src')],
  }
}

function isInside(target) {
  return target.startsWith(site) || !/^(?:[a-z][a-z\d+.-]*:|\/\/)/i.test(target)
}
