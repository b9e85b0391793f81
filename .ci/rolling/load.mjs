// Phones that never stop while the versions take turns: clients of both ages, and a script that sends what no client
// would wait for.
import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'

/** Sends requests without a client: every refresh may reach another version than the one before. */
export async function runScript({ pick, login, until, count, loggedOut }) {
  while (Date.now() < until()) {
    let tokens = await login(pick())
    const rounds = 3 + Math.floor(Math.random() * 12)
    for (let round = 0; round < rounds && Date.now() < until(); round++) {
      const key = randomUUID()
      // An answer that is lost: the same request again, wherever it is sent.
      const answers = [await pick().refresh(tokens.refresh_token, key)]
      if (Math.random() < 0.2) answers.push(await pick().refresh(tokens.refresh_token, key))
      for (const { status, body } of answers) {
        count('refresh')
        if (status !== 200) loggedOut(`refresh: ${status} ${JSON.stringify(body)}`)
      }
      const [{ body }] = answers
      if (answers.some((answer) => answer.body.refresh_token !== body.refresh_token)) {
        loggedOut('a retry got another token')
      }
      tokens = body
      const orders = await pick().get('/orders', tokens.access_token)
      count('orders')
      if (orders.status !== 200)
        loggedOut(`orders: ${orders.status} ${JSON.stringify(orders.body)}`)
      await delay(Math.random() * 40)
    }
    count('logout')
    const { status } = await pick().post('/wx/logout', { refresh_token: tokens.refresh_token })
    if (status !== 204) loggedOut(`logout: ${status}`)
  }
}

/** A mini program on a phone, which is opened and closed. */
export async function runClient({
  createClient,
  createFakeWx,
  wechat,
  pick,
  until,
  count,
  ...about
}) {
  const { user, appId, loggedOut, phoneCodeFor } = about
  const network = async ({ url, method, header, body, signal }) => {
    const { pathname, search } = new URL(url)
    const answer = await fetch(pick().url + pathname + search, {
      method,
      headers: header,
      signal,
      ...(method !== 'GET' && { body }),
    })
    count(`client ${pathname}`)
    return {
      statusCode: answer.status,
      header: Object.fromEntries(answer.headers),
      body: await answer.text(),
    }
  }
  let wx = createFakeWx({ appId, user, wechat, network })
  let userId
  while (Date.now() < until()) {
    let isLeaving = false
    const client = createClient({ baseUrl: 'https://api.example.com', authPath: '/wx', appId, wx })
    client.onChange(({ session, reason }) => {
      if (!session && !isLeaving) loggedOut(`a client: ${reason}`)
    })
    client.launch(wx.control.launch?.())
    const closesAt = Math.min(until(), Date.now() + 70_000 + Math.random() * 20_000)
    while (Date.now() < closesAt) {
      const { data } = await client.request({ url: '/orders' }).catch((error) => {
        loggedOut(`a client's request: ${error.code} ${error.message}`)
        return {}
      })
      userId ??= data?.userId
      if (data && data.userId !== userId) loggedOut('a client: another user')
      await delay(300 + Math.random() * 900)
    }
    const code = phoneCodeFor(user, '13800138000')
    await client.bindPhone({ detail: { code } }).catch((error) => {
      loggedOut(`a client's phone number: ${error.code} ${error.message}`)
    })
    isLeaving = true
    await client.logout()
    await client.login().catch((error) => loggedOut(`a client's login: ${error.code}`))
    wx = wx.control.restart()
  }
}
