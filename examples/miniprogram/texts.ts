import { ClientError, type ClientErrorCode } from '@wxlogin/client/full'

const texts: { readonly [code in ClientErrorCode]?: string } = {
  network: '网络不可用，请检查后重试',
  timeout: '网络较慢，请稍后重试',
  interrupted: '请求被中断，请重试',
  signed_out: '你已退出登录，请点“登录”',
  access_denied: '这个账号暂时不能使用，请联系客服',
  user_blocked: '微信暂不允许这个账号登录',
  single_page: '请先进入完整的小程序',
  rate_limited: '操作太频繁，请稍后重试',
  wechat_unavailable: '微信繁忙，请稍后重试',
  store_unavailable: '服务繁忙，请稍后重试',
  temporarily_unavailable: '服务繁忙，请稍后重试',
  server_error: '服务繁忙，请稍后重试',
  phone_denied: '没有得到手机号，可以再试一次',
  phone_quota: '手机号验证暂时不可用，请稍后再试',
  payment_cancelled: '没有付款，可以再试一次',
  payment_refused: '微信没有接受这笔支付，没有付款',
  payment_failed: '还不知道有没有付款，请稍后查看',
  user_changed: '账号已切换，请重试',
  expired_token: '二维码已失效，请刷新后重新扫描',
  // The first hour of a developer; users never see these.
  mock_code: '请在 project.config.json 里填写自己的 AppID',
  unknown_app: '后端没有配置这个 AppID，请检查 WX_APP_ID',
  domain_not_allowed: '请在开发者工具里勾选“不校验合法域名”',
}

/** What a user reads when something failed. Decided by `code`; the message is for developers. */
export function textOf(error: unknown): string {
  return (error instanceof ClientError && texts[error.code]) || '出了点问题，请稍后重试'
}
