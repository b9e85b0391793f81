// Loaded before an SDK whose host cannot be set: what it sends to WeChat over TLS arrives at the emulated one on this
// machine, and nothing leaves the machine. The SDK and its HTTP client stay as they are.
const http = require('node:http')
const https = require('node:https')
const net = require('node:net')

const emulator = new URL(process.env.WECHAT_URL)

https.request = (...args) => http.request(...redirected(args))
https.get = (...args) => https.request(...args).end()

const { connect } = net.Socket.prototype
net.Socket.prototype.connect = function (...args) {
  const [{ host = 'localhost' } = {}] = [args[0]].flat()
  if (!['localhost', emulator.hostname].includes(host)) {
    throw new Error(`an SDK wants to leave this machine for ${host}`)
  }
  return connect.apply(this, args)
}

/** The arguments of `https.request(url?, options?, callback?)`, for `http.request`. */
function redirected(args) {
  const url = typeof args[0] === 'string' ? new URL(args[0]) : args[0]
  const hasUrl = url instanceof URL
  const options = { ...(hasUrl ? args[1] : url) }
  const callback = args.findLast((arg) => typeof arg === 'function')
  const host = hasUrl ? url.hostname : (options.hostname ?? options.host)
  if (host !== 'api.weixin.qq.com') throw new Error(`an SDK speaks to ${host}`)
  return [
    {
      ...options,
      ...(hasUrl && { path: url.pathname + url.search }),
      protocol: 'http:',
      host: emulator.hostname,
      hostname: emulator.hostname,
      port: emulator.port,
      agent: undefined,
      headers: { ...options.headers, host },
    },
    callback,
  ].filter(Boolean)
}
