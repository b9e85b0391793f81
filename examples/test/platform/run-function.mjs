// node run-function.mjs <folder>: an instance of the platform with the function in this folder. Each message is a call:
// { id, event, context }, and is answered by { id, result } or { id, error }.
import { createRequire } from 'node:module'

const { main } = createRequire(import.meta.url)(process.argv[2] ?? '')
let last = Promise.resolve()
/** @param {object} message */
const send = (message) => process.send?.(message)

process.on('message', ({ id, event, context }) => {
  // An instance has one call at a time.
  last = last.then(async () => {
    const { SOURCE, ENV, ...identity } = context
    process.env.TCB_SOURCE = SOURCE
    process.env.TCB_ENV = ENV ?? 'test'
    for (const key of ['OPENID', 'APPID', 'UNIONID']) delete process.env[`WX_${key}`]
    for (const [key, value] of Object.entries(identity)) process.env[`WX_${key}`] = value
    process.env.WX_CONTEXT_KEYS = Object.keys(identity)
      .map((key) => `WX_${key}`)
      .join(',')
    try {
      send({ id, result: await main(event, { request_id: String(id) }) })
    } catch (error) {
      send({ id, error: String(error) })
    }
  })
})
send({ id: 'ready' })
