/** Why a call fails: what follows `…:fail ` in `errMsg`, and the number. */
export interface Reason {
  readonly text: string
  readonly errno?: number
}

export const aborted: Reason = { text: 'abort' }
export const timedOut: Reason = { text: 'timeout', errno: 5 }
export const offline: Reason = { text: '似乎已断开与互联网的连接。', errno: 600000 }
export const networkLost: Reason = { text: '网络连接已中断。', errno: 600000 }
export const notLegalDomain: Reason = { text: 'url not in domain list', errno: 600002 }
export const interrupted: Reason = { text: 'interrupted', errno: 600003 }
export const invalidMethod: Reason = { text: 'method is invalid', errno: 600005 }
// The second `fail` is WeChat's.
export const tooManySockets: Reason = {
  text: 'fail reach max websocket connect count 5',
  errno: 600007,
}
export const invalidUrl: Reason = { text: 'invalid url', errno: 600009 }
