import type { Text } from '../text.js'
import type { LeakKind } from './findings.js'

/** What leaks, and what to do about it. */
export const leakTexts: { readonly [kind in LeakKind]: Text } = {
  app_secret: {
    en: 'An AppSecret. Everybody can read what is in a mini program: keep it at the backend only, and reset it in the WeChat console if this was ever uploaded',
    zh: 'AppSecret 泄露。小程序里的东西谁都能看到：它只能放在后端；如果上传过，请在小程序后台重置',
  },
  possible_app_secret: {
    en: 'This could be an AppSecret: 32 hexadecimal digits, and nothing says what they are. If they are one, keep it at the backend only and reset it in the WeChat console; if not, a name that says so (md5, id …) ends this',
    zh: '可能是 AppSecret：32 位十六进制字符，看不出是什么。如果是，只能放在后端，并在小程序后台重置；如果不是，换个能说明用途的名字（md5、id 等）就不再提示',
  },
  session_key: {
    en: 'A session_key. Whoever has it can read and forge what WeChat signs for this user: the backend keeps it and sends it to nobody',
    zh: 'session_key 泄露。有了它就能解密、伪造微信为这个用户签名的数据：它只留在后端，不要下发',
  },
  private_key: {
    en: 'A private key. Take it out, and replace the key if this was ever uploaded',
    zh: '私钥泄露。从小程序里拿走；如果上传过，换掉这把密钥',
  },
  wechat_call: {
    en: 'A call of api.weixin.qq.com. It needs an AppSecret or an access_token, which must not be on a phone: let the backend call it',
    zh: '调用了 api.weixin.qq.com。这需要 AppSecret 或 access_token，它们不能出现在手机上：让后端去调用',
  },
}
