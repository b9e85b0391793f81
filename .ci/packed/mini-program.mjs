// node mini-program.mjs <mini program> <request> [<translator>]: requires the packed client as a page does, where nothing exists but `wx`
// and the two timer functions, logs in and sends an authenticated request. Compiled for an upload it needs Babel's
// helpers, which are files of that mini program. With a translator it does so at a backend with a login of its own.
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { createContext, Script } from 'node:vm'

const [folder, request, translator] = process.argv.slice(2)

// Plain callbacks and ES5, as the platform's own object is seen from a page.
const runtime = new Script(`
  var storage = {}
  var sent = []
  var logins = 0
  var wx = {
    login: function (options) {
      logins++
      setTimeout(function () { options.success({ code: 'code-' + logins, errMsg: 'login:ok' }) }, 0)
    },
    request: function (options) {
      sent.push({ url: options.url, method: options.method || 'GET', header: options.header || {}, data: options.data })
      var isLogin = options.url === 'https://api.example.com/wx/login'
      var data = isLogin
        ? { access_token: 'access-1', token_type: 'Bearer', expires_in: 900, refresh_token: 'refresh-1', refresh_expires_in: 2592000, user_id: 'user-1' }
        : options.url === 'https://api.example.com/auth'
          ? { code: 0, data: { token: 'access-1' } }
          : { orders: [1, 2, 3] }
      setTimeout(function () {
        options.success({ statusCode: 200, header: { 'Content-Type': 'application/json' }, data: data, errMsg: 'request:ok' })
        if (options.complete) options.complete({ errMsg: 'request:ok' })
      }, 0)
      return { abort: function () {}, onHeadersReceived: function () {}, offHeadersReceived: function () {} }
    },
    getStorageSync: function (key) { return Object.prototype.hasOwnProperty.call(storage, key) ? storage[key] : '' },
    setStorageSync: function (key, value) { storage[key] = value },
    removeStorageSync: function (key) { delete storage[key] },
    getAccountInfoSync: function () { return { miniProgram: { appId: 'wx0000000000000001' } } },
    getEnterOptionsSync: function () { return { scene: 1001 } },
    onAppShow: function () {},
    onAppHide: function () {}
  }
`)

const context = createContext({ setTimeout, clearTimeout })
runtime.runInContext(context)
// V8 puts these into every context; a mini program cannot count on them.
const extras = ['console', 'WebAssembly', 'SharedArrayBuffer', 'Atomics', 'globalThis']
new Script(extras.map((name) => `delete this.${name}`).join('\n')).runInContext(context)

function load(path) {
  const module = { exports: {} }
  const code = `(function (module, exports, require) {${readFileSync(path, 'utf8')}\n})`
  const run = new Script(code, { filename: path }).runInContext(context)
  run(module, module.exports, (request) => {
    const required = resolve(dirname(path), request.replace(/(\.js)?$/, '.js'))
    if (required.startsWith(join(folder, '@babel'))) return load(required)
    throw new Error(`the packed client requires ${request}; it has to be one file`)
  })
  return module.exports
}

function loadPacked(request) {
  const packed = join(folder, 'miniprogram_npm', request)
  const file = [`${packed}.js`, join(packed, 'index.js')].find(existsSync)
  assert.ok(file, `${request} was not packed`)
  return load(file)
}

const { createClient } = loadPacked(request)
assert.equal(typeof createClient, 'function')

const baseUrl = 'https://api.example.com'
const backend = {
  login: ({ code }) => ({ url: '/auth', data: { code } }),
  tokens: ({ data }) => ({ accessToken: data.data.token, userId: 'user-1' }),
}
const client = createClient({
  baseUrl,
  authPath: '/wx',
  ...(translator && {
    wx: loadPacked(translator).createTranslator({ wx: context.wx, baseUrl, backend }),
  }),
})
const { data, statusCode } = await client.request({ url: '/orders' })

assert.equal(statusCode, 200)
assert.deepEqual([...data.orders], [1, 2, 3])
assert.equal(context.logins, 1)
assert.equal(client.session()?.userId, 'user-1')

const [login, orders] = context.sent
assert.equal(login.method, 'POST')
const body = typeof login.data === 'string' ? JSON.parse(login.data) : login.data
assert.equal(body.code, 'code-1')
if (translator) {
  assert.equal(login.url, 'https://api.example.com/auth')
  assert.equal(body.app_id, undefined)
} else {
  assert.equal(body.app_id, 'wx0000000000000001')
  assert.match(headerOf(login, 'idempotency-key'), /^[A-Za-z0-9_-]{22,64}$/)
}
assert.equal(orders.url, 'https://api.example.com/orders')
assert.equal(headerOf(orders, 'authorization'), 'Bearer access-1')

function headerOf({ header }, name) {
  const key = Object.keys(header).find((candidate) => candidate.toLowerCase() === name)
  return key === undefined ? undefined : header[key]
}
