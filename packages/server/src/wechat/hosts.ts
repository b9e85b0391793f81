const firstHostRetryMs = 30_000

export type HostList = readonly [string, ...string[]]

export interface Hosts {
  /** The hosts to try, one after the other. */
  candidates(): readonly string[]
  /** This host accepted a connection, so calls go there from now on. */
  reached(host: string): void
  /** The host that calls go to now. */
  current(): string
}

/** Stays on the host that works, and lets one call every 30 seconds try the first of the list again. */
export function createHosts(hosts: HostList, now: () => number): Hosts {
  const [preferred] = hosts
  let current = preferred
  let retryFirstAtMs = 0

  return {
    candidates() {
      // A single host is tried twice: a connection that was not made has sent nothing.
      if (hosts.length === 1) return [preferred, preferred]
      const isFirstDue = now() >= retryFirstAtMs
      if (isFirstDue) retryFirstAtMs = now() + firstHostRetryMs
      return [...new Set([isFirstDue ? preferred : current, current, ...hosts])]
    },

    reached(host) {
      if (host === current) return
      current = host
      retryFirstAtMs = now() + firstHostRetryMs
    },

    current: () => current,
  }
}

/** Throws a `TypeError` that names the option if it is not a list of origins, each with a path in front or none. */
export function checkHosts(
  name: string,
  hosts: unknown,
  { allowPlainHttp }: { readonly allowPlainHttp: boolean },
): HostList {
  const [first, ...others]: readonly unknown[] = Array.isArray(hosts) ? hosts : []
  const check = (host: unknown) => checkHost(name, host, allowPlainHttp)
  return [check(first), ...others.map(check)]
}

function checkHost(name: string, host: unknown, allowPlainHttp: boolean): string {
  const wanted = `${name} must list URLs such as https://api.weixin.qq.com or https://proxy.example.com/wechat, without user, query and fragment`
  const text = String(host)
  let url: URL
  try {
    url = new URL(text)
  } catch {
    throw new TypeError(wanted)
  }
  if (url.protocol !== 'https:' && url.protocol !== 'http:') throw new TypeError(wanted)
  // What is not to be seen is dropped by the parser.
  if (/[\s?#@\\%]/.test(text) || hasDots(text) || !path.test(url.pathname))
    throw new TypeError(wanted)
  if (url.protocol === 'http:' && !isLocal(url)) checkPlain(name, url, allowPlainHttp)
  if (isWeChat(url) && url.pathname !== '/') {
    throw new TypeError(`${name} must have no path on ${url.hostname}: each call adds its own`)
  }
  return url.origin + url.pathname.replace(/\/$/, '')
}

// A path that a proxy might read in another way is no path here.
const path = /^(\/[\w.~-]+)*\/?$/
const hasDots = (text: string) => /\/\.{1,2}(\/|$)/.test(text)

const isWeChat = ({ hostname }: URL) => /(^|\.)(qq\.com|wechat\.com)\.?$/.test(hostname)
const isLocal = ({ hostname }: URL) => /^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname)

/** The AppSecret and every code would be readable on the way. */
function checkPlain(name: string, url: URL, allowPlainHttp: boolean): void {
  const { hostname } = url
  if (isWeChat(url)) {
    throw new TypeError(
      `${name} must use https for ${hostname}; nothing permits http to WeChat itself`,
    )
  }
  if (allowPlainHttp === true) return
  throw new TypeError(
    `${name} must use https for ${hostname}: the AppSecret would be readable on the way. Inside a network of your own, allowPlainHttp: true permits http`,
  )
}
