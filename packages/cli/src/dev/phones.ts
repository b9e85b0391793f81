import vm from 'node:vm'
import { explain } from '@wxlogin/client/explain'
import type * as full from '@wxlogin/client/full'
import {
  createFakeWx,
  type FakeNetworkRequest,
  type FakeNetworkResponse,
  type FakeWx,
} from '@wxlogin/client/testing'
import type { FakeWeChat } from '@wxlogin/server/testing'
import type { Text } from '../text.js'
import type { Log } from './log.js'
import { phoneHeader } from './recording-proxy.js'

export const phoneActions = [
  'launch',
  'request',
  'ten',
  'login',
  'phone',
  'open-data',
  'logout',
  'background',
  'offline',
] as const

export type PhoneAction = (typeof phoneActions)[number]

/** A phone as the page shows it. Holds no secret. */
export interface PhoneState {
  readonly id: string
  readonly title: Text
  /** What is special about it. */
  readonly about?: Text
  readonly isRunning: boolean
  readonly isHidden: boolean
  readonly isOffline: boolean
  /** How many actions are under way. */
  readonly busy: number
  readonly deniesPhone: boolean
  readonly user?: { readonly id: string; readonly name?: string }
}

export interface Phones {
  list(): readonly PhoneState[]
  has(id: string): boolean
  /** Resolves when the phone is done with it. */
  act(id: string, action: PhoneAction): Promise<void>
  /** The next phone button is refused by its user. */
  denyPhone(id: string): void
  /** Replaces the session_key of this phone's user, as a login elsewhere may do. */
  replaceSessionKey(id: string): void
}

export interface PhonesOptions {
  readonly wechat: FakeWeChat
  /** The code of `@wxlogin/client/full`, which runs on a phone as it is. */
  readonly phoneCode: string
  readonly backendUrl: string
  readonly authPath: string
  /** What the request button asks for. */
  readonly path: string
  readonly appId: string
  /** The AppID of DevTools that have none of their own. */
  readonly touristAppId: string
  /** The phones' clock, which may be wrong. */
  readonly phoneNow: () => number
  readonly now: () => number
  readonly log: Log
  readonly onChange: () => void
}

interface Kind {
  readonly id: string
  readonly person: string
  readonly title: Text
  readonly about?: Text
  /** Whose number the phone button gives, if not the person's own. */
  readonly numberOf?: string
  readonly isTourist?: boolean
}

/** The person whom the emulated WeChat sees behind the code of a client with `sandbox: true`. */
export const sandboxPerson = 'sandbox'

const kinds: readonly Kind[] = [
  { id: 'ming', person: 'ming', title: { en: 'Ming', zh: '小明' } },
  { id: 'hong', person: 'hong', title: { en: 'Hong', zh: '小红' } },
  {
    id: 'guest',
    person: 'guest',
    numberOf: 'ming',
    title: { en: 'Guest', zh: '访客' },
    about: { en: 'has Ming’s phone number', zh: '手机号是小明的' },
  },
  {
    id: 'devtools',
    person: sandboxPerson,
    isTourist: true,
    title: { en: 'DevTools', zh: '开发者工具' },
    about: { en: 'has no AppID', zh: '没有 AppID' },
  },
]

type Client = full.Client<{ name?: string } | undefined>

interface Running {
  readonly wx: FakeWx
  readonly client: Client
}

