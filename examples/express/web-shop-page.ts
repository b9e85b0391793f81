/** What the web-view shows. */
export const html = `<!doctype html>
<html lang="zh-CN">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>网页商城</title>
<h1>网页商城</h1>
<p id="status">…</p>
<ul id="orders"></ul>
<script src="/h5/page.js"></script>
</html>
`

/** Takes the ticket out of the fragment, and out of the address, before anything else can see it. */
export const script = `
const show = (status, orders = []) => {
  document.querySelector('#status').textContent = status
  document.querySelector('#orders').replaceChildren(
    ...orders.map(({ title, price }) => {
      const row = document.createElement('li')
      row.textContent = title + ' ¥' + price
      return row
    }),
  )
}

const takeTicket = () => {
  const member = /([#?&])ticket=([^&]+)&?/
  const [found, , ticket] = member.exec(location.hash) || []
  if (found) history.replaceState(null, '', location.pathname + location.search + location.hash.replace(member, '$1').replace(/[#?&]$/, ''))
  return ticket && decodeURIComponent(ticket)
}

const open = async () => {
  const ticket = takeTicket()
  if (ticket) {
    const body = JSON.stringify({ ticket })
    const headers = { 'content-type': 'application/json' }
    const { ok } = await fetch('/h5/session', { method: 'POST', headers, body })
    // Whoever was here before is not who opens the page now.
    if (!ok) return show('请从小程序重新打开')
  }
  const response = await fetch('/h5/orders')
  if (!response.ok) return show('请从小程序打开')
  const { name, orders } = await response.json()
  show('已登录：' + name, orders)
}

open().catch(() => show('网络不可用，请重试'))
`
