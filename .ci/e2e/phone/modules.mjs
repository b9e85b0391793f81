/**
 * `require` as mini programs have it: paths within the program, and packages in the nearest `miniprogram_npm`.
 * @param {Record<string, Function>} modules
 * @param {Record<string, unknown>} given What every module finds beside the language.
 * @returns {(path: string) => unknown}
 */
export function createModules(modules, given) {
  const loaded = new Map()
  const { wx, App, Page, Component, Behavior, getApp, getCurrentPages } = given
  // One for all modules, and without the browser behind it.
  const shared = {}
  for (const name of [
    'Object',
    'Array',
    'Promise',
    'Math',
    'Date',
    'JSON',
    'Symbol',
    'Map',
    'Set',
  ]) {
    shared[name] = globalThis[name]
  }

  function load(path) {
    const known = loaded.get(path)
    if (known) return known.exports
    const run = modules[path]
    if (!run) throw new Error(`module '${path}' is not defined`)
    const module = { exports: {} }
    loaded.set(path, module)
    const require = (request) => load(resolve(request, path))
    const { exports } = module
    // In the order of the parameters that the script gave it; everything after them stays undefined.
    run(
      require,
      module,
      exports,
      wx,
      App,
      Page,
      Component,
      Behavior,
      getApp,
      getCurrentPages,
      shared,
      shared,
    )
    return module.exports
  }

  function resolve(request, from) {
    // A path may lack its `./`.
    const candidates = [pathOf(request, from)].concat(
      foldersAbove(from).map((folder) => `${folder}miniprogram_npm/${request}`),
    )
    const found = candidates.map(fileAt).find((path) => path !== undefined)
    if (found === undefined) throw new Error(`module '${request}' is not defined, for '${from}'`)
    return found
  }

  function fileAt(path) {
    return [path, `${path}.js`, `${path}/index.js`].find((candidate) => candidate in modules)
  }

  return load
}

function pathOf(request, from) {
  return new URL(request, `file:///${from}`).pathname.slice(1)
}

/** `'a/b/c.js'` → `['a/b/', 'a/', '']` */
function foldersAbove(path) {
  const parts = path.split('/').slice(0, -1)
  return [...parts.map((_, n) => `${parts.slice(0, parts.length - n).join('/')}/`), '']
}
