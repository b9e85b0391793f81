import { randomBytes } from 'node:crypto'
import type { Check, CheckResult, Finding } from './check.js'
import type { Project } from './project.js'

const noUrl = { en: 'no --url', zh: '没有 --url' } as const
// Tokens may be off by 30 seconds; an answer takes its time, and `Date` has no fractions.
const maxDriftSeconds = 60
const deadlineMs = 10_000
const maxAnswerBytes = 1_000_000

type Texts = Pick<Finding, 'problem' | 'todo'>

/** What the login route at an address answered. */
type Answer =
  | { readonly unreachable: string }
  | {
      readonly url: string
      readonly status: number
      readonly isJson: boolean
      readonly error: string | undefined
      readonly location: boolean
      readonly date: number | undefined
      readonly askedAt: number
      readonly answeredAt: number
    }

/**
 * Sends one login that cannot succeed, with a code that nobody has, and looks at the answer: routes, clock and, because
 * a backend asks WeChat about it, how it is set up.
 */
export const address: Check = async (project, { url, authPath, now, busy }) => {
  if (url === undefined) {
    return [
      { check: 'auth_path', why: noUrl },
      { check: 'clock', why: noUrl },
    ]
  }
  const path = authPath ?? pathOf(project)
  const appId = project.clients.map((one) => one.appId).find((one) => /^wx/.test(one ?? ''))
  const done = busy({ en: 'Asking the backend', zh: '正在询问后端' })
  const answer = await ask(`${url.replace(/\/+$/, '')}${path}/login`, appId, now).finally(done)
  if ('unreachable' in answer) {
    return [
      { check: 'auth_path', ...unreachable(url, answer.unreachable) },
      { check: 'clock', why: { en: 'the backend did not answer', zh: '后端没有应答' } },
    ]
  }
  return [...ofRoutes(answer, { url, path, appId }), ...ofClock(answer)]
}

function pathOf({ clients }: Project): string {
  const [written] = clients.flatMap(({ authPaths }) =>
    authPaths.flatMap((one) => ('literal' in one ? [one.literal] : [])),
  )
  return written ?? '/wx'
}

async function ask(url: string, appId: string | undefined, now: () => number): Promise<Answer> {
  const askedAt = now() / 1000
  try {
    const response = await fetch(url, {
      method: 'POST',
      redirect: 'manual',
      signal: AbortSignal.timeout(deadlineMs),
      headers: {
        'content-type': 'application/json',
        'idempotency-key': randomBytes(16).toString('base64url'),
      },
      body: JSON.stringify({
        code: `doctor-${randomBytes(12).toString('hex')}`,
        app_id: appId ?? 'wx0000000000000000',
      }),
    })
    const body = readJson(await textAtMost(response))
    const date = Date.parse(response.headers.get('date') ?? '')
    const { error } = body ?? {}
    return {
      url,
      status: response.status,
      isJson: body !== undefined,
      error: typeof error === 'string' ? error : undefined,
      location: response.headers.has('location'),
      date: Number.isNaN(date) ? undefined : date / 1000,
      askedAt,
      answeredAt: now() / 1000,
    }
  } catch (error) {
    const { cause = error, name } = Object(error)
    const { code } = Object(cause)
    return { unreachable: typeof code === 'string' ? code : String(name) }
  }
}

async function textAtMost(response: Response): Promise<string> {
  const parts: Uint8Array[] = []
  let bytes = 0
  for await (const part of response.body ?? []) {
    bytes += part.length
    if (bytes > maxAnswerBytes) break
    parts.push(part)
  }
  return Buffer.concat(parts).toString('utf8')
}

function readJson(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? { ...value } : undefined
  } catch {
    return undefined
  }
}

function ofRoutes(
  { status, isJson, error, location, url: asked }: Exclude<Answer, { unreachable: string }>,
  { url, path, appId }: { url: string; path: string; appId: string | undefined },
): CheckResult {
  const place = new URL(asked).pathname
  const found = (texts: Texts): CheckResult => [{ check: 'auth_path', ...texts }]
  if (location || (status >= 300 && status < 400)) return found(redirected(place))
  // The library itself answers so where it is mounted and has no such route.
  if (status === 404 || status === 405) {
    return found(notThere(place, status, url.replace(/\/+$/, '').endsWith(path)))
  }
  if (!isJson) return found(notJson(place, status))
  switch (error) {
    case undefined:
      return found(wrapped(place))
    case 'unknown_app':
      return appId === undefined ? [] : [{ check: 'app_id_differs', ...unknownApp(appId) }]
    case 'server_misconfigured':
      return [{ check: 'wechat', ...misconfigured }]
    case 'wechat_unavailable':
    case 'store_unavailable':
    case 'temporarily_unavailable':
    case 'server_error':
      return found(failing(error))
    default:
      return []
  }
}

