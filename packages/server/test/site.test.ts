import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, test } from 'vitest'
import { checkLinks } from '../../../.ci/site/links.mjs'
import { hrefOnSite, slugify } from '../../../.ci/site/markdown.mjs'
import { sectionsIn, sidebarIn } from '../../../docs/.vitepress/pages.mjs'
import { tokensOfPage, tokensOfQuery } from '../../../docs/.vitepress/search.mjs'

const root = fileURLToPath(new URL('../../..', import.meta.url))
const files = filesOfDocs()
const homePage = 'index'

describe('the sidebar of the site is made of docs/README.md', () => {
  test.each([
    ['en', ''],
    ['zh', '.zh-CN'],
  ] as const)('and has every page, in %s', (language, ending) => {
    const pages = files
      .filter((file) => file.endsWith('.zh-CN.md') === (ending !== ''))
      .map(withoutEnding)
      .filter((page) => page !== homePage && page !== 'README')

    expect(
      pages.filter((page) => !listedIn(language).includes(page)),
      `These pages would be found by nobody: give each a line in docs/README${ending}.md`,
    ).toEqual([])
  })

  test('and has only what is there, once', () => {
    const pages = listedIn('en')

    expect(pages.flatMap(bothFiles).filter((file) => !files.includes(file))).toEqual([])
    expect(pages.filter((page, index) => pages.indexOf(page) !== index)).toEqual([])
  })

  test('in the same order in both languages', () => {
    expect(listedIn('zh')).toEqual(listedIn('en'))
  })

  test('and leads to pages of its own language', () => {
    expect(JSON.stringify(sidebarIn('zh'))).toContain('"link":"/zh/concepts/rotation"')
    expect(JSON.stringify(sidebarIn('en'))).toContain('"link":"/concepts/rotation"')
  })
})

test('every page is there in English and in Chinese', () => {
  const pages = new Set(files.map(withoutEnding))

  expect([...pages].flatMap(bothFiles).filter((file) => !files.includes(file))).toEqual([])
})