/** Phones that are held by seeded people. The client on them is the one that mini programs ship. */
export function createPhones(options: PhonesOptions): Phones {
  const { wechat, backendUrl, authPath, path, log, now, phoneNow, onChange } = options
  const phones = new Map(kinds.map((kind) => [kind.id, createPhone(kind)]))

  function createPhone({ id, person, title, about, numberOf = person, isTourist = false }: Kind) {
    const appId = isTourist ? options.touristAppId : options.appId
    let wx: FakeWx = createFakeWx({
      appId,
      wechat,
      user: person,
      network: (request) => networkOf(id, request),
      clock: {
        now: phoneNow,
        setTimeout: wait,
        clearTimeout: (timer) => clearTimeout(timer as NodeJS.Timeout),
      },
      envVersion: isTourist ? 'develop' : 'release',
      touristMode: isTourist,
    })
    let running: Running | undefined
    let isHidden = false
    let isOffline = false
    let deniesPhone = false
    let busy = 0

    function note(action: string, isOk: boolean, text: Text) {
      log.add({ type: 'phone', atMs: now(), phone: id, action, isOk, ...text })
    }

    function start(): Running {
      if (running) wx = wx.control.restart()
      isHidden = false
      wx.control.launch()
      const { createClient } = load(options.phoneCode, { wx, now: phoneNow })
      const client: Client = createClient({
        baseUrl: backendUrl,
        authPath,
        appId,
        wx,
        device: title.en,
        ...(isTourist && { sandbox: true }),
      })
      client.onChange(({ session, reason }) => {
        note('session', session !== undefined, changes[reason] ?? { en: reason, zh: reason })
        onChange()
      })
      running = { wx, client }
      return running
    }

    async function run(action: PhoneAction): Promise<Text | undefined> {
      if (action === 'launch') {
        const session = await start().client.launch()
        return session ? undefined : { en: 'nobody is signed in', zh: '没有登录' }
      }
      const { client } = running ?? start()
      switch (action) {
        case 'request':
          return answered(await client.request({ url: path }))
        case 'ten':
          return tenAnswered(
            await Promise.allSettled(
              Array.from({ length: 10 }, () => client.request({ url: path })),
            ),
          )
        case 'login': {
          const { userId, data } = await client.login({ force: true })
          const name = data?.name ?? userId
          return { en: `signed in: ${name}`, zh: `已登录：${name}` }
        }
        case 'phone': {
          const { session } = await client.bindPhone({ detail: phoneDetail() })
          const name = session?.data?.name ?? session?.userId
          return { en: `the number is ${name}’s`, zh: `手机号属于 ${name}` }
        }
        case 'open-data': {
          const steps = [{ timestamp: Math.floor(phoneNow() / 1000), step: 6_174 }]
          const data = wechat.openDataFor(person, { stepInfoList: steps }, { appId })
          return answered(await client.request({ url: '/open-data', method: 'POST', data }))
        }
        case 'logout':
          await client.logout()
          return { en: 'signed out', zh: '已退出' }
        case 'background':
          if (isHidden) wx.control.show()
          else wx.control.hide()
          isHidden = !isHidden
          return isHidden
            ? { en: 'in the background; after 5 s it is suspended', zh: '进入后台，5 秒后挂起' }
            : { en: 'in front again', zh: '回到前台' }
        case 'offline':
          if (isOffline) wx.control.online()
          else wx.control.offline()
          isOffline = !isOffline
          return isOffline
            ? { en: 'no network', zh: '断网' }
            : { en: 'network again', zh: '网络恢复' }
      }
    }

    /** What the getPhoneNumber button tells. */
    function phoneDetail(): { code?: string; errMsg: string; errno?: number } {
      if (deniesPhone) {
        deniesPhone = false
        return { errMsg: 'getPhoneNumber:fail user deny' }
      }
      const phoneNumber = wechat.phoneNumberOf(numberOf)
      return {
        code: wechat.phoneCodeFor(person, { appId, phoneNumber }),
        errMsg: 'getPhoneNumber:ok',
      }
    }

    return {
      state(): PhoneState {
        const session = running?.client.session()
        return {
          id,
          title,
          ...(about && { about }),
          isRunning: running !== undefined,
          isHidden,
          isOffline,
          busy,
          deniesPhone,
          ...(session && {
            user: {
              id: session.userId,
              ...(session.data?.name !== undefined && { name: session.data.name }),
            },
          }),
        }
      },

      async act(action: PhoneAction): Promise<void> {
        busy += 1
        onChange()
        try {
          const text = await run(action)
          if (text) note(action, true, text)
        } catch (error) {
          note(action, false, failed(error))
        } finally {
          busy -= 1
          onChange()
        }
      },

      denyPhone() {
        deniesPhone = true
      },

      replaceSessionKey: () => wechat.rotateSessionKeyOf(person, { appId }),
    }
  }

  function phoneOf(id: string) {
    const phone = phones.get(id)
    if (!phone) throw new TypeError(`id must be one of ${[...phones.keys()].join(', ')}`)
    return phone
  }

  return {
    list: () => [...phones.values()].map((phone) => phone.state()),
    has: (id) => phones.has(id),
    act: (id, action) => phoneOf(id).act(action),
    denyPhone: (id) => phoneOf(id).denyPhone(),
    replaceSessionKey: (id) => phoneOf(id).replaceSessionKey(),
  }
}

const changes: Readonly<Record<string, Text>> = {
  login: { en: 'a new session', zh: '新的会话' },
  refresh: { en: 'new tokens', zh: '换了新令牌' },
  phone: { en: 'the session of the number’s owner', zh: '换成手机号主人的会话' },
  logout: { en: 'signed out', zh: '已退出' },
  signed_out: { en: 'signed out by the server', zh: '被服务器登出' },
  ended: { en: 'the session is over', zh: '会话已失效' },
  storage: { en: 'storage changed', zh: '本地存储变了' },
}

/** A timer of a phone, which does not keep the sandbox from ending. */
const wait = (run: () => void, ms: number) => setTimeout(run, ms).unref()

/** Loads the client where there is nothing but the platform, with the phone's clock. */
function load(code: string, { wx, now }: { wx: FakeWx; now: () => number }): typeof full {
  const context = vm.createContext(
    { wx, setTimeout: wait, clearTimeout, console: { warn: () => undefined } },
    { codeGeneration: { strings: false, wasm: false } },
  )
  vm.runInContext('Date', context).now = now
  const module = { exports: {} as typeof full }
  vm.compileFunction(code, ['exports', 'module'], { parsingContext: context })(
    module.exports,
    module,
  )
  return module.exports
}

/** Leaves the phone by this machine's network, with the phone's name on it. */
async function networkOf(
  phone: string,
  { url, method, header, body, signal }: FakeNetworkRequest,
): Promise<FakeNetworkResponse> {
  const response = await fetch(url, {
    method,
    headers: { ...header, [phoneHeader]: phone },
    signal,
    ...(body !== undefined && { body }),
  })
  return {
    statusCode: response.status,
    header: Object.fromEntries(response.headers),
    body: await response.arrayBuffer(),
  }
}

function answered({ statusCode, data }: { statusCode: number; data: unknown }): Text {
  if (!Array.isArray(data)) return { en: `answered ${statusCode}`, zh: `返回 ${statusCode}` }
  return {
    en: `answered ${statusCode}, ${data.length} of them`,
    zh: `返回 ${statusCode}，共 ${data.length} 条`,
  }
}

/** One sentence about all; the first failure where there is one. */
function tenAnswered(outcomes: readonly PromiseSettledResult<unknown>[]): Text {
  const failure = outcomes.find((outcome) => outcome.status === 'rejected')
  if (failure) throw failure.reason
  return { en: `all ${outcomes.length} answered`, zh: `${outcomes.length} 个请求都有结果` }
}

function failed(error: unknown): Text {
  const { code = 'error', reason } = Object(error)
  const { todo, zh } = explain(error)
  const name = reason === undefined || reason === code ? code : `${code} (${reason})`
  return { en: `${name}: ${todo}`, zh: `${name}：${zh}` }
}
