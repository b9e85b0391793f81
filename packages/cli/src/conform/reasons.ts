import type { Text } from '../text.js'
import type { Offer } from './scenario.js'

/** Why something was not looked at. */

export const nothingLeftOut: Text = {
  en: 'nothing is left out',
  zh: '没有省略的接口',
}

export const noJwt: Text = {
  en: 'the access token is no JWT, so it has no such parts',
  zh: '访问令牌不是 JWT，没有可改动的部分',
}

export const lacks: Readonly<Record<Offer, Text>> = {
  phone: { en: 'the server has no POST /phone', zh: '服务器没有 POST /phone' },
  jwks: { en: 'the server has no GET /jwks.json', zh: '服务器没有 GET /jwks.json' },
  device: { en: 'the server has no POST /device', zh: '服务器没有 POST /device' },
  numbers: {
    en: 'the server has users compare no number',
    zh: '服务器不要求用户核对数字',
  },
  guarded: {
    en: 'no --protected was given, and the server has no POST /phone',
    zh: '没有给出 --protected，服务器也没有 POST /phone',
  },
  revoke: { en: 'no --revoke was given', zh: '没有给出 --revoke' },
  refused: { en: 'no --refused-input was given', zh: '没有给出 --refused-input' },
  prefetch: { en: 'no --prefetch was given', zh: '没有给出 --prefetch' },
}

export const didNotCome = (reference: string, after: string | undefined): Text => ({
  en: `it needs ${reference}, which did not come (after ${after ?? 'nothing'})`,
  zh: `需要 ${reference}，但没有得到（在 ${after ?? '开始'} 之后）`,
})

export const notRevoked = (came: string): Text => ({
  en: `the route of --revoke did not end the sessions (${came})`,
  zh: `--revoke 的接口没有结束会话（${came}）`,
})
