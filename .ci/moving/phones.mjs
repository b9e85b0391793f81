// Phones that run the mini programs of the guide, of the old version and of the new one, on the client's emulated `wx`.
import { once } from 'node:events'
import { Agent, request as send } from 'node:http'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { build } from 'esbuild'

const entries = {
  old: "export { request } from './before/request'",
  new: "export { request, client } from './after/client'; import './after/app'",
}

/** Both versions, each as one function of `wx`. */
export async function bundleVersions(folder) {
  const versions = {}
  for (const [name, contents] of Object.entries(entries)) {
    const { outputFiles } = await build({
      stdin: { contents, resolveDir: join(folder, 'mini-program') },
      bundle: true,
      format: 'cjs',
      platform: 'neutral',
      mainFields: ['module', 'main'],
      write: false,
    })
    versions[name] = new Function('wx', 'App', 'module', outputFiles[0].text)
  }
  return versions
}

/**
 * @param {object} options
 * @param {Record<string, Function>} options.versions
 * @param {() => 'old' | 'new'} options.released Which version a launch starts.
 * @param {object} options.counter Hears of everything.
 */
export function createPhone({
  user,
  versions,
  released,
  wechat,
  url,
  createFakeWx,
  counter,
  launchEveryMs,
  pauseMs,
}) {
  const agent = new Agent({ keepAlive: true })
  const network = async ({ url: asked, method, header, body, signal }) => {
    const { pathname, search } = new URL(asked)
    if (headerOf(header, 'authorization')) counter.token(version)
    const outgoing = send(url + pathname + search, { agent, method, headers: header, signal })
    outgoing.end(body)
    const [answer] = await once(outgoing, 'response')
    const parts = []
    for await (const part of answer) parts.push(part)
    counter.wire(pathname, answer.statusCode)
    return {
      statusCode: answer.statusCode,
      header: answer.headers,
      body: Buffer.concat(parts).toString(),
    }
  }
  let wx = createFakeWx({ user, wechat, network })
  let isOn = true
  let version
  let userId

  async function live() {
    while (isOn) {
      version = released()
      const app = launch()
      const until = Date.now() + launchEveryMs * (0.5 + Math.random())
      while (isOn && Date.now() < until) {
        await ask(app)
        await delay(pauseMs * Math.random() * 2)
      }
      wx = wx.control.restart()
    }
  }

  function launch() {
    const module = { exports: {} }
    // The old version sends whoever its backend refuses to the login page.
    Object.assign(wx, { navigateTo: ({ url: page }) => /login/.test(page) && counter.loggedOut() })
    const register = ({ onLaunch }) => onLaunch.call({}, wx.control.launch())
    versions[version](wx, register, module)
    module.exports.client?.onChange(({ session }) => session || counter.loggedOut())
    return module.exports
  }

  async function ask({ request }) {
    try {
      const { id } = await request('/api/me')
      userId ??= id
      counter.asked(id === userId ? undefined : 'another user')
    } catch (error) {
      counter.asked(error.code || error.message || 'an answer without a message')
    }
  }

  const living = live()
  return {
    user,
    userId: () => userId,
    version: () => version,
    async switchOff() {
      isOn = false
      await living
      agent.destroy()
    },
  }
}

function headerOf(headers, name) {
  const found = Object.keys(headers).find((one) => one.toLowerCase() === name)
  return found && headers[found]
}
