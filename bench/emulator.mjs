// The emulated WeChat in a thread of its own, so that its work is not counted as the backend's.
import { parentPort, workerData } from 'node:worker_threads'
import { createFakeWeChat } from '@wxlogin/server/testing'

const wechat = createFakeWeChat(workerData ?? {})
const server = await wechat.listen()

let people = 0
parentPort.on('message', (question) => {
  if (question === 'report') {
    const exchanged = wechat.calls.filter(({ errcode }) => errcode === 0).length
    return parentPort.postMessage({ exchanged })
  }
  const { codes } = question
  parentPort.postMessage(Array.from({ length: codes }, () => wechat.codeFor(`person-${people++}`)))
})
parentPort.postMessage({ app: wechat.app, url: server.url })
