import type { Text } from '../text.js'

interface Urls {
  readonly pageUrl: string
  readonly phoneUrl: string
  readonly wechatUrl: string
}

interface Given {
  readonly backend?: string
  readonly service?: string
  readonly appId: string
  readonly authPath: string
}

/** What the sandbox says when it has started; its lines can be pasted as they are. */
export function introduction(
  { pageUrl, phoneUrl, wechatUrl }: Urls,
  { backend, service, appId, authPath }: Given,
): Text {
  const options = [
    `baseUrl: '${phoneUrl}'`,
    ...(authPath === '/wx' ? [] : [`authPath: '${authPath}'`]),
    // The backend that is built in serves a project without an AppID as well; one of your own knows only its own.
    ...(backend === undefined ? [] : [`appId: '${appId}'`]),
    'sandbox: true',
  ]
  const client = `createClient({ ${options.join(', ')} })`
  const line = `wechatHosts: ['${wechatUrl}'],`
  const setting = `WXLOGIN_WECHAT_HOSTS=${wechatUrl}`
  const where: Text =
    service === undefined
      ? {
          en: `${backend}, with this line in createAuth:\n                    ${line}`,
          zh: `${backend}，在 createAuth 里加上这一行：\n          ${line}`,
        }
      : {
          en: `${backend}\n  The login service ${service}, started with this in its environment:\n                    ${setting}`,
          zh: `${backend}\n  登录服务  ${service}，启动时加上这个环境变量：\n          ${setting}`,
        }
  return {
    en: `
  The page          ${pageUrl}
  The mini program  ${client}
  The backend       ${backend === undefined ? 'built in; for one of your own: --backend http://127.0.0.1:3000' : where.en}

  Ctrl+C ends it.`,
    zh: `
  页面    ${pageUrl}
  小程序  ${client}
  后端    ${backend === undefined ? '内置；用你自己的后端：--backend http://127.0.0.1:3000' : where.zh}

  按 Ctrl+C 结束。`,
  }
}
