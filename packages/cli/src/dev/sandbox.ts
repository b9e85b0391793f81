import { randomBytes } from 'node:crypto'
import type { Server } from 'node:http'
import type { AuthEvent } from '@wxlogin/server'
import { createFakeWeChat } from '@wxlogin/server/testing'
import { CliError } from '../errors.js'
import { createMask, type Mask } from '../mask.js'
import { type BuiltInBackend, createBuiltInBackend } from './backend.js'
import { createCustomers } from './customers.js'
import { type Listening, listen } from './listen.js'
import { createLog, type Log } from './log.js'
import { createPageServer, type PageServer, type Setup } from './page-server.js'
import { createPhones, type Phones } from './phones.js'
import { createRecordingProxy } from './recording-proxy.js'
import { createTroubles } from './troubles.js'

export interface SandboxOptions {
  /** An address of loopback. */
  readonly host: string
  /** Of the page; the two after it are for the phones and for WeChat. 0: whichever are free. */
  readonly port: number
  /** The user's own backend; without it there is a built-in one. */
  readonly backend?: string
  /** The login service beside that backend: it gets what is below `authPath`. */
  readonly service?: string
  readonly appId: string
  readonly authPath: string
  /** What the phones' request button asks for. */
  readonly path: string
  /** The code of `@wxlogin/client/full`. */
  readonly phoneCode: string
  readonly pageFolder: URL
  readonly now: () => number
}

export interface Sandbox {
  readonly pageUrl: string
  /** What a mini program takes as `baseUrl`. */
  readonly phoneUrl: string
  /** What a backend takes as its one `wechatHosts`. */
  readonly wechatUrl: string
  readonly log: Log
  readonly phones: Phones
  close(): Promise<void>
}

/** The AppID of DevTools projects without one. */
export const touristAppId = 'touristappid'

const minuteMs = 60_000

