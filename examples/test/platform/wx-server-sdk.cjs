// In the place of wx-server-sdk 4: the context is in the environment of the process, anew for each call.
exports.DYNAMIC_CURRENT_ENV = Symbol('DYNAMIC_CURRENT_ENV')
exports.init = () => {}

exports.getWXContext = () => {
  const { WX_CONTEXT_KEYS = '', TCB_SOURCE, TCB_ENV } = process.env
  /** @type {Record<string, unknown>} */
  const context = { ENV: TCB_ENV, ...(TCB_SOURCE && { SOURCE: TCB_SOURCE }) }
  for (const key of WX_CONTEXT_KEYS.split(',')) {
    const value = process.env[key]
    if (value === undefined) continue
    context[key.replace(/^WX_/, '')] = /^-?\d+$/.test(value) ? Number(value) : value
  }
  return context
}
