// Runs a mini program's own code without WeChat: compiled as DevTools compiles it, in a world that has what the
// platform gives and nothing else (no fetch, no process, no eval). Screens are data here: a button is found by its text.
import { existsSync, readFileSync } from 'node:fs'
import { join, posix } from 'node:path'
import vm from 'node:vm'
import ts from 'typescript'

/**
 * @typedef {object} MiniProgramOptions
 * @property {string} folder Where `app.json` is.
 * @property {{ getLaunchOptionsSync(): object }} wx The phone, from `createFakeWx()`.
 * @property {Readonly<Record<string, string>>} npm The code of each npm package, by its name.
 * @property {() => number} [now] The phone's clock in milliseconds (default `Date.now`).
 *
 * @typedef {object} TapEvent
 * @property {Readonly<Record<string, unknown>>} [dataset] Tells which of several buttons, as `data-…` does.
 * @property {object} [detail] What WeChat tells with the event: the code of a phone number, for example.
 *
 * @typedef {object} OpenPage
 * @property {Readonly<Record<string, unknown>>} data What is on the screen.
 * @property {(text: string, event?: TapEvent) => Promise<void>} tap Taps the button with this text; settles when its
 *   handler does.
 * @property {() => void} close
 *
 * @typedef {object} MiniProgram
 * @property {() => void} launch Runs `app.ts` and its `onLaunch`.
 * @property {(path: string, query?: object) => OpenPage} open Runs a page of `app.json` up to its `onReady`.
 * @property {(path: string) => unknown} require A module of the running mini program, `'client'` for example.
 *
 * @typedef {{ onLaunch?: (options: object) => void }} AppOptions
 *
 * @typedef {object} PageOptions
 * @property {object} [data]
 * @property {(query: object) => void} [onLoad]
 * @property {() => void} [onShow]
 * @property {() => void} [onReady]
 * @property {() => void} [onUnload]
 */

/**
 * @param {MiniProgramOptions} options
 * @returns {MiniProgram}
 */
export function createMiniProgram({ folder, wx, npm, now = Date.now }) {
  /** @type {Map<string, { exports: unknown }>} */
  const modules = new Map()
  /** @type {AppOptions | undefined} */
  let app
  /** @type {Map<string, PageOptions>} */
  const registered = new Map()
  /** @type {object[]} */
  const openPages = []
  let opening = ''

  const context = vm.createContext(
    {
      wx,
      App: (/** @type {AppOptions} */ options) => {
        app = options
      },
      Page: (/** @type {PageOptions} */ options) => {
        registered.set(opening, options)
      },
      getApp: () => app,
      getCurrentPages: () => [...openPages],
      setTimeout,
      clearTimeout,
      console,
    },
    { codeGeneration: { strings: false, wasm: false } },
  )
  vm.runInContext('Date', context).now = now

  /** @param {string} id A path below the folder without its extension, or a package's name. */
  function load(id) {
    const loaded = modules.get(id)
    if (loaded) return loaded.exports

    const module = { exports: {} }
    modules.set(id, module)
    const run = vm.compileFunction(codeOf(id), ['exports', 'require', 'module'], {
      filename: id,
      parsingContext: context,
    })
    run(module.exports, (/** @type {string} */ request) => load(resolve(request, id)), module)
    return module.exports
  }

  /** @param {string} id */
  function codeOf(id) {
    const packaged = npm[id]
    if (packaged !== undefined) return packaged
    const source = ['.ts', '.js'].map((end) => join(folder, id + end)).find(existsSync)
    if (!source) throw new Error(`module '${id}.js' is not defined`)
    return compile(source)
  }

  return {
    launch() {
      load('app')
      app?.onLaunch?.(wx.getLaunchOptionsSync())
    },

    open(path, query = {}) {
      opening = path
      load(path)
      const options = registered.get(path)
      if (!options) throw new Error(`${path} does not call Page()`)

      const screen = readFileSync(join(folder, `${path}.wxml`), 'utf8')
      /** @type {Record<string, unknown>} */
      const data = jsonCopy(options.data ?? {})
      const page = Object.assign({}, options, {
        route: path,
        data,
        setData: (/** @type {object} */ changes) => Object.assign(data, jsonCopy(changes)),
      })
      openPages.push(page)
      page.onLoad?.(query)
      page.onShow?.()
      page.onReady?.()

      return {
        data,
        async tap(text, { dataset = {}, detail = {} } = {}) {
          const name = handlerOf(screen, text, data)
          const handler = Object.entries(page).find(([key]) => key === name)?.[1]
          if (typeof handler !== 'function') throw new Error(`${path} has no ${name}() for ${text}`)
          await handler.call(page, { type: 'tap', currentTarget: { dataset }, detail })
        },
        close() {
          openPages.splice(openPages.indexOf(page), 1)
          page.onUnload?.()
        },
      }
    },

    require: load,
  }
}

/** @param {string} request @param {string} from */
function resolve(request, from) {
  if (!request.startsWith('.')) return request
  return posix.join(posix.dirname(from), request).replace(/\.js$/, '')
}

/** @param {string} file */
function compile(file) {
  const { outputText, diagnostics = [] } = ts.transpileModule(readFileSync(file, 'utf8'), {
    fileName: file,
    reportDiagnostics: true,
    compilerOptions: { target: ts.ScriptTarget.ES2015, module: ts.ModuleKind.CommonJS },
  })
  for (const { messageText } of diagnostics) {
    throw new SyntaxError(`${file}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`)
  }
  return outputText
}

/**
 * The handler of the button with this text, which has to be visible.
 * @param {string} screen @param {string} text @param {Readonly<Record<string, unknown>>} data
 */
function handlerOf(screen, text, data) {
  for (const [, attributes = '', label = ''] of screen.matchAll(/<button([^>]*)>([^<]*)</g)) {
    if (label.trim() !== text) continue
    const [, not, name] = /wx:if="\{\{(!?)(\w+)\}\}"/.exec(attributes) ?? []
    const isHidden = name !== undefined && Boolean(data[name]) === (not === '!')
    if (isHidden) throw new Error(`The button ${text} is hidden`)
    return /bind(?:tap|getphonenumber)="(\w+)"/.exec(attributes)?.[1] ?? ''
  }
  throw new Error(`There is no button ${text}`)
}

/** `setData` sends JSON from the logic to the screen, so nothing else arrives. @param {object} value */
function jsonCopy(value) {
  return JSON.parse(JSON.stringify(value))
}