/** An emulated WeChat, a backend or the way to one, phones, and the page that shows them. */
export async function createSandbox(options: SandboxOptions): Promise<Sandbox> {
  const { host, port, appId, authPath, path, phoneCode, pageFolder, now } = options
  const opened: (() => Promise<void>)[] = []
  const portOf = (place: number) => (port === 0 ? 0 : port + place)

  async function open(server: Server, wantedPort: number): Promise<Listening> {
    const listening = await listen(server, host, wantedPort).catch((cause) => {
      throw refusal(cause, { host, port: wantedPort, first: port })
    })
    opened.push(listening.close)
    return listening
  }

  async function close() {
    for (const end of opened.reverse()) await end()
  }

  // The servers' clock and the phones', so that one can be ahead of the other.
  let serverAheadMs = 0
  let phoneAheadMs = 0
  const serverNow = () => now() + serverAheadMs
  const phoneNow = () => now() + phoneAheadMs

  const log = createLog()
  const mask = createMask()
  let page: PageServer | undefined
  const tell = () => page?.tell()

  const apps = [...new Set([appId, touristAppId])].map((id) => ({
    appId: id,
    appSecret: randomBytes(16).toString('hex'),
    // The secret of somebody's own backend is nothing that has to be known here.
    takesAnySecret: true,
  }))
  const wechat = createFakeWeChat({ apps, now: serverNow })

  try {
    const emulator = await wechat.listen()
    opened.push(emulator.close)
    const toWeChat = createRecordingProxy({
      ...{ log, mask, now },
      from: 'backend',
      to: 'wechat',
      target: emulator.url,
    })
    const wechatDoor = await open(toWeChat, portOf(2))

    let builtIn: BuiltInBackend | undefined
    let backendUrl = options.backend
    if (backendUrl === undefined) {
      const customers = createCustomers({
        accountsOf: (person) =>
          apps.map((app) => ({ appId: app.appId, openid: wechat.openidOf(person, app) })),
        phoneNumberOf: wechat.phoneNumberOf,
      })
      builtIn = createBuiltInBackend({
        ...{ apps, authPath, customers },
        wechatUrl: wechatDoor.url,
        now: serverNow,
        onEvent(event) {
          log.add({ type: 'event', atMs: now(), event: shown(event, mask) })
          tell()
        },
      })
      opened.push(builtIn.close)
      backendUrl = (await open(builtIn.server, 0)).url
    }

    const toBackend = createRecordingProxy({
      ...{ log, mask, now },
      from: 'phone',
      to: 'backend',
      target: backendUrl,
      branch:
        options.service === undefined ? undefined : { path: authPath, target: options.service },
      withholds: () => troubles.withholds(),
    })
    const phoneDoor = await open(toBackend, portOf(1))

    const phones = createPhones({
      ...{ wechat, phoneCode, authPath, path, appId, log },
      touristAppId: builtIn ? touristAppId : appId,
      backendUrl: phoneDoor.url,
      ...{ now, phoneNow },
      onChange: tell,
    })
    const troubles = createTroubles({
      ...{ wechat, phones, log, now },
      passTime() {
        if (builtIn) {
          serverAheadMs += 16 * minuteMs
          phoneAheadMs += minuteMs
        } else {
          phoneAheadMs += 16 * minuteMs
        }
      },
      revoke:
        builtIn &&
        (async (phone) => {
          const userId = phones.list().find(({ id }) => id === phone)?.user?.id
          if (userId !== undefined) await builtIn.revoke(userId)
        }),
      onChange: tell,
    })

    const setup: Setup = {
      phoneUrl: phoneDoor.url,
      wechatUrl: wechatDoor.url,
      ...(options.backend !== undefined && { backendUrl: options.backend }),
      ...(options.service !== undefined && { serviceUrl: options.service }),
      ...{ appId, authPath, path },
    }
    page = createPageServer({
      ...{ pageFolder, log, phones, troubles },
      state: async () => ({
        setup,
        phones: phones.list(),
        troubles: troubles.list(),
        ...(builtIn && { sessions: await builtIn.sessions() }),
      }),
    })
    const pageDoor = await open(page.server, portOf(0))

    return {
      pageUrl: pageDoor.url,
      phoneUrl: phoneDoor.url,
      wechatUrl: wechatDoor.url,
      ...{ log, phones, close },
    }
  } catch (error) {
    await close()
    throw error
  }
}

/** An event without what cannot be shown: the error of a failure becomes its sentence. */
function shown(event: AuthEvent, mask: Mask) {
  if (event.type !== 'failure') return { ...event }
  const { error, ...rest } = event
  return { ...rest, message: mask.text(error instanceof Error ? error.message : 'unknown') }
}

interface Place {
  readonly host: string
  readonly port: number
  /** Of the three. */
  readonly first: number
}

function refusal(cause: unknown, { host, port, first }: Place): unknown {
  const { code } = Object(cause)
  const other = first < 65_000 ? first + 100 : 7410
  if (code === 'EADDRINUSE') {
    return new CliError(
      'failed',
      {
        en: `Port ${port} is taken, and ${first} to ${first + 2} are needed. End what listens there, or choose others: wxlogin dev --port ${other}`,
        zh: `端口 ${port} 已被占用，而这里需要 ${first} 到 ${first + 2}。请结束占用它的程序，或换别的端口：wxlogin dev --port ${other}`,
      },
      { cause },
    )
  }
  if (code === 'EACCES') {
    return new CliError(
      'failed',
      {
        en: `This user may not listen on port ${port}. Choose a port from 1024 on: wxlogin dev --port 7410`,
        zh: `当前用户不能监听端口 ${port}。请换 1024 以上的端口：wxlogin dev --port 7410`,
      },
      { cause },
    )
  }
  if (code === 'EADDRNOTAVAIL') {
    return new CliError(
      'failed',
      {
        en: `This machine has no ${host}. Leave --host away to use 127.0.0.1`,
        zh: `本机没有 ${host} 这个地址。去掉 --host，使用 127.0.0.1`,
      },
      { cause },
    )
  }
  return cause
}
