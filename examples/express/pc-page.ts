/** The page on the PC: a code to scan, then whose account it is, then the orders. It never has a token. */
export const pcPage = `<!doctype html>
<html lang="zh-CN">
<meta charset="utf-8">
<title>扫码登录</title>
<style>
  body { font: 16px/1.6 system-ui, sans-serif; max-width: 22em; margin: 4em auto; text-align: center }
  img { width: 200px; height: 200px; image-rendering: pixelated }
  button { font: inherit; padding: .3em 1em }
  [hidden] { display: none }
</style>
<h1>wxlogin 示例</h1>
<section id="scan" hidden>
  <p>用微信扫一扫，在手机上确认登录</p>
  <img id="picture" alt="小程序码">
</section>
<section id="who" hidden>
  <p>将以 <b class="name"></b> 的身份登录这台电脑。这是你的账号吗？</p>
  <button id="continue">是我，继续</button> <button id="not-me">不是我</button>
</section>
<section id="in" hidden>
  <p>已登录：<b class="name"></b></p>
  <ul id="orders"></ul>
  <button id="log-out">退出</button>
</section>
<p id="message"></p>
<button id="again" hidden>刷新小程序码</button>
<script src="/pc/page.js"></script>
</html>
`

export const pcScript = `'use strict'
const part = (id) => document.getElementById(id)
const post = (path) => fetch('/pc/' + path, { method: 'POST' })
const wait = (seconds) => new Promise((wake) => setTimeout(wake, seconds * 1000))

function show(id, message = '') {
  for (const section of ['scan', 'who', 'in', 'again']) part(section).hidden = section !== id
  part('message').textContent = message
}

async function begin() {
  const me = await fetch('/pc/me')
  if (me.ok) return showWho(await me.json())
  const started = await post('start')
  if (!started.ok) return show('again', '现在不能登录，请稍后再试')
  const { picture, interval } = await started.json()
  part('picture').src = picture
  show('scan')
  await poll(interval)
}

async function poll(interval) {
  for (;;) {
    await wait(interval)
    // Without a network, or while the server is busy, it is asked again.
    const answer = await post('poll').catch(() => undefined)
    if (answer && answer.status === 200) return begin()
    if (answer && answer.status === 202) {
      const { waitSeconds } = await answer.json()
      interval = Math.max(interval, waitSeconds || 0)
    }
    if (answer && answer.status === 410) {
      const { error } = await answer.json()
      return show('again', error === 'access_denied' ? '手机上拒绝了登录' : '小程序码已失效')
    }
  }
}

async function showWho({ name, isConfirmed }) {
  for (const place of document.querySelectorAll('.name')) place.textContent = name
  if (!isConfirmed) return show('who')
  const orders = await (await fetch('/pc/orders')).json()
  part('orders').replaceChildren(
    ...orders.map(({ title, price }) => {
      const row = document.createElement('li')
      row.textContent = title + ' ¥' + price
      return row
    }),
  )
  show('in')
}

const leave = () => post('logout').then(begin)
part('continue').onclick = () => post('continue').then(begin)
part('not-me').onclick = leave
part('log-out').onclick = leave
part('again').onclick = begin
begin()
`
