import { stderr } from 'node:process'
import { explain as explainToClient, mistakes } from '@wxlogin/client/explain'
import { AuthError, type AuthErrorCode } from '@wxlogin/server'
import { knownErrcodes } from '@wxlogin/server/errcodes'
import { type Call, type Command, exitCodes } from './command.js'
import { CliError } from './errors.js'
import {
  clientCodesInChinese,
  errnos,
  mistakesInChinese,
  reasonsInChinese,
  serverCodes,
  warnings,
} from './explain/codes.js'
import { hintsInChinese } from './explain/errcodes.js'
import { nearest } from './nearest.js'
import type { Text } from './text.js'

type Place = 'wechat' | 'backend' | 'mini_program' | 'user'

/** What a code means at one place, and what to do there. */
interface Meaning {
  readonly place: Place
  readonly text: Text
  /** At WeChat, the interface that it is about, if it means this there only. */
  readonly endpoint?: string
  /** The code of wxlogin that it becomes. */
  readonly becomes?: string
}

interface Explained {
  readonly name: string
  readonly kind: 'code' | 'reason' | 'mistake' | 'warning' | 'errcode' | 'errno'
  readonly status?: number
  readonly meanings: readonly Meaning[]
  readonly url?: string
}

const places: { readonly [place in Place]: Text } = {
  wechat: { en: 'WeChat', zh: '微信' },
  backend: { en: 'Backend', zh: '后端' },
  mini_program: { en: 'Mini program', zh: '小程序' },
  user: { en: 'To the user', zh: '给用户看' },
}

const errcodesOfWeChat =
  'https://developers.weixin.qq.com/miniprogram/dev/server/API/user-login/api_code2session'

export const explain: Command = {
  usage: '[CODE] [--json]',
  maxWords: 1,
  options: { json: { about: { en: 'Prints JSON', zh: '输出 JSON' } } },
  notes: {
    en: 'CODE is an error code (invalid_grant), a mistake in the set-up (auth_path), a warning of the backend (memory_store), or a number of WeChat (40125, -1).\nWithout one, all are listed.',
    zh: 'CODE 可以是错误码（invalid_grant）、配置错误的名字（auth_path）、后端的警告（memory_store），或微信的编号（40125、-1）。\n不写则列出全部。',
  },
  async run(call) {
    const { words, has, print, say } = call
    const all = everything()
    const wanted = words[0] ?? (has('json') ? undefined : await ask(all, call))
    if (wanted === '') return exitCodes.fine
    if (wanted === undefined) {
      print(
        has('json')
          ? JSON.stringify(
              all.map((one) => jsonOf(one, say)),
              undefined,
              2,
            )
          : all.map((one) => `${one.name.padEnd(22)}${firstLine(one, say)}`).join('\n'),
      )
      return exitCodes.fine
    }
    const found = all.filter(({ name }) => name === wanted)
    if (found.length === 0) throw unknown(wanted, all)
    print(
      has('json')
        ? JSON.stringify(
            found.map((one) => jsonOf(one, say)),
            undefined,
            2,
          )
        : found.map((one) => textOf(one, say)).join('\n\n'),
    )
    return exitCodes.fine
  },
}

function everything(): readonly Explained[] {
  return [
    ...codes(),
    ...reasons(),
    ...mistakesOfSetUp(),
    ...warningsOfBackend(),
    ...errcodes(),
    ...errnosOfClient(),
  ]
}

function codes(): Explained[] {
  return Object.entries(clientCodesInChinese).map(([code, zh]) => {
    const ofClient = explainToClient({ code })
    const atBackend = isServerCode(code) ? serverCodes[code] : undefined
    return {
      name: code,
      kind: 'code',
      ...(isServerCode(code) && { status: new AuthError(code, '').status }),
      meanings: [
        ...(atBackend ? [{ place: 'backend', text: atBackend } as const] : []),
        { place: 'mini_program', text: { en: ofClient.todo, zh } },
        { place: 'user', text: { en: ofClient.en, zh: ofClient.zh } },
      ],
      url: ofClient.url,
    }
  })
}

const isServerCode = (code: string): code is AuthErrorCode => Object.hasOwn(serverCodes, code)

function reasons(): Explained[] {
  return Object.entries(reasonsInChinese).map(([reason, zh]) => {
    const ofClient = explainToClient({ code: 'signed_out', reason })
    return {
      name: reason,
      kind: 'reason',
      meanings: [
        { place: 'mini_program', text: { en: ofClient.todo, zh }, becomes: 'signed_out' },
        { place: 'user', text: { en: ofClient.en, zh: ofClient.zh } },
      ],
      url: ofClient.url,
    }
  })
}

