// The emulated WeChat in a process of its own, or a thread, so that its work is not counted as the backend's.
import { parentPort, workerData } from 'node:worker_threads'
import { createFakeWeChat } from '@wxlogin/server/testing'

const parent = parentPort ?? process
const answer = (message) => (parentPort ? parentPort.postMessage(message) : process.send(message))

const wechat = createFakeWeChat(workerData ?? {})
const server = await wechat.listen()

let people = 0
parent.on('message', (question) => {
  if (question === 'report') {
    const exchanged = wechat.calls.filter(({ errcode }) => errcode === 0).length
    return answer({ exchanged })
  }
  const { codes } = question
  answer(Array.from({ length: codes }, () => wechat.codeFor(`person-${people++}`)))
})
answer({ app: wechat.app, url: server.url })
