import { generateKeyPairSync, randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { createFakeWeChat, type FakeWeChat } from '@wxlogin/server/testing'
import { onTestFinished } from 'vitest'
import { run } from '../../src/run.js'

/** What the tests sign with. */
export const signingKey: string = JSON.stringify(
  generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' }),
)

export interface Serving {
  /** Where the login routes are. */
  readonly url: string
  readonly origin: string
  readonly adminUrl: string
  readonly wechat: FakeWeChat
  /** What it has printed: lines of JSON. */
  lines(): readonly ReturnType<typeof JSON.parse>[]
  /** As SIGTERM does. Resolves with the exit code. */
  end(): Promise<number>
}

/** `wxlogin serve`, for the time of the test, on ports of its own, with an emulated WeChat behind it. */
export async function startServe(
  env: Readonly<Record<string, string>> = {},
  args: readonly string[] = ['--store', 'memory'],
): Promise<Serving> {
  const wechat = createFakeWeChat()
  const listening = await wechat.listen()
  const printed: string[] = []
  const told: string[] = []
  let end = () => {}
  const interrupted = new Promise<void>((over) => {
    end = over
  })
  const running = run(['serve', ...args], {
    env: {
      LANG: 'en_US.UTF-8',
      WX_APP_ID: wechat.app.appId,
      WX_APP_SECRET: wechat.app.appSecret,
      WXLOGIN_SECRET: 'Zb3vK9qR1tXw7LmN5pYc2HdJ8sFgA4eU6oTiVnQkBx0',
      WXLOGIN_KEY: signingKey,
      WXLOGIN_WECHAT_HOSTS: listening.url,
      WXLOGIN_LISTEN: '127.0.0.1:0',
      WXLOGIN_ADMIN_LISTEN: '127.0.0.1:0',
      ...env,
    },
    cwd: '/',
    now: Date.now,
    print: (line) => printed.push(line),
    remark: (line) => told.push(line),
    busy: () => () => {},
    interrupted: () => interrupted,
    isAppending: false,
    isInteractive: false,
  })
  onTestFinished(async () => {
    end()
    await running
    await listening.close()
  })
  const lines = () => printed.map((line) => JSON.parse(line))
  const first = () => lines().find(({ msg }) => msg === 'listening')
  let hasEnded = false
  void running.finally(() => {
    hasEnded = true
  })
  while (!first()) {
    if (hasEnded)
      throw new Error(`wxlogin serve has ended with ${await running}: ${told.join('\n')}`)
    await delay(5)
  }
  const { url, adminUrl } = first()
  return {
    url,
    origin: new URL(url).origin,
    adminUrl,
    wechat,
    lines,
    end() {
      end()
      return running
    },
  }
}

/** As a phone sends it. */
export async function post(
  url: string,
  body: object,
  headers: Readonly<Record<string, string>> = {},
): Promise<{ readonly status: number; readonly json: ReturnType<typeof JSON.parse> }> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'idempotency-key': randomUUID(), ...headers },
    body: JSON.stringify(body),
  })
  const text = await response.text()
  return { status: response.status, json: text === '' ? undefined : JSON.parse(text) }
}
