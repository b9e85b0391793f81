// Every page of docs/ but the two home pages, in the order of the sidebar. `page` is its path without the ending.
// A test holds the list complete: a page that is not here would be found by nobody.

/** @type {import('./pages.mjs').Section[]} */
export const sections = [
  {
    en: 'Start',
    zh: '开始',
    pages: [{ page: 'dev', en: 'The sandbox', zh: '沙箱' }],
  },
  {
    en: 'Concepts',
    zh: '概念',
    pages: [
      { page: 'concepts/the-flow', en: 'The flow', zh: '登录流程' },
      { page: 'concepts/sessions-and-tokens', en: 'Sessions and tokens', zh: '会话与令牌' },
      { page: 'concepts/rotation', en: 'Rotation', zh: '刷新令牌轮换' },
      { page: 'concepts/signed-out', en: 'Signed out', zh: '退出登录' },
    ],
  },
  {
    en: 'Backend',
    zh: '后端',
    pages: [
      { page: 'frameworks', en: 'Frameworks', zh: '框架' },
      { page: 'platforms', en: 'Platforms and networks', zh: '平台与网络' },
      { page: 'recipes', en: 'Recipes', zh: '实用方案' },
      { page: 'replace-a-login', en: 'Replace a login', zh: '替换手写的登录' },
    ],
  },
  {
    en: 'Mini program',
    zh: '小程序',
    pages: [
      { page: 'login-on-demand', en: 'Login on demand', zh: '按需登录' },
      { page: 'replace-your-request-layer', en: 'Replace your request layer', zh: '替换请求层' },
      { page: 'request-layers', en: 'A request layer that stays', zh: '保留请求层' },
      { page: 'backends', en: 'Backends that exist', zh: '自带登录的后端' },
    ],
  },
  {
    en: 'Operations',
    zh: '运维',
    pages: [{ page: 'performance', en: 'Performance', zh: '性能' }],
  },
]

/** The sidebar of VitePress in one language. */
export function sidebarIn(language) {
  const prefix = language === 'en' ? '/' : `/${language}/`
  return sections.map((section) => ({
    text: section[language],
    items: section.pages.map((entry) => ({ text: entry[language], link: prefix + entry.page })),
  }))
}
