import { ClientError, type ClientErrorCode } from '@wxlogin/client'

const texts: { readonly [code in ClientErrorCode]?: string } = {
  network: '网络不可用，请检查后重试',
  timeout: '网络较慢，请稍后重试',
  signed_out: '你已退出登录，请点“登录”',
  access_denied: '这个账号暂时不能使用，请联系客服',
}

/** What a user reads when something failed. Decided by `code`; the message is for developers. */
export function textOf(error: unknown): string {
  return (error instanceof ClientError && texts[error.code]) || '出了点问题，请稍后重试'
}
