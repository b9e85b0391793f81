import { randomBytes } from 'node:crypto'
import { createFakeWeChat, type FakeWeChat } from '@wxlogin/server/testing'
import type { Call } from '../command.js'
import { CliError } from '../errors.js'
import { isListening } from '../is-listening.js'
import { createMask } from '../mask.js'
import type { Text } from '../text.js'
import { exchange } from './exchange.js'
import type { Played } from './ledger.js'
import { offersOf } from './offers.js'
import { play } from './play.js'
import { type Program, startProgram } from './program.js'
import { type Report, reportOf } from './report.js'
import { type Choice, defaults, type Settings } from './settings.js'

/** What a run found, and how long it took. */
export interface Judgement {
  readonly serverUrl: string
  readonly seconds: number
  readonly report: Report
}

/** Starts the emulated WeChat and, if one was given, the program; plays the scenarios; ends both. */
export async function judge(
  settings: Settings,
  { requirements, scenarios }: Choice,
  call: Pick<Call, 'program' | 'env' | 'cwd' | 'now' | 'say' | 'remark' | 'busy' | 'interrupted'>,
): Promise<Judgement> {
  const { serverUrl, appId, appSecret, isStrict } = settings
  const { program: command, now, say } = call
  const wechat = createFakeWeChat({ apps: [{ appId, appSecret }], now })
  const emulator = await listen(wechat, settings.emulatorPort)
  let program: Program | undefined
  try {
    call.remark(say(introduction(emulator.url, settings)))
    if (command.length > 0) {
      const own = { WECHAT_URL: emulator.url, WX_APP_ID: appId, WX_APP_SECRET: appSecret }
      program = startProgram(command, { env: { ...call.env, ...own }, cwd: call.cwd })
    }
    const run = async (): Promise<Judgement> => {
      await listening(settings, program, call)
      const startedMs = now()
      const done = call.busy(say({ en: 'Playing scenarios', zh: '正在运行场景' }))
      try {
        await tryLogin(wechat, settings, emulator.url)
        const run = randomBytes(8).toString('hex')
        const offers = await offersOf(settings)
        const stage = { ...settings, run, wechat, mask: createMask(), offers }
        const played: Played[] = []
        for (const scenario of scenarios) played.push(await play(scenario, stage))
        const report = reportOf(requirements, played, { isStrict })
        return { serverUrl, seconds: (now() - startedMs) / 1000, report }
      } finally {
        done()
      }
    }
    if (program === undefined) return await run()
    return await Promise.race([
      run(),
      program.ended.then(({ wasStarted }) => Promise.reject(endedEarly(command, wasStarted))),
      call.interrupted().then(() => Promise.reject(interruptedBefore())),
    ])
  } finally {
    await program?.end()
    await emulator.close()
  }
}

/** What a server has to be configured with. The AppSecret is the one of this command, or it is not repeated. */
function introduction(url: string, { appId, appSecret }: Settings): Text {
  const isOwn = appSecret === defaults.appSecret
  return {
    en: `The emulated WeChat is ${url}: your server calls it in place of https://api.weixin.qq.com, with the AppID ${appId} and the AppSecret ${isOwn ? appSecret : 'that you gave'}`,
    zh: `模拟的微信是 ${url}：你的服务器用它代替 https://api.weixin.qq.com，AppID 是 ${appId}，AppSecret 是${isOwn ? ` ${appSecret}` : '你给出的那个'}`,
  }
}

async function listen(wechat: FakeWeChat, port: number) {
  return wechat.listen({ port }).catch((cause: unknown) => {
    throw new CliError(
      'failed',
      {
        en: `The emulated WeChat cannot listen on port ${port}; end what listens there, or choose another: --emulator-port ${port + 1}`,
        zh: `模拟的微信无法监听端口 ${port}；请结束占用它的程序，或换一个：--emulator-port ${port + 1}`,
      },
      { cause },
    )
  })
}

async function listening(
  { serverUrl, waitMs }: Settings,
  program: Program | undefined,
  { now, say, busy }: Pick<Call, 'now' | 'say' | 'busy'>,
): Promise<void> {
  const done = busy(say({ en: `Waiting for ${serverUrl}`, zh: `正在等待 ${serverUrl}` }))
  const startedMs = now()
  try {
    while (!(await isListening(serverUrl))) {
      if (now() - startedMs >= waitMs || program?.hasEnded()) {
        throw new CliError('failed', {
          en: `Nothing listens at ${serverUrl}. Start your server there, or correct --server`,
          zh: `${serverUrl} 没有程序在监听。请在那里启动你的服务器，或改正 --server`,
        })
      }
      await new Promise((next) => setTimeout(next, 50))
    }
  } finally {
    done()
  }
}

/** A server that cannot log in anybody is told why, rather than what that breaks. */
async function tryLogin(
  wechat: FakeWeChat,
  { serverUrl, appId }: Settings,
  emulatorUrl: string,
): Promise<void> {
  const outcome = await exchange({
    method: 'POST',
    url: `${serverUrl}/login`,
    headers: {
      'content-type': 'application/json',
      'idempotency-key': 'the-first-login-of-this-run',
    },
    body: JSON.stringify({ code: wechat.codeFor('first-login'), app_id: appId }),
  })
  if ('failure' in outcome) {
    throw new CliError('failed', {
      en: `POST ${serverUrl}/login: ${outcome.failure}`,
      zh: `POST ${serverUrl}/login：没有得到应答（${outcome.failure}）`,
    })
  }
  const { status, members } = outcome
  if (status === 200) return
  if (status === 404) {
    throw new CliError('failed', {
      en: `There is no POST ${serverUrl}/login: --server needs the path of the login routes`,
      zh: `没有 POST ${serverUrl}/login：--server 要带上登录接口的路径`,
    })
  }
  if (members.error === 'unknown_app') {
    throw new CliError('failed', {
      en: `The server does not serve ${appId}: configure it with this AppID, or give its own by --app-id`,
      zh: `服务器不认识 ${appId}：请给它配置这个 AppID，或用 --app-id 写明它的`,
    })
  }
  const last = wechat.calls.at(-1)
  if (last === undefined) {
    throw new CliError('failed', {
      en: `The first login was answered ${status}, and the server did not call the emulated WeChat: configure it with ${emulatorUrl} in place of https://api.weixin.qq.com`,
      zh: `第一次登录得到 ${status}，而服务器没有调用模拟的微信：请把它的 https://api.weixin.qq.com 换成 ${emulatorUrl}`,
    })
  }
  if (last.errcode === 40013 || last.errcode === 40125) {
    const option = last.errcode === 40013 ? '--app-id' : '--app-secret'
    throw new CliError('failed', {
      en: `The server calls WeChat with another ${option === '--app-id' ? 'AppID' : 'AppSecret'} than the one above: configure it, or give ${option}`,
      zh: `服务器调用微信时用的 ${option === '--app-id' ? 'AppID' : 'AppSecret'} 和上面的不同：请改正，或给出 ${option}`,
    })
  }
}

function endedEarly([name]: readonly string[], wasStarted: boolean): CliError {
  if (!wasStarted) {
    return new CliError('failed', {
      en: `${name} cannot be started; is it installed, and in the PATH?`,
      zh: `无法启动 ${name}；它安装了吗，在 PATH 里吗？`,
    })
  }
  return new CliError('failed', {
    en: `${name} ended before the run was over; what it said stands above`,
    zh: `${name} 在运行结束前退出了；它的输出在上面`,
  })
}

function interruptedBefore(): CliError {
  return new CliError('failed', {
    en: 'Interrupted before the run was over',
    zh: '运行结束前被中断',
  })
}
