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

/** Throws a `TypeError` that names the option if it is not a list of origins. */
export function checkHosts(name: string, hosts: unknown): HostList {
  const [first, ...others]: readonly unknown[] = Array.isArray(hosts) ? hosts : []
  return [checkHost(name, first), ...others.map((host) => checkHost(name, host))]
}

function checkHost(name: string, host: unknown): string {
  const wanted = `${name} must list origins such as https://api.weixin.qq.com; http only for localhost`
  let url: URL
  try {
    url = new URL(String(host))
  } catch {
    throw new TypeError(wanted)
  }
  const isLocal = /^(localhost|127(\.\d+){3}|\[::1\])$/.test(url.hostname)
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && isLocal))
    throw new TypeError(wanted)
  if (url.pathname !== '/' || url.search !== '' || url.hash !== '' || url.username !== '') {
    throw new TypeError(wanted)
  }
  return url.origin
}
