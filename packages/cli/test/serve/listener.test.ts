import { connect } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { startListener } from '../../src/serve/listener.js'

test('a connection on which nothing comes is ended, so that nobody keeps thousands for nothing', async () => {
  const { url, stop } = await startListener(
    { host: '127.0.0.1', port: 0 },
    'listen',
    (_, response) => response.end('ok'),
    { silentForMs: 100 },
  )
  onTestFinished(async () => void (await stop(0)))
  const { port, hostname } = new URL(url)

  const silent = connect(Number(port), hostname)

  await new Promise((ended) => silent.once('close', ended))
  expect(silent.bytesRead).toBe(0)
  expect((await fetch(url)).status).toBe(200)
})
