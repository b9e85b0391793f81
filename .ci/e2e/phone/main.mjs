// The phone: runs a compiled mini program on Tencent's component framework, in a page of a browser.
import * as glassEasel from 'glass-easel'
import { MiniProgramEnv } from 'glass-easel-miniprogram-adapter'
import { createModules } from './modules.mjs'
import { createWx } from './wx.mjs'

// Handlers named in `bind…` may be put on the page object after its creation, as uni-app does.
glassEasel.globalOptions.useMethodCallerListeners = true

const { modules, templates, styles, configs } = globalThis.compiledMiniProgram
const environment = new MiniProgramEnv()
const codeSpace = environment.createCodeSpace('', true)
const backend = environment.associateBackend(touchScreen())
const appConfig = configs.app

for (const [path, content] of Object.entries(templates)) {
  codeSpace.addCompiledTemplate(path, {
    groupList: templates,
    content,
    // `bindtap` as well as `bind:tap`.
    fallbackListenerOnNativeNode: true,
  })
}
for (const [path, css] of Object.entries(styles)) {
  codeSpace.addStyleSheet(path, path, path)
  backend.registerStyleSheetContent(path, css)
}

let app
const openPages = []
let registering

const load = createModules(modules, {
  wx: createWx(),
  App: (options) => {
    app = options
  },
  // Modules that many pages share register for the page that is being loaded.
  Page: (definition) => registering.Page(definition),
  Component: (definition) => registering.Component(definition),
  Behavior: (definition) => registering.Behavior(definition),
  getApp: () => app,
  getCurrentPages: () => [...openPages],
})

/** What scanning a mini-program code does: WeChat re-launches to its page, with the scene. */
globalThis.phone.scan = (path, scene) => {
  globalThis.phone.entrance = 1047
  document.querySelector('main').replaceChildren()
  open(path, { scene })
}

start()

function start() {
  document.title = appConfig.window.navigationBarTitleText
  document.querySelector('header').textContent = document.title

  load('app.js')
  const launched = { path: appConfig.pages[0], scene: 1001, query: {}, referrerInfo: {} }
  app.onLaunch?.(launched)
  app.onShow?.(launched)
  for (const path of componentsOf(appConfig.pages)) register(path)
  open(appConfig.pages[0])
}

/** Pages last: what they use has to be there. */
function componentsOf(pages) {
  const components = Object.keys(configs).filter((path) => configs[path].component === true)
  return [...new Set([...components, ...pages])]
}

function register(path) {
  codeSpace.addComponentStaticConfig(path, { ...configs[path] })
  codeSpace.componentEnv(path, (registrars) => {
    registering = registrars
    load(`${path}.js`)
  })
}

function open(path, query = {}) {
  const root = backend.createRoot('page', codeSpace, path)
  const page = root.get()
  Object.assign(page, { route: path, options: query })
  openPages.push(page)

  const screen = document.querySelector('main')
  const placeholder = document.createElement('span')
  screen.append(placeholder)
  page.onLoad?.(query)
  root.attach(screen, placeholder)
  page.onShow?.()
  page.onReady?.()
}

/** The browser's page, whose touches become the taps of the mini program. */
function touchScreen() {
  const context = new glassEasel.CurrentWindowBackendContext()
  context.document = {
    createElement,
    createTextNode: (text) => document.createTextNode(text),
    createDocumentFragment: () => document.createDocumentFragment(),
  }
  context.onEvent((target, type, detail, options) => {
    glassEasel.Event.dispatchEvent(target, new glassEasel.Event(type, detail, options))
  })
  return context
}

function createElement(tagName) {
  const element = document.createElement(tagName)
  if (tagName !== 'button') return element
  element.setAttribute = (name, value) => {
    // An empty text is false to WeChat, and true to a browser.
    if (name === 'disabled' && value === '') return
    HTMLElement.prototype.setAttribute.call(element, name, value)
  }
  return element
}
