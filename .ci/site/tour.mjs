// A walk through the built site in Chromium: what a reader does in the first minutes, in both languages.
import assert from 'node:assert/strict'
import { join } from 'node:path'

/** What somebody looks for, and the page that has to be among the first three found. */
const searches = [
  { language: 'zh', query: '手机号', page: 'zh/phone-number' },
  { language: 'zh', query: '获取手机号', page: 'zh/phone-number' },
  { language: 'zh', query: '刷新令牌', page: 'zh/concepts/rotation' },
  { language: 'zh', query: '端口被占用', page: 'zh/quick-start' },
  { language: 'zh', query: '构建 npm', page: 'zh/mini-program' },
  { language: 'en', query: 'without AppID', page: 'quick-start' },
  { language: 'en', query: 'refresh token', page: 'concepts/rotation' },
  { language: 'en', query: 'invalid_grant', page: 'reference/errors' },
]

export async function takeTour({ browser, url, screenshots, say }) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 } })
  const complaints = []
  const page = await context.newPage()
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text())
  })
  page.on('pageerror', (error) => complaints.push(String(error)))
  page.on('requestfailed', (request) => {
    // Pages are fetched ahead, and no longer awaited when the reader goes on.
    const reason = request.failure()?.errorText
    if (reason !== 'net::ERR_ABORTED') complaints.push(`${request.url()}: ${reason}`)
  })
  page.on('response', (response) => {
    if (response.status() >= 400) complaints.push(`${response.url()}: ${response.status()}`)
  })
  page.on('request', (request) => {
    const isOwn = request.url().startsWith(url) || request.url().startsWith('data:')
    if (!isOwn) complaints.push(`${request.url()} is asked for: the site needs no other host`)
  })
  const shoot = (name, options) =>
    page.screenshot({
      path: join(screenshots, `site-${name}.png`),
      animations: 'disabled',
      ...options,
    })
  const open = (path) => page.goto(url + path, { waitUntil: 'networkidle' })

  say('\nthe home page')
  await open('')
  assert.match(await page.title(), /WeChat login/)
  await page.getByRole('heading', { level: 1 }).waitFor()
  await shoot('home-en')

  say('its language is switched')
  await page.locator('.VPNavBarTranslations button').hover()
  await page.getByRole('link', { name: '简体中文' }).click()
  await page.waitForURL(`${url}zh/`)
  assert.equal(await page.evaluate(() => document.documentElement.lang), 'zh-CN')
  await shoot('home-zh')

  for (const search of searches) await searchFor(search)

  say('a guide, its code and its outline')
  await open('frameworks')
  assert.ok((await page.locator('.vp-doc div[class*="language-"]').count()) > 5)
  assert.ok((await page.locator('.VPDocAsideOutline a').count()) > 5)
  await shoot('guide-en')

  say('the anchor of an error code, as an error message has it')
  await open('reference/errors#invalid_grant')
  const heading = page.locator('#invalid_grant')
  await heading.waitFor()
  const { y } = (await heading.boundingBox()) ?? {}
  assert.ok(y > 50 && y < 250, `the entry is at ${y} px`)
  await shoot('error-code-en')

  say('a link to the other language keeps the page')
  await page.locator('.VPNavBarTranslations button').hover()
  await page.getByRole('link', { name: '简体中文' }).click()
  await page.waitForURL(`${url}zh/reference/errors#invalid_grant`)

  say('diagrams, light and dark')
  await open('concepts/rotation')
  await seeDiagrams(3)
  await shoot('diagrams-en', { fullPage: true })
  await open('zh/concepts/rotation')
  await seeDiagrams(3)
  const light = await textColorOfDiagram()
  await page.locator('.VPSwitchAppearance').first().click()
  await page.waitForFunction(() => document.documentElement.classList.contains('dark'))
  assert.notEqual(await textColorOfDiagram(), light)
  await shoot('diagrams-zh-dark', { fullPage: true })
  await open('zh/concepts/signed-out')
  await seeDiagrams(2)
  await shoot('states-zh-dark', { fullPage: true })
  await open('')
  await shoot('home-en-dark')
  await page.locator('.VPSwitchAppearance').first().click()

  say('a phone: nothing is wider than the screen')
  await page.setViewportSize({ width: 375, height: 740 })
  for (const path of [
    '',
    'zh/',
    'zh/phone-number',
    'reference/errors',
    'concepts/rotation',
    'performance',
  ]) {
    await open(path)
    const width = await page.evaluate(() => document.documentElement.scrollWidth)
    assert.ok(width <= 375, `${path || 'the home page'} is ${width} px wide on a phone of 375`)
  }
  await open('zh/concepts/rotation')
  await shoot('phone-zh')
  await page.setViewportSize({ width: 1280, height: 800 })

  assert.deepEqual(complaints, [])

  say('an address that is none')
  const answer = await open('nowhere')
  assert.equal(answer?.status(), 404)
  await page.getByText('PAGE NOT FOUND').waitFor()

  await context.close()
  say('no errors in the console, and no request to another host')

  async function searchFor({ language, query, page: wanted }) {
    // The box remembers what was looked for before, and would show that first.
    await page.evaluate(() => sessionStorage.clear())
    await open(language === 'zh' ? 'zh/' : '')
    await page.keyboard.press('Control+k')
    const box = page.locator('#localsearch-input')
    await box.fill(query)
    const results = page.locator('#localsearch-list a.result')
    await results.first().waitFor()
    const found = await results.evaluateAll((links) =>
      links.map((link) => link.getAttribute('href')),
    )
    const paths = found.map((href) => decodeURIComponent(new URL(href, url).href).slice(url.length))
    say(`search for ${query}: ${paths.length} found, first ${paths.slice(0, 3).join(', ')}`)
    const isFound = paths.slice(0, 3).some((path) => path.split('#')[0] === wanted)
    assert.ok(isFound, `${wanted} is not among the first three for ${query}`)
    await shoot(`search-${language}-${query.length}`)
    await results.first().click()
    await page.waitForURL((address) => decodeURIComponent(address.href) === url + paths[0])
  }

  async function seeDiagrams(least) {
    const diagrams = page.locator('figure.diagram svg')
    const count = await diagrams.count()
    assert.ok(count >= least, `${count} diagrams`)
    for (const diagram of await diagrams.all()) {
      const { width, height } = (await diagram.boundingBox()) ?? {}
      assert.ok(width > 200 && height > 60, `a diagram is ${width} × ${height}`)
      const named = await diagram.evaluate((svg) =>
        ['aria-labelledby', 'aria-describedby'].map(
          (name) => document.getElementById(svg.getAttribute(name) ?? '')?.textContent?.length,
        ),
      )
      assert.ok(named.every(Boolean), 'a diagram says to nobody who does not see it what it shows')
    }
  }

  function textColorOfDiagram() {
    return page
      .locator('figure.diagram .messageText')
      .first()
      .evaluate((text) => getComputedStyle(text).fill)
  }
}
