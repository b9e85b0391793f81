// A web-view without WeChat: it loads a page over HTTP, keeps its cookies, and runs its script in a world that has what
// the script needs and nothing else. Like every browser it tells no server what stands in the fragment.
import vm from 'node:vm'

/**
 * @typedef {object} WebViewOptions
 * @property {(origin: string) => string} addressOf Where the server of an origin listens.
 * @property {(line: string) => void} [onRequest] Told of each request as a server logs it: `GET /h5/ 200`.
 *
 * @typedef {object} WebView
 * @property {(url: string) => Promise<WebPage>} open Loads a page, and settles when its script has nothing to wait for.
 *
 * @typedef {object} WebPage
 * @property {(selector: string) => string} textAt What is on the screen there.
 * @property {() => string} address What the address line says.
 * @property {() => string} scriptCookies What the script sees of the cookies.
 */

/**
 * @param {WebViewOptions} options
 * @returns {WebView}
 */
export function createWebView({ addressOf, onRequest = () => undefined }) {
  /** @type {Map<string, { value: string, isHttpOnly: boolean }>} */
  const cookies = new Map()

  const cookieText = (/** @type {boolean} */ isScript) =>
    [...cookies]
      .filter(([, { isHttpOnly }]) => !(isScript && isHttpOnly))
      .map(([name, { value }]) => `${name}=${value}`)
      .join('; ')

  /** @param {URL} url @param {{ method?: string, headers?: Record<string, string>, body?: string }} [init] */
  async function load(url, { method = 'GET', headers = {}, body } = {}) {
    const target = url.pathname + url.search
    const response = await fetch(addressOf(url.origin) + target, {
      method,
      headers: { ...headers, cookie: cookieText(false) },
      ...(body !== undefined && { body }),
    })
    for (const line of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
      cookies.set(name, { value, isHttpOnly: /; httponly/i.test(line) })
    }
    onRequest(`${method} ${target} ${response.status}`)
    return response
  }

  return {
    async open(address) {
      let url = new URL(address)
      const page = await (await load(url)).text()
      const [, source = ''] = /<script src="([^"]+)">/.exec(page) ?? []
      const script = await (await load(new URL(source, url))).text()

      /** @type {Map<string, { textContent: string }>} */
      const elements = new Map()
      const element = () => ({
        textContent: '',
        replaceChildren(/** @type {{ textContent: string }[]} */ ...children) {
          this.textContent = children.map(({ textContent }) => textContent).join(' · ')
        },
      })
      /** @type {Promise<unknown>[]} */
      const underWay = []
      const context = vm.createContext({
        get location() {
          const { hash, pathname, search } = url
          return { hash, pathname, search }
        },
        history: {
          replaceState(/** @type {unknown} */ _state, /** @type {string} */ _title, next = '') {
            url = new URL(next, url)
          },
        },
        document: {
          get cookie() {
            return cookieText(true)
          },
          createElement: element,
          querySelector(/** @type {string} */ selector) {
            const found = elements.get(selector) ?? element()
            elements.set(selector, found)
            return found
          },
        },
        fetch(/** @type {string} */ path, /** @type {object} */ init) {
          const answer = load(new URL(path, url), init)
          underWay.push(answer)
          return answer
        },
      })
      vm.runInContext(script, context)
      for (let seen = -1; seen < underWay.length; ) {
        seen = underWay.length
        await Promise.allSettled(underWay)
        // What the script does with an answer, the next request for example.
        await new Promise((done) => setTimeout(done, 20))
      }

      return {
        textAt: (selector) => elements.get(selector)?.textContent ?? '',
        address: () => url.href,
        scriptCookies: () => cookieText(true),
      }
    },
  }
}
