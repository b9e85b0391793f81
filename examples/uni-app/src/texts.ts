import { ClientError, type ClientErrorCode } from '@wxlogin/client'

const texts: { readonly [code in ClientErrorCode]?: string } = {
  network: '网络不可用，请检查后重试',
  timeout: '网络较慢，请稍后重试',
  signed_out: '你已退出登录，请点“登录”',
  access_denied: '这个账号暂时不能使用，请联系客服',
}

/** Where a code has several. */
const reasons: { readonly [reason: string]: string } = {
  login_required: '请先登录',
  wrong_password: '用户名或密码不对',
}

/** What a user reads when something failed. Decided by `reason` and `code`; the message is for developers. */
export function textOf(error: unknown): string {
  const known = error instanceof ClientError && (reasons[error.reason ?? ''] ?? texts[error.code])
  return known || '出了点问题，请稍后重试'
}
