const proxies = '检查这台服务器到微信之间的代理'
const tokenRefused =
  '微信不认 access_token，换了新的也一样；找一找是不是有别的程序在强制刷新它（force_refresh）'
const wrongSecret = 'AppSecret 不对，从小程序后台重新复制'
const wrongWebSecret = 'AppSecret 不对，从这个应用自己的后台重新复制'
const startAgain = '让浏览器重新跳转到微信授权'
const wrongAgentSecret = 'corpId 或 agentSecret 不对，从企业微信管理后台重新复制所关联应用的 secret'
const wecomTokenRefused = '企业微信不认 access_token，换了新的也一样'
const readTheManual = '微信不接受某个参数，对照微信文档检查'
const unreadableBody = '微信无法解析请求体，对照微信文档检查'
const waitingForApproval = '这台服务器的 IP 正在等管理员确认'

/** The hints of `knownErrcodes()` in Chinese: by errcode, and where it means something else, by endpoint and errcode. */
export const hintsInChinese: Readonly<Record<string, string>> = {
  '-1': '微信繁忙，稍后再试',
  '40001': tokenRefused,
  '40002': `微信不认 grant_type，${proxies}`,
  '40003': 'openid 不属于这个小程序，或不属于这个用户',
  '40013': '微信不认识这个 AppID，对照小程序后台检查配置',
  '40014': tokenRefused,
  '40029': '微信不认识这个 code：超过 5 分钟、属于别的小程序，或不是这一种 code。重新获取',
  '40090': '这台服务器的 IP 不能代表第三方平台调用',
  '40094': '微信不认第三方平台的 token',
  '40097': readTheManual,
  '40125': wrongSecret,
  '40163': '这个 code 已经用过，重新获取',
  '40164': '这台服务器的 IP 不在白名单里，在小程序后台添加',
  '40226': '微信风控拦截了这个用户，不要重试',
  '40243': 'AppSecret 被冻结，在小程序后台解冻',
  '41001': `access_token 没有到达微信，${proxies}`,
  '41002': `AppID 没有到达微信，${proxies}`,
  '41004': `AppSecret 没有到达微信，${proxies}`,
  '41008': `code 没有到达微信，${proxies}`,
  '42001': tokenRefused,
  '43001': '这个微信接口要用 GET',
  '43002': '这个微信接口要用 POST',
  '44002': '这个微信接口要有请求体',
  '45009': '这个小程序当天的调用次数用完了，北京时间零点恢复',
  '45011': '这一分钟调用太频繁，放慢一些',
  '47001': unreadableBody,
  '48001': '这个小程序没有这个接口的权限，在小程序后台查看',
  '50004': '微信禁止了这个小程序使用这个接口，在小程序后台查看',
  '50007': '小程序的账号被冻结，在小程序后台查看',
  '61003': '小程序没有授权给这个第三方平台',
  '61024': '小程序由第三方平台管理，要用第三方平台自己的登录接口',
  '87007': 'session_key 已过期，重新登录就有新的',
  '87008': `微信不认签名方法，${proxies}`,
  '87009': 'session_key 已不是当前的，重新登录就有新的',
  '89002': '小程序没有绑定开放平台账号，所以没有 unionid',
  '89300': '微信不认识这笔支付，或已超过 5 分钟',
  '89501': waitingForApproval,
  '89503': waitingForApproval,
  '89506': '管理员拒绝了这台服务器的 IP，24 小时之后再申请',
  '89507': '管理员拒绝了这台服务器的 IP，1 小时之后再申请',
  'code2Session 40001': wrongSecret,
  'accessToken 40001': wrongSecret,
  'phoneNumber 40003': '这个 code 属于另一个用户，让当前用户自己授权手机号',
  '/sns/oauth2/access_token 40001': wrongWebSecret,
  '/sns/oauth2/access_token 40029': `微信不认识这个 code：已过期，或属于别的应用。${startAgain}`,
  '/sns/oauth2/access_token 40125': wrongWebSecret,
  '/sns/oauth2/access_token 42003': `code 已过期，${startAgain}`,
  'wecom 40001': wrongAgentSecret,
  'wecom 40013': wrongAgentSecret,
  'wecom 40014': wecomTokenRefused,
  'wecom 40029':
    '企业微信不认识这个 code：已经用过、超过 5 分钟，或来自 wx.login。用 wx.qy.login 重新获取',
  'wecom 40091': wrongAgentSecret,
  'wecom 42001': wecomTokenRefused,
  'wecom 45009': '调用企业微信太频繁，放慢一些',
  'wecom 48002': '这个应用换不了 code：secret 要用关联了小程序的那个应用的（关联小程序）',
  'wecom 60020': '这台服务器的 IP 不在应用的企业可信 IP 里，在企业微信管理后台添加',
  '/wxa/getpluginopenpid 1000': '微信出了问题，稍后再试',
  '/wxa/getpluginopenpid 1001': readTheManual,
  '/wxa/getpluginopenpid 1003': '调用太频繁，放慢一些',
  '/wxa/getpluginopenpid 1005': 'token 必须是插件自己的 AppID 的',
  '/wxa/getpluginopenpid 1007':
    '微信不接受这个 code：已经用过、已过期，或不是来自 wx.pluginLogin。重新获取',
  '/wxa/getpluginopenpid 1022': unreadableBody,
  '/wxa/getwxacodeunlimit 40129': '微信不接受这个 scene：里面有不允许的字符',
  '/wxa/getwxacodeunlimit 40169': 'scene 太长，最多 32 个字符',
  '/wxa/getwxacodeunlimit 41030':
    '已发布的小程序里没有这个页面：发布它，把 check_path 设为 false，或换一个 env_version',
  '/wxa/getwxacodeunlimit 85096': 'scene 里不能有 scancode_time，它是保留的',
  '/wxa/business/checkencryptedmsg 1': '微信不认识这份数据，或已超过 3 天',
}
