// The tour of the page: what is pressed, and what has to be seen.
import { createServer, request } from 'node:http'

/**
 * @param {object} options
 * @param {import('playwright-core').Browser} options.browser
 * @param {(...args: string[]) => Promise<object>} options.start Starts `wxlogin dev` with these arguments.
 * @param {(page: object, title: string) => Promise<void>} options.shoot
 * @param {(line: string) => void} options.say
 */
export async function play({ browser, start, shoot, say }) {
  const sandbox = await start('--port', '0')
  const heard = await listenIn(sandbox.pageUrl)
  const errors = []
  const context = await browser.newContext({
    viewport: { width: 1280, height: 860 },
    locale: 'en-US',
    colorScheme: 'light',
  })
  const page = await context.newPage()
  page.setDefaultTimeout(15_000)
  page.on('pageerror', (error) => errors.push(String(error)))
  page.on('console', (message) => {
    if (message.type() === 'error') errors.push(message.text())
  })
  const requests = []
  page.on('request', (one) => requests.push(one.url()))

  try {
    await tour()
  } finally {
    await context.close()
    heard.close()
    await sandbox.end()
  }
  await besideOwnBackend({ browser, start, say })

  async function tour() {
    say('the page is opened, in English')
    await page.goto(sandbox.pageUrl)
    await page.locator('#connection', { hasText: 'connected' }).waitFor()
    await page.locator('[data-phone=devtools]').waitFor()

    say('everything is reached by keyboard, and has a name')
    await reachedByKeyboard()

    say('Ming is launched, by keyboard')
    await page.locator('[data-phone=ming] [data-action=launch]').focus()
    await page.keyboard.press('Enter')
    await who('ming', '小明 Ming')
    await rows(
      'POST /wx/login',
      'GET /sns/jscode2session',
      '✓ 200',
      'login · created',
      '✓ 200',
      'a new session',
    )

    say('Hong sends ten requests at once')
    await clear()
    await press('hong', 'launch')
    await who('hong', '小红 Hong')
    await press('hong', 'ten')
    await row('all 10 answered')
    await holds('there were ten requests', (await count('GET /orders')) === 10)
    await holds('and one login', (await count('POST /wx/login')) === 1)

    say('the code is used, and the client gets another')
    await clear()
    await trouble('code-used')
    await press('ming', 'login')
    await row('signed in: 小明 Ming')
    await holds('40163 was seen', (await count('✗ 200 errcode 40163')) === 1)

    say('the code is expired')
    await clear()
    await trouble('code-expired')
    await press('ming', 'login')
    await row('signed in: 小明 Ming')
    await holds('40029 was seen', (await count('✗ 200 errcode 40029')) === 1)

    say('the answer of the backend is lost')
    await clear()
    await trouble('answer-lost')
    await press('ming', 'login')
    await row('signed in: 小明 Ming')
    await holds('it was sent again', (await count('POST /wx/login')) === 2)
    await holds('and one was lost', (await count('answer lost on the way')) === 1)

    say('the answer of WeChat is lost')
    await clear()
    await trouble('wechat-answer-lost')
    await press('ming', 'login')
    await row('connection lost')
    await row('signed in: 小明 Ming')

    say('WeChat is slow, then limits the rate, then is down')
    await clear()
    await trouble('wechat-slow')
    await press('hong', 'login')
    await row('signed in: 小红 Hong')
    await trouble('wechat-busy')
    await press('hong', 'login')
    await row('rate_limited')
    await trouble('wechat-down')
    await page.locator('[data-trouble=wechat-down][aria-pressed=true]').waitFor()
    await page.locator('[data-trouble=wechat-busy][aria-pressed=false]').waitFor()
    say('  ✓ one of them at a time')
    await press('hong', 'login')
    await row('wechat_unavailable')
    await trouble('wechat-down')
    await press('hong', 'login')
    await holds('and it is back', await settles(signedInAgain()))

    say('the access token of Ming expires')
    await clear()
    await trouble('token-expired')
    await press('ming', 'request')
    await rows('GET /orders', '✗ 401 invalid_token', 'POST /wx/refresh', '✓ 200', 'GET /orders')
    await row('answered 200, 2 of them')

    say('a guest binds the phone number of Ming')
    await clear()
    await press('guest', 'launch')
    await who('guest', '顾客 3 号 Guest 3')
    await befalls('guest')
    await trouble('phone-denied')
    await press('guest', 'phone')
    await row('phone_denied')
    await press('guest', 'phone')
    await who('guest', '小明 Ming')
    await shot('en')

    say('an answer is clicked, and shows no secret')
    await page.locator('#diagram button', { hasText: 'POST /wx/phone' }).last().click()
    const details = await page.locator('#details').textContent()
    await holds('the number is masked', /"phone_number": "•••#[0-9a-f]{4}"/.test(details))
    await holds('the token is masked', /"access_token": "•••#[0-9a-f]{4}"/.test(details))
    await shot('details-en')
    await page.keyboard.press('Escape')
    await holds('Escape closes it', !(await page.locator('#details').isVisible()))

    say('the session_key is replaced')
    await clear()
    await press('guest', 'open-data')
    await row('answered 200, 1 of them')
    await trouble('session-key-replaced')
    await press('guest', 'open-data')
    await row('stale_session_key')

    say('the sessions of Hong are revoked')
    await clear()
    await befalls('hong')
    await trouble('session-revoked')
    await trouble('token-expired')
    await press('hong', 'request')
    await row('signed_out (revoked)')
    await who('hong', 'nobody is signed in')

    say('Ming has no network, then is in the background, then logs out')
    await clear()
    await press('ming', 'offline')
    await press('ming', 'request')
    await row('network:')
    await press('ming', 'offline')
    await press('ming', 'background')
    await press('ming', 'background')
    await press('ming', 'request')
    await row('answered 200, 3 of them')
    await press('ming', 'logout')
    await who('ming', 'nobody is signed in')

    say('DevTools without an AppID logs in')
    await clear()
    await press('devtools', 'launch')
    await row('a new session')
    await holds('by one code', (await count('GET /sns/jscode2session')) === 1)

    say('the page in Chinese, and dark')
    await page.locator('#language').click()
    await page.emulateMedia({ colorScheme: 'dark' })
    await page.locator('h2', { hasText: '制造故障' }).waitFor()
    await holds('says so', (await page.getAttribute('html', 'lang')) === 'zh-CN')
    const english = await page.evaluate(() =>
      [...document.querySelectorAll('[data-text], button:not(#language)')]
        .map((element) => element.textContent.trim())
        .filter((text) => /^[A-Z][a-z]+( [a-z]+)*$/.test(text)),
    )
    await holds('no word is left in English', english.length === 0, english.join(', '))
    await trouble('token-expired')
    await press('devtools', 'request')
    await row('返回 200')
    await shot('zh-dark')
    await page.emulateMedia({ colorScheme: 'light' })
    await shot('zh')
    await page.locator('#diagram button', { hasText: 'POST /wx/refresh' }).last().click()
    await shot('details-zh')
    await page.keyboard.press('Escape')

    say('nobody else may use it')
    await refuses()
    await holdsNoSecret()
    await holds(
      'the page asked nobody else',
      requests.every((url) => url.startsWith(sandbox.pageUrl)),
    )
    await holds('no error was thrown on the way', errors.length === 0, errors.join('\n'))

    say('the sandbox ends, and the page says so')
    await holds('with 0', (await sandbox.end()) === 0, sandbox.said())
    await page.locator('#connection', { hasText: '沙箱已结束' }).waitFor()

    async function signedInAgain() {
      await page.waitForFunction(
        () =>
          [...document.querySelectorAll('#diagram .what')].filter((one) =>
            one.textContent.includes('signed in: 小红 Hong'),
          ).length === 2,
      )
    }
  }

  /** From the top of the page by Tab alone, as far as the language and the last trouble. */
  async function reachedByKeyboard() {
    const seen = new Set()
    for (let presses = 0; presses < 80; presses++) {
      await page.keyboard.press('Tab')
      seen.add(
        await page.evaluate(() => {
          const { tagName, id, textContent, dataset, labels } = document.activeElement
          const name = labels?.[0]?.textContent || textContent
          const ring = getComputedStyle(document.activeElement).outlineStyle
          return [tagName, id || dataset.trouble || dataset.action, name && 'named', ring].join(' ')
        }),
      )
    }
    const wanted = [
      'BUTTON language',
      'BUTTON launch',
      'SELECT befalls',
      'BUTTON phone-denied',
      'BUTTON clear',
    ]
    for (const one of wanted) {
      const what = `Tab reaches ${one}, which is named and has a ring`
      await holds(what, seen.has(`${one} named solid`), [...seen].join('\n'))
    }
  }

  /** Requests that a page of another site could make a browser send. */
  async function refuses() {
    const order = JSON.stringify({ do: 'clear' })
    const own = sandbox.pageUrl
    const { port } = new URL(own)
    const attempts = {
      'another origin': {
        method: 'POST',
        headers: { origin: 'https://evil.example' },
        body: order,
      },
      'no origin': { method: 'POST', headers: {}, body: order },
      'a name that is given to loopback': { headers: { host: `evil.example:${port}` } },
      'a picture of another site': { headers: { 'sec-fetch-site': 'cross-site' } },
      'the null origin': { method: 'POST', headers: { origin: 'null' }, body: order },
    }
    for (const [what, attempt] of Object.entries(attempts)) {
      const status = await statusOf(`${own}${attempt.method ? '/orders' : '/events'}`, attempt)
      await holds(`${what} is refused`, status === 403, String(status))
    }
    const good = await statusOf(`${own}/orders`, {
      method: 'POST',
      headers: { origin: own },
      body: order,
    })
    await holds('the page itself is not', good === 204, String(good))
    const wrong = await statusOf(`${own}/orders`, {
      method: 'POST',
      headers: { origin: own },
      body: '{"do":"x"}',
    })
    await holds('what it never sends is', wrong === 400, String(wrong))
  }

  /** A login whose secrets are known here. */
  async function holdsNoSecret() {
    const code = `sandbox-${'0123456789'.repeat(3).slice(0, 22)}`
    const key = 'a-key-that-is-long-enough-and-never-shown'
    const answer = await fetch(`${sandbox.baseUrl}/wx/login`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'idempotency-key': key },
      body: JSON.stringify({ code, app_id: 'wx0000000000000001' }),
    })
    const { access_token, refresh_token } = await answer.json()
    await fetch(`${sandbox.baseUrl}/orders`, {
      headers: { authorization: `Bearer ${access_token}` },
    })
    await new Promise((wake) => setTimeout(wake, 300))
    const secrets = { code, key, access_token, refresh_token }
    for (const [name, secret] of Object.entries(secrets)) {
      await holds(`the page never heard the ${name}`, secret && !heard.text().includes(secret))
    }
    const shapes = {
      JWT: /eyJ[\w-]+\.[\w-]+\.[\w-]+/,
      'access_token of WeChat': /\d\d_[\w-]{133}/,
      openid: /"o[\w-]{27}"/,
      'mobile number': /[^\d#]1[3-9]\d{9}[^\d]/,
      session_key: /[A-Za-z0-9+/]{22}==/,
    }
    for (const [name, shape] of Object.entries(shapes)) {
      const [found] = shape.exec(heard.text()) ?? []
      await holds(`nor any ${name}`, found === undefined, found)
    }
  }

  async function holds(sentence, isTrue, details = '') {
    if (!isTrue) throw new Error(`this does not hold: ${sentence}. ${details}`)
    say(`  ✓ ${sentence}`)
  }

  async function press(phone, action) {
    await page.locator(`[data-phone=${phone}] [data-action=${action}]`).click()
    await page.locator(`[data-phone=${phone}][aria-busy=false]`).waitFor()
  }

  async function shot(title) {
    await page.evaluate(() => document.querySelector('.side').scrollTo(0, 0))
    await shoot(page, title)
  }

  async function trouble(name) {
    await page.locator(`[data-trouble=${name}]`).click()
  }

  async function befalls(phone) {
    await page.locator('#befalls').selectOption(phone)
  }

  /** After a second, as WeChat lets a phone log in four times in one. */
  async function clear() {
    await page.waitForTimeout(1_100)
    await page.locator('#clear').click()
    await page.waitForFunction(() => document.querySelectorAll('#diagram li').length === 0)
  }

  async function who(phone, name) {
    await page.locator(`[data-phone=${phone}] .who`, { hasText: name }).waitFor()
    say(`  ✓ ${phone} is ${name}`)
  }

  async function row(text) {
    await page.locator('#diagram .what', { hasText: text }).first().waitFor()
    say(`  ✓ ${text}`)
  }

  async function rows(...texts) {
    await page.locator(`#diagram li:nth-child(${texts.length})`).waitFor()
    await row(texts.at(-1))
    const shown = await page.locator('#diagram .what').allTextContents()
    const from = shown.findIndex((text) => text.startsWith(texts[0]))
    const same = texts.every((text, index) => shown[from + index]?.startsWith(text))
    const list = texts.join(', then ')
    // What lies between may have come in any order, but for what causes what.
    const inOrder = same || isSubsequence(texts, shown)
    await holds(list, inOrder, shown.join(' | '))
  }

  async function count(text) {
    return page.locator('#diagram .what', { hasText: text }).count()
  }
}

