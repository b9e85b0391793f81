// What VitePress is told. `.ci/site.mjs` runs it, and gives it the pages as it wants them: English at the root, Chinese in
// zh/. See there for what happens to links and diagrams on the way.
import { fileURLToPath } from 'node:url'
import { createMarkdown } from '../../.ci/site/markdown.mjs'
import { cacheFolder, distFolder, sourceOf, stagedFolder } from '../../.ci/site/places.mjs'
import { base, repository, site } from './address.mjs'
import { entryOf, sidebarIn } from './pages.mjs'
import { tokensOfPage, tokensOfQuery } from './search.mjs'

const description = {
  en: 'WeChat login for mini programs and their backends: @wxlogin/server and @wxlogin/client',
  zh: '小程序微信登录，前后端一套：@wxlogin/server 与 @wxlogin/client',
}

const wordsIn = {
  en: {
    nav: [
      ['Quick start', 'quick-start'],
      ['Concepts', 'concepts/the-flow', 'concepts/'],
      ['Reference', 'reference/server-options', 'reference/'],
      ['All pages', 'all-pages'],
    ],
    edit: 'Edit this page',
    outline: 'On this page',
    previous: 'Previous page',
    next: 'Next page',
    appearance: 'Appearance',
    toLight: 'Switch to light theme',
    toDark: 'Switch to dark theme',
    menu: 'Menu',
    toTop: 'Return to top',
    language: 'Change language',
    skip: 'Skip to content',
    license: 'Released under the MIT License.',
  },
  zh: {
    nav: [
      ['快速上手', 'quick-start'],
      ['概念', 'concepts/the-flow', 'concepts/'],
      ['参考', 'reference/server-options', 'reference/'],
      ['全部页面', 'all-pages'],
    ],
    edit: '编辑此页',
    outline: '本页目录',
    previous: '上一页',
    next: '下一页',
    appearance: '外观',
    toLight: '切换到浅色主题',
    toDark: '切换到深色主题',
    menu: '菜单',
    toTop: '回到顶部',
    language: '切换语言',
    skip: '跳到正文',
    license: '以 MIT 许可证发布。',
    notFound: {
      title: '页面不存在',
      quote: '这个地址没有内容，可能已经移动。用上方的搜索找一找。',
      linkLabel: '回到首页',
      linkText: '回到首页',
    },
  },
}

const searchWordsInChinese = {
  button: { buttonText: '搜索', buttonAriaLabel: '搜索' },
  modal: {
    displayDetails: '显示详细内容',
    resetButtonTitle: '清除',
    backButtonTitle: '关闭搜索',
    noResultsText: '没有找到',
    footer: {
      selectText: '打开',
      selectKeyAriaLabel: '回车',
      navigateText: '切换',
      navigateUpKeyAriaLabel: '上',
      navigateDownKeyAriaLabel: '下',
      closeText: '关闭',
      closeKeyAriaLabel: 'Esc',
    },
  },
}

const { configureMarkdown, renderForSearch, slugify } = createMarkdown()

export default {
  title: 'wxlogin',
  description: description.en,
  base,
  srcDir: stagedFolder,
  outDir: distFolder,
  cacheDir: `${cacheFolder}/vite`,
  cleanUrls: true,
  metaChunk: true,
  sitemap: { hostname: site },
  head: [
    ['link', { rel: 'icon', type: 'image/svg+xml', href: `${base}logo.svg` }],
    ['meta', { name: 'theme-color', content: '#07a35a' }],
    ['meta', { property: 'og:type', content: 'website' }],
    ['meta', { property: 'og:site_name', content: 'wxlogin' }],
  ],

  locales: {
    root: { label: 'English', lang: 'en', themeConfig: themeIn('en') },
    zh: {
      label: '简体中文',
      lang: 'zh-CN',
      description: description.zh,
      themeConfig: themeIn('zh'),
    },
  },

  themeConfig: {
    logo: '/logo.svg',
    socialLinks: [{ icon: 'github', link: repository }],
    search: {
      provider: 'local',
      options: {
        detailedView: true,
        locales: { zh: { translations: searchWordsInChinese } },
        miniSearch: {
          options: { tokenize: tokensOfPage },
          searchOptions: {
            tokenize: tokensOfQuery,
            combineWith: 'AND',
            prefix: true,
            fuzzy: 0.2,
            boost: { title: 4, titles: 2, text: 1 },
          },
        },
        _render: renderForSearch,
      },
    },
  },

  markdown: {
    theme: { light: 'github-light', dark: 'github-dark' },
    languageAlias: { conf: 'ini', wxml: 'html', wxss: 'css' },
    anchor: { slugify },
    config: configureMarkdown,
  },

  transformPageData({ relativePath }) {
    const [, zh, page] = /^(zh\/)?(.+)\.md$/.exec(relativePath)
    const language = zh ? 'zh' : 'en'
    const about = entryOf(page, language)?.about
    return {
      filePath: sourceOf(relativePath),
      description: about ? `wxlogin: ${about}` : description[language],
    }
  },

  vite: {
    publicDir: fileURLToPath(new URL('../public', import.meta.url)),
    server: { host: '127.0.0.1' },
    // The search index and its reader; a page loads neither before somebody searches.
    build: { chunkSizeWarningLimit: 2_000 },
  },
}

function themeIn(language) {
  const words = wordsIn[language]
  const prefix = language === 'en' ? '/' : `/${language}/`
  return {
    nav: words.nav.map(([text, page, section]) => ({
      text,
      link: prefix + page,
      activeMatch: `^${prefix}${section ?? page}`,
    })),
    sidebar: sidebarIn(language),
    editLink: { text: words.edit, pattern: `${repository}/edit/main/docs/:path` },
    outline: { level: [2, 3], label: words.outline },
    docFooter: { prev: words.previous, next: words.next },
    darkModeSwitchLabel: words.appearance,
    lightModeSwitchTitle: words.toLight,
    darkModeSwitchTitle: words.toDark,
    sidebarMenuLabel: words.menu,
    returnToTopLabel: words.toTop,
    langMenuLabel: words.language,
    skipToContentLabel: words.skip,
    notFound: words.notFound,
    footer: { message: words.license },
  }
}