test('what the packages print as an address of the site is a page of it', () => {
  const { homepage }: { homepage: string } = JSON.parse(read('package.json'))
  const sources = ['server', 'client', 'cli', 'shared'].flatMap((name) =>
    filesBelow(`packages/${name}/src`).filter((file) => /\.tsx?$/.test(file)),
  )
  const addresses = sources.flatMap((file) =>
    [...read(file).matchAll(/https:\/\/[\w.-]*github\.io\/[^'"`#\s)]*/g)].map(
      ([address]) => address,
    ),
  )

  expect(addresses).not.toEqual([])
  for (const address of addresses) {
    expect(address.startsWith(homepage), `${address} is not below ${homepage}`).toBe(true)
    const page = address.slice(homepage.length).replace(/^zh\//, '')
    expect(page === '' || files.includes(`${page}.md`), `${address} is no page`).toBe(true)
  }
})

describe('a link that is written for GitHub leads on the site', () => {
  test.each([
    ['dev.md', 'faq.md', '/dev'],
    ['rotation.md', 'concepts/the-flow.md', '/concepts/rotation'],
    ['../faq.md#backend', 'concepts/rotation.md', '/faq#backend'],
    ['faq.zh-CN.md', 'dev.zh-CN.md', '/zh/faq'],
    ['../faq.zh-CN.md#后端', 'concepts/rotation.zh-CN.md', '/zh/faq#后端'],
    ['README.zh-CN.md#微信', 'how-it-works.zh-CN.md', '/zh/all-pages#微信'],
    ['index.md', 'dev.md', '/'],
  ])('from %s in %s to a page', (href, source, address) => {
    expect(hrefOnSite(href, source)).toBe(address)
  })

  test.each([
    ['../LICENSE', 'faq.md', 'blob/main/LICENSE'],
    [
      '../../packages/cli/README.md#scan',
      'concepts/rotation.md',
      'blob/main/packages/cli/README.md#scan',
    ],
    ['../examples/express', 'dev.md', 'tree/main/examples/express'],
  ])('from %s in %s to the repository', (href, source, path) => {
    expect(hrefOnSite(href, source)).toBe(`https://github.com/wxlogin/wxlogin/${path}`)
  })

  test.each(['https://example.com/a.md', 'mailto:a@example.com', '#here'])(
    '%s as it is',
    (href) => {
      expect(hrefOnSite(href, 'faq.md')).toBe(href)
    },
  )

  test('nowhere if there is no such file, and the build says so', () => {
    expect(() => hrefOnSite('nowhere.md', 'faq.md')).toThrow('docs/faq.md links to nowhere.md')
  })

  test.each([
    ['40029 and 40163: a check-list', '40029-and-40163-a-check-list'],
    ['`invalid_grant`', 'invalid_grant'],
    ['先勾选同意，再要手机号，然后才有账号', '先勾选同意再要手机号然后才有账号'],
  ])('to the anchor that GitHub gives to %s', (heading, anchor) => {
    expect(slugify(heading)).toBe(anchor)
  })
})

describe('the links of what was built', () => {
  let folder: string
  afterEach(() => rmSync(folder, { recursive: true }))

  test('are counted when all lead somewhere', () => {
    folder = siteOf({
      'index.html': '<a href="/wxlogin/guide#first">1</a> <a href="https://example.com/x">2</a>',
      'guide.html': '<h2 id="first">x</h2> <a href="./">1</a> <a href="#first">2</a>',
    })

    expect(checkLinks(folder)).toEqual({ pages: 2, links: 3 })
  })

  test.each([
    ['/wxlogin/nowhere', 'no such page or file'],
    ['/wxlogin/guide#second', 'no such anchor'],
    ['#second', 'no such anchor'],
    ['/elsewhere', 'not below /wxlogin/'],
    ['https://wxlogin.github.io/wxlogin/nowhere', 'no such page or file'],
  ])('fail the build when one leads nowhere: %s', (href, reason) => {
    folder = siteOf({ 'guide.html': `<h2 id="first">x</h2> <a href="${href}">x</a>` })

    expect(() => checkLinks(folder)).toThrow(
      `1 links lead nowhere:\n${href} (${reason}): guide.html`,
    )
  })

  test('so do those of pictures', () => {
    folder = siteOf({ 'index.html': '<img alt="x" src="/wxlogin/assets/x.png">' })

    expect(() => checkLinks(folder)).toThrow('/wxlogin/assets/x.png (no such page or file)')
  })

  function siteOf(pages: Readonly<Record<string, string>>): string {
    const folder = mkdtempSync(join(tmpdir(), 'wxlogin-site-'))
    for (const [file, html] of Object.entries(pages)) writeFileSync(join(folder, file), html)
    return folder
  }
})

test('every diagram says to those who do not see it what it shows', () => {
  const silent = files.flatMap((file) =>
    [...read(`docs/${file}`).matchAll(/^```mermaid *\n([\s\S]*?)^```/gm)]
      .filter(([, source = '']) => !/^ *accTitle: *\S[\s\S]*^ *accDescr: *\S/m.test(source))
      .map(() => file),
  )

  expect(silent, 'Give the diagrams of these pages accTitle and accDescr').toEqual([])
})

describe('search', () => {
  const sentences = [
    '属于另一个用户的手机号会打开新会话',
    '刷新令牌只能用一次',
    '长按手机号登录按钮，用微信登录凭证换取用户信息',
    'A refresh token works once; `invalid_grant` means that the session has ended',
    '用 wx.login 得到的 code 只能用一次，见 40029',
  ]

  test.each([
    ['手机号', 0],
    ['手机号', 2],
    ['手机号登录', 2],
    ['登录凭证', 2],
    ['刷新令牌', 1],
    ['令牌', 1],
    ['会话', 0],
    ['refresh token', 3],
    ['refresh tok', 3],
    ['invalid_grant', 3],
    ['grant', 3],
    ['wx.login', 4],
    ['40029', 4],
    ['只能用一次', 4],
  ])('for %s finds sentence %i, wherever its words are cut', (query, index) => {
    const tokens = tokensOfPage(sentences[index] ?? '')

    // Every word has to be the beginning of one of the page's.
    const missed = tokensOfQuery(query).filter(
      (word) => !tokens.some((token) => token.startsWith(word)),
    )

    expect(missed).toEqual([])
    expect(tokensOfQuery(query)).not.toEqual([])
  })

  test('for what is not there finds nothing', () => {
    const tokens = tokensOfPage(sentences[1] ?? '')

    expect(tokensOfQuery('手机号').some((word) => tokens.includes(word))).toBe(false)
  })

  test.each([tokensOfPage, tokensOfQuery])(
    'is complete as the text that a browser gets: %o',
    (own) => {
      const sent: unknown = new Function(`return ${own.toString()}`)()

      expect(typeof sent === 'function' && sent(sentences[2])).toEqual(own(sentences[2] ?? ''))
    },
  )
})

test.each(['', '.zh-CN'])(
  'the limits in docs/performance%s.md are those of `npm run size`',
  (ending) => {
    const page = read(`docs/performance${ending}.md`)
    const limits = [...page.matchAll(/^\| .*`@wxlogin\/.*\| ([\d,]+) \|$/gm)].map(
      ([, limit = '']) => Number(limit.replaceAll(',', '')),
    )
    const size = read('.ci/size.mjs')
    const budget = (name: string) => {
      const [, value = '', isKibibytes] =
        new RegExp(`${name}: (\\d+)( \\* kibibyte)?`).exec(size) ?? []
      return Number(value) * (isKibibytes ? 1024 : 1)
    }
    const [core = 0, wechat = 0] = [...size.matchAll(/budget: ([\d_]+)( \* kibibyte)?/g)].map(
      ([, value = '', isKibibytes]) => Number(value.replaceAll('_', '')) * (isKibibytes ? 1024 : 1),
    )

    expect(limits, 'docs/performance has to say the limits of .ci/size.mjs').toEqual([
      budget('index'),
      budget('full'),
      budget('backend'),
      budget('explain'),
      core,
      wechat,
    ])
    const [, adapter = ''] = /\?\? (\d+),/.exec(size) ?? []
    expect(page).toContain(thousands(Number(adapter)))
    expect(page).toContain(`Nest ${thousands(budget('nest'))}`)
  },
)

function thousands(value: number): string {
  return value.toLocaleString('en')
}

function read(file: string): string {
  return readFileSync(`${root}${file}`, 'utf8')
}

/** Their paths below docs/. */
function filesOfDocs(): readonly string[] {
  return filesBelow('docs')
    .map((file) => file.slice('docs/'.length))
    .filter((file) => file.endsWith('.md') && !file.startsWith('.'))
}

function filesBelow(folder: string): readonly string[] {
  return readdirSync(`${root}${folder}`, { recursive: true, encoding: 'utf8' })
    .map((file) => `${folder}/${file.replaceAll('\\', '/')}`)
    .sort()
}

function listedIn(language: 'en' | 'zh'): readonly string[] {
  return sectionsIn(language).flatMap(({ pages }) => pages.map(({ page }) => page))
}

function withoutEnding(file: string): string {
  return file.replace(/(?:\.zh-CN)?\.md$/, '')
}

function bothFiles(page: string): readonly string[] {
  return [`${page}.md`, `${page}.zh-CN.md`]
}
