// Turns a compiled mini program into one script for the phone: its modules as functions, its templates through Tencent's
// template compiler, its styles with their unit translated.
import { readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'

// What a mini program's module gets, and what a browser has but it must not find (the platform shadows them alike).
const given =
  'require module exports wx App Page Component Behavior getApp getCurrentPages global globalThis'
const withheld =
  'window document self frames top parent location navigator history localStorage sessionStorage indexedDB caches ' +
  'screen alert confirm prompt open close XMLHttpRequest WebSocket EventSource Worker fetch Request Response Headers ' +
  'FormData Blob File FileReader URL URLSearchParams TextEncoder TextDecoder AbortController AbortSignal crypto ' +
  'performance process Buffer structuredClone queueMicrotask requestIdleCallback atob btoa Event EventTarget ' +
  'CustomEvent MutationObserver HTMLElement Element Node Image customElements'

/** @returns {string} a script that sets `compiledMiniProgram` */
export function scriptOf(folder, toolFolder) {
  const read = (path) => readFileSync(join(folder, path), 'utf8')
  const paths = readdirSync(folder, { recursive: true })
    .map((path) => path.replaceAll('\\', '/'))
    .sort()
  const ending = (end) => paths.filter((path) => path.endsWith(end))

  const modules = ending('.js').map((path) => `${JSON.stringify(path)}: ${moduleOf(read(path))}`)
  const styles = ending('.wxss').map((path) => [withoutEnd(path), styleOf(path, read)])
  const configs = ending('.json').map((path) => [withoutEnd(path), JSON.parse(read(path))])
  const templates = templatesOf(ending('.wxml'), ending('.wxs'), read, toolFolder)

  return `globalThis.compiledMiniProgram = {
modules: {${modules.join(',\n')}},
templates: ${templates},
styles: ${JSON.stringify(Object.fromEntries(styles))},
configs: ${JSON.stringify(Object.fromEntries(configs))},
}`
}

function moduleOf(code) {
  const parameters = `${given} ${withheld}`.split(' ').join(', ')
  // Two functions: a module may declare a `const` of a withheld name.
  return `function (${parameters}) { (function () {${code}\n}).call({}) }`
}

function templatesOf(templates, scripts, read, toolFolder) {
  const { TmplGroup } = createRequire(`${toolFolder}/`)('glass-easel-template-compiler')
  const group = new TmplGroup()
  for (const path of scripts) group.addScript(withoutEnd(path), read(path))
  for (const path of templates) {
    const problems = group.addTmpl(withoutEnd(path), read(path))
    // Its levels: 1 and 2 are notes and warnings.
    const wrong = problems.filter(({ level }) => level > 2)
    if (wrong.length > 0) throw new Error(`${path}: ${wrong.map(String).join('\n')}`)
  }
  const code = group.getTmplGenObjectGroups()
  group.free()
  return code
}

/** With its imports in their place, and `rpx` as the platform has it: a screen is 750 wide. */
function styleOf(path, read) {
  return read(path)
    .replace(/@import\s+(?:url\()?["']([^"']+)["']\)?\s*;?/g, (_, other) =>
      styleOf(new URL(other, `file:///${path}`).pathname.slice(1), read),
    )
    .replace(/(-?[\d.]+)rpx/gi, (_, number) => `calc(100vw * ${number} / 750)`)
}

function withoutEnd(path) {
  return path.replace(/\.\w+$/, '')
}
