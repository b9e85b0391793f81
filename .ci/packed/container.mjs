// The example for cloud hosting (云托管): the steps of its Dockerfile, in an empty folder, with the packed server. The image
// itself is not built: what is in `FROM` beside Node is not looked at.
import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { buildSteps, stepsOf } from '../dockerfile.mjs'
import { freePort } from '../free-port.mjs'
import { root, start } from '../process.mjs'

const appId = 'wx0000000000000001'

/** @param {{ place: string, tarball: string, report: (name: string, wrong: readonly string[]) => boolean }} options */
export async function checkContainer({ place, tarball, report }) {
  const source = join(place, 'container-source')
  cpSync(`${root}examples/cloud-hosting`, source, { recursive: true })
  useTarball(join(source, 'package.json'), tarball)

  const { containerPort, dockerfilePath } = JSON.parse(
    readFileSync(join(source, 'container.config.json'), 'utf8'),
  )
  const image = join(place, 'container-image')
  const built = await buildSteps(stepsOf(join(source, dockerfilePath)), { source, image })
  if (built.port !== containerPort) {
    built.wrong.push(`EXPOSE is ${built.port}, and containerPort ${containerPort}`)
  }
  report('the steps of the Dockerfile for cloud hosting, in an empty folder', built.wrong)
  if (built.wrong.length > 0) return

  const [program, ...args] = built.command
  const port = await freePort()
  const server = start(program, args, {
    cwd: built.folder,
    env: {
      PATH: process.env.PATH,
      ...built.env,
      PORT: String(port),
      WX_APP_ID: appId,
      WXLOGIN_SECRET: 'a secret for tests, 32 bytes and more',
    },
  })
  try {
    const wrong = await ask(`http://127.0.0.1:${port}`)
    report(
      'what its CMD starts knows users by the gateway, and nobody without it',
      wrong.length > 0 ? [...wrong, server.output()] : [],
    )
  } finally {
    await server.stop()
  }
}

function useTarball(file, tarball) {
  const packageJson = JSON.parse(readFileSync(file, 'utf8'))
  packageJson.dependencies['@wxlogin/server'] = `file:${tarball}`
  writeFileSync(file, JSON.stringify(packageJson))
}

async function ask(url) {
  const wrong = []
  const expect = (what, { status, body }, wanted) => {
    if (status !== wanted) wrong.push(`${what}: ${status} ${body}, not ${wanted}`)
  }
  const get = async (path, init) => {
    const response = await fetch(url + path, init)
    return { status: response.status, body: await response.text() }
  }
  for (let n = 0; n < 100; n++) {
    if (await get('/health').catch(() => undefined)) break
    await delay(50)
  }
  const gateway = {
    'x-wx-openid': 'alice',
    'x-wx-appid': appId,
    'x-wx-source': 'wx_client',
  }
  const login = (headers) =>
    get('/wx/login', {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'idempotency-key': 'k'.repeat(32),
        ...headers,
      },
      body: '{}',
    })

  expect('GET /health', await get('/health'), 200)
  const loggedIn = await login(gateway)
  expect('POST /wx/login through the gateway', loggedIn, 200)
  expect('POST /wx/login without it', await login({}), 400)
  const authorization = `Bearer ${JSON.parse(loggedIn.body).access_token}`
  expect('GET /me with the token', await get('/me', { headers: { authorization } }), 200)
  expect('GET /me through the gateway', await get('/me', { headers: gateway }), 200)
  expect('GET /me by nobody', await get('/me'), 401)
  expect('GET /other', await get('/other'), 404)
  return wrong
}
