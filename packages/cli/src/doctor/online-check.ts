import { knownErrcodes } from '@wxlogin/server/errcodes'
import { AuthError, createWeChat } from '@wxlogin/server/wechat'
import { hintsInChinese } from '../explain/errcodes.js'
import type { Check, CheckResult, Wanted } from './check.js'
import { type Project, resolved } from './project.js'

/** Asks WeChat for an access_token, which changes nothing: it answers whether AppSecret and IP address are right. */
export const online: Check = async (project, wanted) => {
  if (!wanted.isOnline)
    return [{ check: 'wechat', why: { en: 'no --online', zh: '没有 --online' } }]
  const app = await credentialsOf(project, wanted)
  if (!app) {
    return [
      {
        check: 'wechat',
        why: {
          en: 'AppID and AppSecret are not known here; set them as the backend reads them (WX_APP_ID and WX_APP_SECRET)',
          zh: '不知道 AppID 和 AppSecret；像后端那样设置它们（WX_APP_ID 和 WX_APP_SECRET）',
        },
      },
    ]
  }
  const { wechatHost, now, busy } = wanted
  const wechat = createWeChat({
    ...app,
    now,
    ...(wechatHost !== undefined && { wechatHosts: [wechatHost] }),
    // What it reports is thrown as well.
    onEvent: () => {},
  })
  const done = busy({ en: 'Asking WeChat', zh: '正在询问微信' })
  try {
    await wechat.accessToken()
    return []
  } catch (error) {
    if (!(error instanceof AuthError)) throw error
    return refused(error, app.appId)
  } finally {
    done()
    await wechat.close()
  }
}

async function credentialsOf({ servers, clients }: Project, { askSecret, env }: WithEnv) {
  for (const server of servers) {
    const pick = (settings: typeof server.appIds) =>
      settings.map((one) => resolved(one, server)).find((value) => value)
    const appId = pick(server.appIds)
    const appSecret = pick(server.appSecrets)
    if (appId && appSecret) return { appId: appId.trim(), appSecret: appSecret.trim() }
  }
  const { WX_APP_ID, WX_APP_SECRET } = env
  const appId = WX_APP_ID ?? clients.map((one) => one.appId).find((one) => /^wx/.test(one ?? ''))
  if (!appId) return undefined
  const appSecret = WX_APP_SECRET || (await askSecret?.(appId))
  return appSecret ? { appId, appSecret: appSecret.trim() } : undefined
}

type WithEnv = Pick<Wanted, 'askSecret' | 'env'>

function refused({ errcode, code }: AuthError, appId: string): CheckResult {
  if (errcode === undefined) {
    return [
      {
        check: 'wechat',
        problem: {
          en: `WeChat cannot be reached from here (${code})`,
          zh: `从这里连不上微信（${code}）`,
        },
        todo: {
          en: 'Check DNS, firewall and proxy between this machine and api.weixin.qq.com',
          zh: '检查这台机器到 api.weixin.qq.com 的 DNS、防火墙和代理',
        },
      },
    ]
  }
  const rows = knownErrcodes().filter((row) => row.errcode === errcode)
  const row = rows.find(({ endpoint }) => endpoint === 'accessToken') ?? rows[0]
  const key = row?.endpoint ? `${row.endpoint} ${errcode}` : String(errcode)
  const hint = row?.hint ?? 'look it up: wxlogin explain'
  return [
    {
      check: 'wechat',
      problem: {
        en: `WeChat refuses ${appId} with errcode ${errcode}`,
        zh: `微信拒绝了 ${appId}，errcode ${errcode}`,
      },
      todo: { en: hint, zh: hintsInChinese[key] ?? hint },
    },
  ]
}
