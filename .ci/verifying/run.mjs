// Runs one recipe: a token a line comes in, and whose it is goes out. `node run.mjs recipe.mjs`
import { once } from 'node:events'
import { createServer } from 'node:http'
import { createInterface } from 'node:readline'
import { pathToFileURL } from 'node:url'

const { userIdOf, app } = await import(pathToFileURL(process.argv[2]))
const judge = app ? await byRequests(app) : byCall

for await (const line of createInterface({ input: process.stdin })) {
  const { id, token } = JSON.parse(line)
  judge(token).then(
    (verdict) => process.stdout.write(`${JSON.stringify({ id, ...verdict })}\n`),
    (error) => process.stdout.write(`${JSON.stringify({ id, reason: String(error) })}\n`),
  )
}
process.exit()

async function byCall(token) {
  return { userId: await userIdOf(token) }
}

/** What a framework has made is asked over HTTP, and must answer as the client expects. */
async function byRequests(app) {
  const listening = app.fetch
    ? createServer(nodeListener(app.fetch))
    : (app.server ?? createServer(app.callback?.() ?? app))
  if (app.ready) await app.listen({ port: 0, host: '127.0.0.1' })
  else await once(listening.listen(0, '127.0.0.1'), 'listening')
  const { port } = listening.address()
  return async (token) => {
    const headers = { authorization: `Bearer ${token}` }
    const answer = await fetch(`http://127.0.0.1:${port}/orders`, { headers })
    const text = await answer.text()
    if (answer.status === 200) return { userId: JSON.parse(text).userId }
    const challenge = answer.headers.get('www-authenticate') ?? ''
    const renews = answer.status === 401 && /^Bearer .*error="invalid_token"/.test(challenge)
    return { reason: `${answer.status} ${challenge}`, ...(!renews && { isWrongRefusal: true }) }
  }
}

/** For what speaks Request and Response. */
function nodeListener(handle) {
  return async ({ url, headers }, response) => {
    const answer = await handle(new Request(`http://localhost${url}`, { headers }))
    response.writeHead(answer.status, Object.fromEntries(answer.headers))
    response.end(await answer.text())
  }
}
