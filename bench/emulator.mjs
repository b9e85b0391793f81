// The emulated WeChat in a thread of its own, so that its work is not counted as the backend's.
import { parentPort } from 'node:worker_threads'
import { createFakeWeChat } from '@wxlogin/server/testing'

const wechat = createFakeWeChat()
const server = await wechat.listen()

let people = 0
parentPort.on('message', ({ codes }) => {
  parentPort.postMessage(Array.from({ length: codes }, () => wechat.codeFor(`person-${people++}`)))
})
parentPort.postMessage({ app: wechat.app, url: server.url })
