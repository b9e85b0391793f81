import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { CliError } from '../errors.js'
import type { Address } from './reach.js'
import type { SettingName } from './setting-names.js'

/** Something that listens. */
export interface Listener {
  readonly url: string
  /**
   * Accepts nothing more, waits for what is in flight, and cuts off what is not done in time. Resolves with whether
   * everything was.
   */
  stop(withinMs: number): Promise<boolean>
}

/** Longer than the balancers before it keep theirs: else one of them sends into a connection that is being closed. */
const keepAliveTimeoutMs = 75_000

/** `setting` is what says where. Throws `failed` where nothing can listen. */
export async function startListener(
  { host, port }: Address,
  setting: SettingName,
  answer: RequestListener,
  { silentForMs = 60_000 }: { readonly silentForMs?: number } = {},
): Promise<Listener> {
  let isStopping = false
  const server = createServer((request, response) => {
    // Whoever asks on a connection that stays open is told to make another one.
    if (isStopping) response.setHeader('connection', 'close')
    answer(request, response)
  })
  server.keepAliveTimeout = keepAliveTimeoutMs
  server.headersTimeout = keepAliveTimeoutMs + 1_000
  server.requestTimeout = 30_000
  // Longer than any answer takes. The others begin with the first byte, and whoever sends none would stay for good.
  server.timeout = silentForMs
  server.listen(port, host)
  await once(server, 'listening').catch((cause: unknown) => {
    const { code = 'unknown' } = Object(cause)
    throw new CliError(
      'failed',
      {
        en: `${host}:${port} cannot be listened to (${code}): choose another address with ${setting}`,
        zh: `无法监听 ${host}:${port}（${code}）：请用 ${setting} 换一个地址`,
      },
      { cause },
    )
  })

  return {
    url: urlOf(server),
    async stop(withinMs) {
      isStopping = true
      const closed = once(server, 'close').then(() => true)
      server.close()
      const idle = setInterval(() => server.closeIdleConnections(), 50)
      let giveUp: NodeJS.Timeout | undefined
      const late = new Promise<boolean>((over) => {
        giveUp = setTimeout(() => over(false), withinMs)
      })
      const isDone = await Promise.race([closed, late])
      clearInterval(idle)
      clearTimeout(giveUp)
      server.closeAllConnections()
      return isDone
    },
  }
}

function urlOf(server: Server): string {
  const { address, family, port } = server.address() as AddressInfo
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`
}
