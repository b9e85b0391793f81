import type { Language, Text } from '../../text.js'

/** Every word of the page. */
export const texts = {
  skip: { en: 'To the calls', zh: '跳到调用过程' },
  phones: { en: 'Phones', zh: '手机' },
  troubles: { en: 'What goes wrong', zh: '制造故障' },
  befalls: { en: 'It befalls', zh: '作用于' },
  sessions: { en: 'Sessions', zh: '会话' },
  events: { en: 'Events of the backend', zh: '后端事件' },
  calls: { en: 'Calls', zh: '调用过程' },
  clear: { en: 'Clear', zh: '清空' },
  close: { en: 'Close', zh: '关闭' },
  phone: { en: 'Phone', zh: '手机' },
  backend: { en: 'Backend', zh: '后端' },
  wechat: { en: 'WeChat', zh: '微信' },
  empty: {
    en: 'Nothing has been sent yet. Launch a phone.',
    zh: '还没有任何请求。先启动一台手机。',
  },
  connected: { en: 'connected', zh: '已连接' },
  disconnected: {
    en: 'The sandbox has ended. Start it again: wxlogin dev',
    zh: '沙箱已结束。重新启动：wxlogin dev',
  },
  otherLanguage: { en: '中文', zh: 'English' },
  miniProgram: { en: 'Mini program', zh: '小程序' },
  yourBackend: { en: 'Your backend', zh: '你的后端' },
  builtIn: { en: 'built in', zh: '内置' },
  nobody: { en: 'nobody is signed in', zh: '没有登录' },
  notRunning: { en: 'not running', zh: '未启动' },
  busy: { en: 'busy', zh: '进行中' },
  noSessions: { en: 'There are none.', zh: '没有会话。' },
  theirSessions: { en: 'Your backend keeps them.', zh: '由你的后端保存。' },
  noEvents: { en: 'There are none yet.', zh: '还没有事件。' },
  theirEvents: { en: 'Your backend hears them: onEvent.', zh: '由你的后端接收：onEvent。' },
  user: { en: 'User', zh: '用户' },
  device: { en: 'Device', zh: '设备' },
  since: { en: 'Since', zh: '创建' },
  refreshed: { en: 'Renewed', zh: '续期' },
  request: { en: 'Request', zh: '请求' },
  answer: { en: 'Answer', zh: '响应' },
  masked: {
    en: 'Secrets were masked before they came here. The same mark is the same value.',
    zh: '机密在到达页面之前已被遮盖。标记相同，就是同一个值。',
  },
  notShown: { en: 'not shown', zh: '不显示' },
  cut: { en: 'too large to be shown', zh: '太大，不显示' },
  noBody: { en: 'no body', zh: '没有正文' },
  bytes: { en: 'bytes', zh: '字节' },
  over: { en: 'over', zh: '已结束' },

  launch: { en: 'Launch', zh: '启动' },
  ten: { en: 'Ten requests', zh: '十个请求' },
  requestOne: { en: 'Request', zh: '请求' },
  login: { en: 'Log in', zh: '登录' },
  phoneNumber: { en: 'Bind phone', zh: '绑定手机号' },
  openData: { en: 'Steps', zh: '微信运动' },
  logout: { en: 'Log out', zh: '退出' },
  background: { en: 'Background', zh: '切后台' },
  offline: { en: 'No network', zh: '断网' },
  session: { en: 'Session', zh: '会话' },

  'code-used': { en: 'Code used', zh: 'code 已被使用' },
  'code-expired': { en: 'Code expired', zh: 'code 已过期' },
  'wechat-slow': { en: 'WeChat slow', zh: '微信变慢' },
  'wechat-down': { en: 'WeChat down', zh: '微信不可用' },
  'wechat-busy': { en: 'WeChat rate limits', zh: '微信限频' },
  'wechat-answer-lost': { en: 'WeChat’s answer lost', zh: '微信的响应丢失' },
  'answer-lost': { en: 'Backend’s answer lost', zh: '后端的响应丢失' },
  'token-expired': { en: 'Token expired', zh: '令牌过期' },
  'session-revoked': { en: 'Session revoked', zh: '会话被撤销' },
  'session-key-replaced': { en: 'session_key replaced', zh: 'session_key 被替换' },
  'phone-denied': { en: 'Phone number denied', zh: '拒绝提供手机号' },

  lost: { en: 'connection lost', zh: '连接中断' },
  withheld: { en: 'answer lost on the way', zh: '响应在路上丢失' },
  unreachable: { en: 'nobody listens there', zh: '没有程序在监听' },
  abandoned: { en: 'given up by who asked', zh: '请求方已放弃' },
} as const satisfies Record<string, Text>

export type TextName = keyof typeof texts

/** What changes when the language does. */
export interface Words {
  language(): Language
  say(text: TextName | Text): string
  toggle(): void
}

const key = 'wxlogin-dev-language'

export function createWords(): Words {
  const asked = new URLSearchParams(location.search).get('lang') ?? localStorage.getItem(key)
  let language: Language = /^zh/.test(asked ?? navigator.language) ? 'zh' : 'en'
  return {
    language: () => language,
    say: (text) => (typeof text === 'string' ? texts[text] : text)[language],
    toggle() {
      language = language === 'en' ? 'zh' : 'en'
      localStorage.setItem(key, language)
    },
  }
}
