import { writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { type Call, type Command, type ExitCode, exitCodes } from './command.js'
import type { Judgement } from './conform/judge.js'
import { junitOf } from './conform/junit.js'
import { jsonOf, listOf, textOf } from './conform/output.js'
import { type Choice, choiceOf, defaults, type Settings, settingsOf } from './conform/settings.js'
import { CliError } from './errors.js'

/** Holds a server that somebody has written to what the wire demands of it. */
export const conform: Command = {
  usage: '--server URL [options] [-- command …]',
  maxWords: 0,
  startsProgram: true,
  options: {
    server: {
      value: 'URL',
      about: {
        en: 'Your server, with the path of its login routes: http://127.0.0.1:8080/wx',
        zh: '你的服务器，带上登录接口的路径：http://127.0.0.1:8080/wx',
      },
    },
    'emulator-port': {
      value: 'PORT',
      about: {
        en: `Of the emulated WeChat, which your server calls in place of https://api.weixin.qq.com (default ${defaults.emulatorPort}; 0: any)`,
        zh: `模拟微信的端口，你的服务器用它代替 https://api.weixin.qq.com（默认 ${defaults.emulatorPort}；0 为任意空闲端口）`,
      },
    },
    'app-id': {
      value: 'APPID',
      about: {
        en: `The AppID that your server is configured with (default ${defaults.appId})`,
        zh: `你的服务器配置的 AppID（默认 ${defaults.appId}）`,
      },
    },
    'app-secret': {
      value: 'TEXT',
      about: {
        en: `Its AppSecret here, never a real one (default ${defaults.appSecret})`,
        zh: `在这里用的 AppSecret，不要用真的（默认 ${defaults.appSecret}）`,
      },
    },
    protected: {
      value: 'PATH',
      about: {
        en: 'A route that takes GET with an access token (default: POST /phone, if there is one)',
        zh: '用 GET 和访问令牌访问的接口（默认用 POST /phone，如果有的话）',
      },
    },
    revoke: {
      value: 'PATH',
      about: {
        en: 'A route of your tests that takes POST { user_id } and ends the sessions of this user as the app does',
        zh: '你的测试接口：收到 POST { user_id } 就像应用那样结束该用户的会话',
      },
    },
    'refused-input': {
      value: 'JSON',
      about: {
        en: 'An input of a login that the app refuses with access_denied',
        zh: '会被应用以 access_denied 拒绝的登录 input',
      },
    },
    prefetch: {
      value: 'PATH',
      about: {
        en: 'The route of the data pre-fetch, with its secret segment',
        zh: '数据预拉取的接口，带上秘密的一段',
      },
    },
    only: {
      value: 'NAMES',
      about: {
        en: 'Only these requirements or scenarios, with commas between them',
        zh: '只检查这些要求或场景，用逗号分隔',
      },
    },
    list: {
      about: {
        en: 'Shows requirements and scenarios, and runs nothing; with --json the scenarios as data',
        zh: '列出要求和场景，不运行；加 --json 输出场景数据',
      },
    },
    strict: {
      about: {
        en: 'A SHOULD that does not hold counts as well',
        zh: 'SHOULD 不满足也算失败',
      },
    },
    wait: {
      value: 'SECONDS',
      about: {
        en: `How long to wait for your server to listen (default ${defaults.waitSeconds})`,
        zh: `等待你的服务器开始监听的时间（默认 ${defaults.waitSeconds}）`,
      },
    },
    json: { about: { en: 'Prints JSON', zh: '输出 JSON' } },
    junit: {
      value: 'FILE',
      about: { en: 'Also writes JUnit XML, for a CI', zh: '同时写出 JUnit XML，供 CI 使用' },
    },
  },
  notes: {
    en: 'What follows -- is started with WECHAT_URL, WX_APP_ID and WX_APP_SECRET in its environment, and ended afterwards. Everything stays on this machine.',
    zh: '-- 之后的命令会启动，环境里有 WECHAT_URL、WX_APP_ID、WX_APP_SECRET，结束后会停掉它。一切都在本机进行。',
  },
  async run(call) {
    const choice = choiceOf(call)
    if (call.has('list')) {
      call.print(listOf(choice, call))
      return exitCodes.fine
    }
    const settings = settingsOf(call)
    const judgement = await judged(settings, choice, call)
    const file = call.value('junit')
    if (file !== undefined) await write(resolve(call.cwd, file), junitOf(judgement, call.say))
    call.print(call.has('json') ? jsonOf(judgement, call.say) : textOf(judgement, call.say))
    return exitOf(judgement)
  },
}

/** What speaks to WeChat's stand-in is loaded when it is needed. */
async function judged(settings: Settings, choice: Choice, call: Call): Promise<Judgement> {
  const { judge } = await import('./conform/judge.js')
  return judge(settings, choice, call)
}

async function write(file: string, text: string): Promise<void> {
  await writeFile(file, text).catch((cause: unknown) => {
    throw new CliError(
      'failed',
      {
        en: `${file} cannot be written; is there such a folder?`,
        zh: `无法写入 ${file}，文件夹存在吗？`,
      },
      { cause },
    )
  })
}

function exitOf({ report: { failed } }: Judgement): ExitCode {
  return failed.length > 0 ? exitCodes.found : exitCodes.fine
}
