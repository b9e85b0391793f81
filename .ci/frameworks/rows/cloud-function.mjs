// A cloud function, behind a bridge that makes events of requests, as the client does.
import { text as readText } from 'node:stream/consumers'
import { authRoutes, maybeSessionOf, requireAuth, sessionOf } from '@wxlogin/server/cloud-function'
import { serve } from '../serve.mjs'

async function start({ auth, basePath, guarded }) {
  const errors = []
  const wx = authRoutes(auth, { basePath })

  async function main(event) {
    const [path] = event.path.split('?')
    const found = guarded.find((one) => one.path === path)
    if (found) {
      const handler = requireAuth(
        auth,
        found.options,
      )((event) => found.answer(maybeSessionOf(event, auth), event.data))
      return handler(event)
    }
    return path === '/unguarded' ? sessionOf(event, auth) : wx(event)
  }

  const server = await serve(async (req, res) => {
    const { method, url: path, headers: header } = req
    const event = { method, path, header, data: dataOf(await readText(req).catch(() => '')) }
    const result = await main(event).catch((error) => {
      errors.push(error)
      return { statusCode: 500, header: {}, data: '' }
    })
    const { statusCode = 200, header: headers = {}, data = result } = result
    res.writeHead(statusCode, { 'content-type': 'application/json', ...headers })
    res.end(data === '' ? undefined : JSON.stringify(data))
  })
  return { ...server, errors }
}

/** What is JSON as such, and anything else as text. */
function dataOf(text) {
  try {
    return text === '' ? undefined : JSON.parse(text)
  } catch {
    return text
  }
}

export const variants = [
  {
    name: 'cloud function',
    section: 'cloud function',
    start,
    told: { hasNext: false, hasParser: true, hasHttp: false, hasIp: false },
  },
]
