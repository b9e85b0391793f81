import { createHmac } from 'node:crypto'

/**
 * WeChat's payment signature (支付签名): HMAC-SHA256 under the AppKey over `uri & body`, in lower-case hexadecimal digits,
 * which WeChat wants. `uri` is the name of a client's call, or the path of a server's without its query.
 * https://developers.weixin.qq.com/miniprogram/dev/platform-capabilities/business-capabilities/virtual-payment.html
 */
export function signPayment(appKey: string, uri: string, body: string): string {
  return createHmac('sha256', appKey).update(`${uri}&${body}`).digest('hex')
}