function mistakesOfSetUp(): Explained[] {
  return Object.entries(mistakes).map(([name, en]) => ({
    name,
    kind: 'mistake',
    meanings: [{ place: 'mini_program', text: { en, zh: mistakesInChinese[name] ?? en } }],
    url: explainToClient({ code: 'http' }).url.replace(/#.*/, `#${name}`),
  }))
}

function warningsOfBackend(): Explained[] {
  const { url } = explainToClient({ code: 'http' })
  return Object.entries(warnings).map(([name, { page, ...text }]) => ({
    name,
    kind: 'warning',
    meanings: [{ place: 'backend', text }],
    url: url.replace(/reference\/.*/, page),
  }))
}

function errcodes(): Explained[] {
  const byErrcode = new Map<number, Meaning[]>()
  for (const { errcode, code, hint, endpoint } of knownErrcodes()) {
    const key = endpoint === undefined ? String(errcode) : `${endpoint} ${errcode}`
    byErrcode.set(errcode, [
      ...(byErrcode.get(errcode) ?? []),
      {
        place: 'wechat',
        text: { en: hint, zh: hintsInChinese[key] ?? hint },
        becomes: code,
        ...(endpoint !== undefined && { endpoint }),
      },
    ])
  }
  return [...byErrcode].map(([errcode, meanings]) => ({
    name: String(errcode),
    kind: 'errcode',
    meanings,
    url: errcodesOfWeChat,
  }))
}

function errnosOfClient(): Explained[] {
  return Object.entries(errnos).map(([name, becomes]) => ({
    name,
    kind: 'errno',
    meanings: becomes.map((code) => {
      const { todo } = explainToClient({ code })
      return {
        place: 'mini_program',
        text: { en: todo, zh: clientCodesInChinese[code] ?? todo },
        becomes: code,
      }
    }),
    url: explainToClient({ code: becomes[0] }).url,
  }))
}

function textOf({ name, kind, status, meanings, url }: Explained, say: Call['say']): string {
  const kinds = {
    code: { en: 'error code of wxlogin', zh: 'wxlogin 的错误码' },
    reason: { en: 'reason of an error', zh: '错误的 reason' },
    mistake: { en: 'mistake in the set-up', zh: '配置错误' },
    warning: { en: 'warning of the backend', zh: '后端的警告' },
    errcode: { en: 'errcode of WeChat', zh: '微信的 errcode' },
    errno: { en: 'errno of wx', zh: 'wx 的 errno' },
  }
  return [
    `${name}  ${[say(kinds[kind]), ...(status === undefined ? [] : [`HTTP ${status}`])].join(', ')}`,
    ...meanings.map(({ place, endpoint, becomes, text }) => {
      const where = [say(places[place]), ...(endpoint ? [endpoint] : [])].join(' ')
      return `  ${where}${becomes ? ` → ${becomes}` : ''}: ${say(text)}`
    }),
    ...(url ? [`  ${say(inBoth(url))}`] : []),
  ].join('\n')
}

/** Our own pages are there in both languages. */
const inBoth = (url: string): Text => ({
  en: url,
  zh: url.replace(/(github\.io\/wxlogin)\//, '$1/zh/'),
})

const firstLine = ({ meanings: [first] }: Explained, say: Call['say']): string =>
  first ? say(first.text) : ''

function jsonOf({ meanings, url, ...about }: Explained, say: Call['say']): object {
  return {
    ...about,
    ...(url && { url: say(inBoth(url)) }),
    meanings: meanings.map(({ text, ...where }) => ({ ...where, text: say(text) })),
  }
}

function unknown(wanted: string, all: readonly Explained[]): CliError {
  if (/^-?\d+$/.test(wanted)) {
    return new CliError('usage', {
      en: `${wanted} is not in the tables of wxlogin; look it up in WeChat's own: https://developers.weixin.qq.com/miniprogram/dev/OpenApiDoc`,
      zh: `wxlogin 的表里没有 ${wanted}，到微信的文档里查：https://developers.weixin.qq.com/miniprogram/dev/OpenApiDoc`,
    })
  }
  const meant = nearest(wanted, [...new Set(all.map(({ name }) => name))])
  return new CliError('usage', {
    en: `There is no code "${wanted}"${meant ? `; did you mean ${meant}?` : '; wxlogin explain lists all'}`,
    zh: `没有错误码“${wanted}”${meant ? `，是不是 ${meant}？` : '，wxlogin explain 列出全部'}`,
  })
}

/** Somebody who sits before it chooses, or gives up with an empty text; anybody else gets the list. */
async function ask(
  all: readonly Explained[],
  { isInteractive, say }: Call,
): Promise<string | undefined> {
  if (!isInteractive) return undefined
  const { autocomplete, isCancel } = await import('@clack/prompts')
  const chosen = await autocomplete({
    output: stderr,
    message: say({ en: 'Which code?', zh: '哪个错误码？' }),
    options: all.map((one) => ({ value: one.name, label: one.name, hint: firstLine(one, say) })),
    maxItems: 10,
  })
  return isCancel(chosen) ? '' : chosen
}
