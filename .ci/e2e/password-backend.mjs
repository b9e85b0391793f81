// A backend that has nothing of ours: a password logs in, every answer is `{ code, msg, data }` with status 200, and pages
// of another origin may call it. The examples describe it in `src/password-login.ts`.
import { createServer } from 'node:http'

const account = { username: 'li', password: 'pass-1234' }
const user = { id: 1, name: '顾客 1 号' }
const orders = [{ id: 'A-1001', title: '新人拿铁', price: 9.9 }]

/** @param {{ onRequest: (line: string) => void }} options Hears of each request with what it came to: `GET /orders 0`. */
export async function listenWithPasswords({ onRequest }) {
  const access = new Set()
  const refresh = new Set()
  let issued = 0

  const issue = () => {
    const accessToken = `access-${++issued}`
    const refreshToken = `refresh-${issued}`
    access.add(accessToken)
    refresh.add(refreshToken)
    return { accessToken, refreshToken, expiresIn: 7200 }
  }

  const answers = {
    'POST /auth/login'(_token, { username, password }) {
      const isRight = username === account.username && password === account.password
      return isRight ? ok({ ...issue(), user }) : { code: 1001, msg: '用户名或密码不对' }
    },
    // It rotates.
    'POST /auth/refresh': (_token, { refreshToken }) =>
      refresh.delete(refreshToken) ? ok(issue()) : dead,
    'POST /auth/logout'(token, { refreshToken }) {
      refresh.delete(refreshToken)
      return access.delete(token) ? ok() : dead
    },
    'GET /orders': (token) => (access.has(token) ? ok(orders) : dead),
  }

  const server = createServer(async (request, response) => {
    const cors = {
      'access-control-allow-origin': request.headers.origin ?? '*',
      'access-control-allow-headers': 'authorization, content-type',
    }
    if (request.method === 'OPTIONS') return response.writeHead(204, cors).end()

    const parts = []
    for await (const part of request) parts.push(part)
    const { pathname } = new URL(request.url, 'http://localhost')
    const route = `${request.method} ${pathname}`
    const token = request.headers.authorization?.replace('Bearer ', '')
    const answer = answers[route]?.(token, bodyOf(parts)) ?? { code: 404, msg: 'not found' }
    onRequest(`${route} ${answer.code}`)
    response.writeHead(200, { ...cors, 'content-type': 'application/json' })
    response.end(JSON.stringify(answer))
  })
  await new Promise((listening) => server.listen(0, '127.0.0.1', listening))

  return {
    account,
    url: `http://127.0.0.1:${server.address().port}`,
    expireAccess: () => access.clear(),
    expireAll() {
      access.clear()
      refresh.clear()
    },
    async close() {
      server.closeAllConnections()
      await new Promise((closed) => server.close(closed))
    },
  }
}

const dead = { code: 401, msg: '登录已过期' }

function ok(data = null) {
  return { code: 0, msg: '', data }
}

function bodyOf(parts) {
  const text = Buffer.concat(parts).toString()
  return text === '' ? {} : JSON.parse(text)
}