/** Phones, somebody's own backend, and WeChat; a backend that is down is named. */
async function besideOwnBackend({ browser, start, say }) {
  say('beside a backend of one’s own, which is down')
  const backend = createServer((_, response) =>
    response.writeHead(404, { 'content-type': 'application/json' }).end('{"error":"mine"}'),
  )
  await new Promise((listening) => backend.listen(0, '127.0.0.1', listening))
  const { port } = backend.address()
  await new Promise((closed) => backend.close(closed))
  const url = `http://127.0.0.1:${port}`
  const sandbox = await start('--port', '0', '--backend', url)
  const page = await browser.newPage()
  try {
    await page.goto(`${sandbox.pageUrl}/`)
    await page.locator('[data-phone=ming] [data-action=launch]').click()
    await page
      .locator('#diagram .what', { hasText: /nobody listens|没有程序/ })
      .first()
      .waitFor()
    say('  ✓ the page says that nobody listens there')
    if (!sandbox.said().includes(url)) throw new Error(`it is not named: ${sandbox.said()}`)
    say('  ✓ and so did the command')

    await new Promise((listening) => backend.listen(port, '127.0.0.1', listening))
    await page.locator('[data-phone=ming] [data-action=login]').click()
    await page.locator('#diagram .what', { hasText: '404 mine' }).first().waitFor()
    say('  ✓ once it is there, its own answers are shown')
    const shown = await page.locator('#setup').textContent()
    if (!shown.includes(`wechatHosts: ['${sandbox.wechatHosts[0]}']`)) throw new Error(shown)
    say('  ✓ with the one line that it needs')
    const missing = page.locator('[data-trouble=session-revoked]')
    if ((await missing.getAttribute('aria-disabled')) !== 'true')
      throw new Error('it can be pressed')
    say('  ✓ what only its own backend can do is off')
  } finally {
    await page.close()
    backend.closeAllConnections()
    backend.close()
    await sandbox.end()
  }
}

function isSubsequence(texts, shown) {
  let next = 0
  for (const text of shown) if (text.startsWith(texts[next])) next++
  return next >= texts.length
}

/** Everything that a page hears. */
async function listenIn(pageUrl) {
  let text = ''
  const call = request(`${pageUrl}/events`)
  call.end()
  const response = await new Promise((answered) => call.on('response', answered))
  response.setEncoding('utf8')
  response.on('data', (part) => {
    text += part
  })
  response.on('error', () => undefined)
  return { text: () => text, close: () => call.destroy() }
}

/** With headers that `fetch` would not send. */
function statusOf(url, { method = 'GET', headers, body }) {
  return new Promise((answered, failed) => {
    const call = request(url, { method, headers }, (response) => {
      answered(response.statusCode)
      response.destroy()
    })
    call.on('error', failed)
    call.end(body)
  })
}

function settles(promise) {
  return promise.then(
    () => true,
    () => false,
  )
}
