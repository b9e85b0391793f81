import { createCipheriv, createDecipheriv, createHash, createHmac, randomBytes } from 'node:crypto'
import type { FakeWeChatApp, FakeWeChatAppChoice, People } from './people.js'
import type { Order, Shops } from './shops.js'

/** What sending a push needs of a `fetch`; the global one fits. */
export type FakeWeChatPushFetch = (
  url: string,
  init: { method: 'GET' | 'POST'; headers?: Record<string, string>; body?: string },
) => Promise<{ readonly status: number; text(): Promise<string> }>

/** The message push (消息推送) of a mini program, as its console has it. */
export interface FakeWeChatPushSettings {
  /** The backend's address; a query of its own stays. */
  readonly url: string
  readonly token: string
  /** 43 letters and digits; needed but for `plain`. */
  readonly encodingAesKey?: string
  /** Default `json`. */
  readonly format?: 'json' | 'xml'
  /** 明文, 兼容 (both at once) or 安全 (default: `secure` with an `encodingAesKey`, else `plain`). */
  readonly mode?: 'plain' | 'compatible' | 'secure'
  /** Sends them (default: the global `fetch`). */
  readonly fetch?: FakeWeChatPushFetch
}

/** A push as it goes over the network. */
export interface FakeWeChatPushRequest {
  readonly method: 'POST'
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** How the backend took one. */
export interface FakeWeChatPushed {
  readonly event: string
  /** The order that it is about. */
  readonly orderId: string
  /** 0 if there was no answer. */
  readonly status: number
  readonly body: string
  /** Whether WeChat is content, and does not send it again. */
  readonly isAccepted: boolean
}

/** Notifications of virtual payment. Each waits until `deliverPushes` has been called and the backend has accepted it. */
export interface FakeWeChatPushes {
  /**
   * Sets where the mini program's pushes go, and asks the address whether it knows the token, as the console does when
   * the settings are saved. Rejects if it does not.
   */
  setPush(settings: FakeWeChatPushSettings, choice?: FakeWeChatAppChoice): Promise<void>
  /**
   * Sends every push that waits, once. What the backend does not accept waits for the next call, 16 times in all; WeChat
   * sends again after 2, 4, 8, 16 … seconds.
   */
  deliverPushes(choice?: FakeWeChatAppChoice): Promise<readonly FakeWeChatPushed[]>
  /** Loses every push that waits, as a network does: they never come. Returns how many. */
  losePushes(choice?: FakeWeChatAppChoice): number
  /** The push about a payment, to send by hand: as often as you like, or with changes. Signed anew each time. */
  pushFor(orderId: string, choice?: FakeWeChatAppChoice): FakeWeChatPushRequest
}

/** The fields of a message. */
type Message = { readonly [name: string]: string | number | Message }

interface Push {
  readonly event: string
  readonly orderId: string
  readonly message: Message
  readonly onAccepted: () => void
  attempts: number
}

export interface Pushes {
  noteOrder(order: Order, isGame: boolean): void
  noteRefund(order: Order, refund: { readonly refundOrderId: string; readonly fee: number }): void
}

const maxAttempts = 16

export function createPushes({
  people,
  shops,
  now,
}: {
  people: People
  shops: Shops
  now: () => number
}) {
  const settings = new Map<FakeWeChatApp, FakeWeChatPushSettings>()
  const waiting = new Map<FakeWeChatApp, Set<Push>>()
  const byOrder = new Map<string, Push>()

  const nowSeconds = () => Math.floor(now() / 1000)

  function note(app: FakeWeChatApp, push: Omit<Push, 'attempts'>): Push {
    const whole = { ...push, attempts: 0 }
    waiting.set(app, (waiting.get(app) ?? new Set()).add(whole))
    return whole
  }

  const envelope = (event: string): Message => ({
    ToUserName: 'gh_0123456789ab',
    // WeChat's own, and not the buyer's.
    FromUserName: 'oWeChatItself000000000000000',
    CreateTime: nowSeconds(),
    MsgType: 'event',
    Event: event,
  })

  const pushes: Pushes = {
    noteOrder(order, isGame) {
      const { user, env, orderId, wxOrderId, paidAt, quantity, fee, attach, productId } = order
      const event = order.kind === 'goods' ? 'xpay_goods_deliver_notify' : 'xpay_coin_pay_notify'
      const info = { Quantity: quantity, OrigPrice: fee, ActualPrice: fee, Attach: attach }
      const about: Message = {
        OpenId: user.openid,
        OutTradeNo: orderId,
        Env: env,
        WeChatPayInfo: { MchOrderNo: wxOrderId, TransactionId: `42${wxOrderId}`, PaidTime: paidAt },
        ...(productId === undefined
          ? { CoinInfo: info }
          : { GoodsInfo: { ProductId: productId, ...info } }),
      }
      const message = {
        ...envelope(event),
        ...(isGame ? signedPayload(order, event, about) : about),
      }
      const onAccepted = () => {
        if (order.status === 2) order.status = 4
      }
      byOrder.set(
        `${user.app.appId} ${orderId}`,
        note(user.app, { event, orderId, message, onAccepted }),
      )
    },

    noteRefund({ user, orderId, wxOrderId }, { refundOrderId, fee }) {
      const event = 'xpay_refund_notify'
      const message = {
        ...envelope(event),
        OpenId: user.openid,
        WxRefundId: `RF${wxOrderId}`,
        MchRefundId: refundOrderId,
        WxOrderId: wxOrderId,
        MchOrderId: orderId,
        RefundFee: fee,
        RetCode: 0,
        RetMsg: 'ok',
        RefundStartTimestamp: nowSeconds(),
        RefundSuccTimestamp: nowSeconds(),
      }
      note(user.app, { event, orderId, message, onAccepted: () => undefined })
    },
  }

  /** Mini games get a text with a signature of its own. */
  function signedPayload({ user, env }: Order, event: string, about: Message): Message {
    const { appKey, sandboxAppKey } = shops.of(user.app)
    const payload = JSON.stringify(about)
    const signature = createHmac('sha256', env === 1 ? sandboxAppKey : appKey)
      .update(`${event}&${payload}`)
      .digest('hex')
    return { MiniGame: { Payload: payload, PayEventSig: signature, IsMock: 0 } }
  }

  function settingsOf(app: FakeWeChatApp): FakeWeChatPushSettings {
    const found = settings.get(app)
    if (found) return found
    throw new TypeError(`${app.appId} has no push settings; call setPush first`)
  }

  function requestOf(app: FakeWeChatApp, message: Message): FakeWeChatPushRequest {
    const { url, token, encodingAesKey = '', format = 'json', mode } = settingsOf(app)
    const isSecure = mode ?? (encodingAesKey === '' ? 'plain' : 'secure')
    const [timestamp, nonce] = [`${nowSeconds()}`, randomBytes(5).toString('hex')]
    const target = new URL(url)
    target.searchParams.set('signature', sha1(token, timestamp, nonce))
    target.searchParams.set('timestamp', timestamp)
    target.searchParams.set('nonce', nonce)
    let body: Message = message
    if (isSecure !== 'plain') {
      const Encrypt = encrypt(encodingAesKey, app.appId, write(format, message))
      target.searchParams.set('encrypt_type', 'aes')
      target.searchParams.set('msg_signature', sha1(token, timestamp, nonce, Encrypt))
      const { ToUserName = '' } = message
      body = isSecure === 'secure' ? { ToUserName, Encrypt } : { ...message, Encrypt }
    }
    return {
      method: 'POST',
      url: target.href,
      headers: { 'content-type': format === 'json' ? 'application/json' : 'text/xml' },
      body: write(format, body),
    }
  }

  async function send(app: FakeWeChatApp, push: Push): Promise<FakeWeChatPushed> {
    const { fetch = globalThis.fetch, encodingAesKey } = settingsOf(app)
    const { event, orderId } = push
    const { url, method, headers, body } = requestOf(app, push.message)
    push.attempts += 1
    const { status, text } = await fetch(url, { method, headers: { ...headers }, body }).then(
      async (response) => ({ status: response.status, text: await response.text() }),
      () => ({ status: 0, text: '' }),
    )
    const isAccepted = status === 200 && isContent(text, encodingAesKey)
    if (isAccepted) push.onAccepted()
    if (isAccepted || push.attempts === maxAttempts) waiting.get(app)?.delete(push)
    return { event, orderId, status, body: text, isAccepted }
  }

  const methods: FakeWeChatPushes = {
    async setPush(given, choice) {
      const app = people.appOf(choice)
      const { url, token, encodingAesKey, mode = 'plain', fetch = globalThis.fetch } = given
      if (!/^[A-Za-z0-9]{3,32}$/.test(token)) {
        throw new TypeError('token must be 3 to 32 letters and digits')
      }
      const needsKey = mode !== 'plain' || encodingAesKey !== undefined
      if (needsKey && !/^[A-Za-z0-9]{43}$/.test(encodingAesKey ?? '')) {
        throw new TypeError('encodingAesKey must be 43 letters and digits')
      }
      const target = new URL(url)
      const [timestamp, nonce] = [`${nowSeconds()}`, randomBytes(5).toString('hex')]
      const echostr = `${BigInt(`0x${randomBytes(8).toString('hex')}`)}`
      const query = { signature: sha1(token, timestamp, nonce), timestamp, nonce, echostr }
      for (const [name, value] of Object.entries(query)) target.searchParams.set(name, value)
      const response = await fetch(target.href, { method: 'GET' })
      const text = await response.text()
      if (response.status !== 200 || text !== echostr) {
        throw new TypeError(
          `${target.pathname} does not know the token: it answered the check with status ${response.status} and not with the echostr`,
        )
      }
      settings.set(app, given)
    },

    async deliverPushes(choice) {
      const app = people.appOf(choice)
      const results: FakeWeChatPushed[] = []
      for (const push of [...(waiting.get(app) ?? [])]) results.push(await send(app, push))
      return results
    },

    losePushes(choice) {
      const lost = waiting.get(people.appOf(choice))
      const count = lost?.size ?? 0
      lost?.clear()
      return count
    },

    pushFor(orderId, choice) {
      const app = people.appOf(choice)
      const push = byOrder.get(`${app.appId} ${orderId}`)
      if (!push) throw new TypeError(`Nothing was paid for the order ${orderId} in ${app.appId}`)
      return requestOf(app, push.message)
    },
  }

  return { pushes, methods }
}

/** Which answers end the repeats: nothing, `success`, or ErrCode 0 in either format, encrypted or not. */
function isContent(body: string, encodingAesKey: string | undefined): boolean {
  const text = body.trim()
  if (text === '' || text === 'success') return true
  if (/^\{/.test(text)) {
    try {
      const { ErrCode, Encrypt } = JSON.parse(text)
      if (typeof Encrypt === 'string' && encodingAesKey) {
        return isContent(decrypt(encodingAesKey, Encrypt), undefined)
      }
      return ErrCode === 0
    } catch {
      return false
    }
  }
  const encrypted = /<Encrypt><!\[CDATA\[(.*?)\]\]><\/Encrypt>/.exec(text)?.[1]
  if (encrypted && encodingAesKey) return isContent(decrypt(encodingAesKey, encrypted), undefined)
  return /^<xml>.*<ErrCode>(<!\[CDATA\[)?0(\]\]>)?<\/ErrCode>.*<\/xml>$/s.test(text)
}

function sha1(...parts: readonly string[]): string {
  return createHash('sha1')
    .update([...parts].sort().join(''))
    .digest('hex')
}

function write(format: 'json' | 'xml', message: Message): string {
  return format === 'json' ? JSON.stringify(message) : `<xml>${xmlOf(message)}</xml>`
}

function xmlOf(message: Message): string {
  return Object.entries(message)
    .map(([name, value]) => {
      const inner =
        typeof value === 'object'
          ? xmlOf(value)
          : typeof value === 'number'
            ? value
            : // As it has to be written where it holds the end of such a section.
              `<![CDATA[${value.replaceAll(']]>', ']]]]><![CDATA[>')}]]>`
      return `<${name}>${inner}</${name}>`
    })
    .join('')
}

const blockBytes = 32

/** 16 random bytes, the length, the message and the AppID, padded to blocks of 32 bytes. */
function encrypt(encodingAesKey: string, appId: string, message: string): string {
  const key = Buffer.from(`${encodingAesKey}=`, 'base64')
  const text = Buffer.from(message)
  const length = Buffer.alloc(4)
  length.writeUInt32BE(text.length)
  const whole = Buffer.concat([randomBytes(16), length, text, Buffer.from(appId)])
  const padding = blockBytes - (whole.length % blockBytes)
  const cipher = createCipheriv('aes-256-cbc', key, key.subarray(0, 16)).setAutoPadding(false)
  return Buffer.concat([
    cipher.update(whole),
    cipher.update(Buffer.alloc(padding, padding)),
    cipher.final(),
  ]).toString('base64')
}

function decrypt(encodingAesKey: string, encrypted: string): string {
  const key = Buffer.from(`${encodingAesKey}=`, 'base64')
  const decipher = createDecipheriv('aes-256-cbc', key, key.subarray(0, 16)).setAutoPadding(false)
  const whole = Buffer.concat([decipher.update(encrypted, 'base64'), decipher.final()])
  return whole.subarray(20, 20 + whole.readUInt32BE(16)).toString()
}