function ofClock({
  date,
  askedAt,
  answeredAt,
}: Exclude<Answer, { unreachable: string }>): CheckResult {
  if (date === undefined) {
    return [{ check: 'clock', why: { en: 'the answer has no Date', zh: '应答里没有 Date' } }]
  }
  const drift = date > answeredAt ? date - answeredAt : Math.min(0, date + 1 - askedAt)
  if (Math.abs(drift) <= maxDriftSeconds) return []
  const seconds = Math.round(Math.abs(drift))
  return [
    {
      check: 'clock',
      problem: {
        en: `The clock of the backend is ${seconds} s ${drift > 0 ? 'ahead of' : 'behind'} this machine's`,
        zh: `后端的时钟比本机${drift > 0 ? '快' : '慢'} ${seconds} 秒`,
      },
      todo: {
        en: 'Let both keep time by NTP (timedatectl set-ntp true): instances whose clocks differ refuse the tokens of each other',
        zh: '两边都用 NTP 校时（timedatectl set-ntp true）：时钟不一致的实例会拒绝彼此签发的 token',
      },
    },
  ]
}

const unreachable = (url: string, code: string): Texts => ({
  problem: {
    en: `${new URL(url).origin} does not answer (${code})`,
    zh: `${new URL(url).origin} 没有应答（${code}）`,
  },
  todo: {
    en: 'Start the backend, and compare host and port with --url',
    zh: '启动后端，并对照 --url 的域名和端口',
  },
})

const notThere = (place: string, status: number, isTwice: boolean): Texts => ({
  problem: {
    en: `POST ${place} answers ${status}: no login routes are there`,
    zh: `POST ${place} 应答 ${status}：那里没有登录接口`,
  },
  todo: isTwice
    ? {
        en: 'The address ends in authPath already: leave it out of baseUrl and --url',
        zh: '地址结尾已经是 authPath 了，从 baseUrl 和 --url 里去掉它',
      }
    : {
        en: 'Compare authPath of createClient with where the backend mounts authRoutes, and with what a gateway does to paths; --auth-path tries another',
        zh: '对照 createClient 的 authPath 和后端挂载 authRoutes 的位置，以及网关对路径的改写；可以用 --auth-path 换一个试试',
      },
})

const notJson = (place: string, status: number): Texts => ({
  problem: {
    en: `POST ${place} answers ${status} with HTML or text instead of JSON`,
    zh: `POST ${place} 应答 ${status}，来的是 HTML 或文本，不是 JSON`,
  },
  todo: {
    en: 'A web site or a page of a gateway is there: send this path to the backend, or mend baseUrl and authPath',
    zh: '那里是一个网站或网关的页面：把这个路径转给后端，或改正 baseUrl 和 authPath',
  },
})

const wrapped = (place: string): Texts => ({
  problem: {
    en: `POST ${place} answers JSON that is not of wxlogin`,
    zh: `POST ${place} 的 JSON 应答不是 wxlogin 的格式`,
  },
  todo: {
    en: 'If the backend wraps all answers ({ code, msg, data }), leave the login routes out of that. A backend with a login of its own is spoken to through @wxlogin/client/backend',
    zh: '如果后端把所有应答都包成 { code, msg, data }，登录接口不要包。后端有自己的登录时，用 @wxlogin/client/backend 对接',
  },
})

const redirected = (place: string): Texts => ({
  problem: {
    en: `POST ${place} is redirected, which logins do not follow`,
    zh: `POST ${place} 被重定向，登录不会跟随`,
  },
  todo: {
    en: 'Give baseUrl the address to which it leads, with https',
    zh: '把 baseUrl 改成它指向的 https 地址',
  },
})

const unknownApp = (appId: string): Texts => ({
  problem: {
    en: `The backend does not have the AppID of the mini program (${appId}) in apps`,
    zh: `后端的 apps 里没有小程序的 AppID（${appId}）`,
  },
  todo: {
    en: 'Use the same AppID at both sides, or add this one to apps, with its AppSecret',
    zh: '两边用同一个 AppID，或把它和它的 AppSecret 加到 apps 里',
  },
})

const misconfigured: Texts = {
  problem: {
    en: 'WeChat refuses the backend (server_misconfigured)',
    zh: '微信拒绝了后端（server_misconfigured）',
  },
  todo: {
    en: 'The misconfigured event of the backend says why; wxlogin doctor --online, run at the backend, asks WeChat',
    zh: '原因在后端的 misconfigured 事件里；也可以在后端机器上运行 wxlogin doctor --online',
  },
}

const failing = (code: string): Texts => ({
  problem: { en: `The backend answers ${code}`, zh: `后端应答 ${code}` },
  todo: {
    en: `wxlogin explain ${code}, and look at the events of the backend`,
    zh: `见 wxlogin explain ${code}，并查看后端的事件`,
  },
})
