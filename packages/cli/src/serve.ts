import { type Call, type Command, type ExitCode, exitCodes } from './command.js'
import { CliError } from './errors.js'
import { check } from './serve/check.js'
import { readConfig } from './serve/config.js'
import { lineOf, type Problem } from './serve/problem.js'
import { readSettings } from './serve/settings.js'
import { migrate, start } from './serve/start.js'

/** The login of a backend in any language, as a service of its own. */
export const serve: Command = {
  usage: '[--config FILE] [--check [--offline]] [--migrate] [--store memory]',
  maxWords: 0,
  options: {
    config: {
      value: 'FILE',
      about: {
        en: 'The settings, as JSON (default: wxlogin.json, if there is one; or WXLOGIN_CONFIG)',
        zh: '设置文件，JSON 格式（默认：wxlogin.json，如果有的话；或 WXLOGIN_CONFIG）',
      },
    },
    check: {
      about: {
        en: 'Says what is wrong with the settings and with what they lead to, and starts nothing',
        zh: '检查设置以及它们所指向的服务，不启动',
      },
    },
    offline: {
      about: {
        en: 'With --check: connects to nothing',
        zh: '配合 --check：不连接任何服务',
      },
    },
    migrate: {
      about: {
        en: 'Creates the table in DATABASE_URL if it is missing, and starts nothing',
        zh: '在 DATABASE_URL 里建表（已有则不变），不启动',
      },
    },
    store: {
      value: 'memory',
      values: ['memory'],
      about: {
        en: 'Keeps sessions in this process: a restart logs everyone out',
        zh: '会话只放在本进程里：重启后所有人都会退出登录',
      },
    },
    json: { about: { en: 'With --check: prints JSON', zh: '配合 --check：输出 JSON' } },
  },
  notes: {
    en: `The least there is, in the environment:
  WX_APP_ID, WX_APP_SECRET         of the mini program
  WXLOGIN_SECRET                   wxlogin keygen
  WXLOGIN_KEY                      wxlogin keygen --jwk ES256
  REDIS_URL or DATABASE_URL        where sessions are kept
  WXLOGIN_WEBHOOKS_ON_LOGIN        where your backend says which user it is
  WXLOGIN_WEBHOOKS_SECRET          wxlogin keygen --webhook
Each may end in _FILE, and is then read from that file. All settings: https://wxlogin.github.io/wxlogin/serve`,
    zh: `最少需要的环境变量：
  WX_APP_ID, WX_APP_SECRET         小程序的
  WXLOGIN_SECRET                   wxlogin keygen
  WXLOGIN_KEY                      wxlogin keygen --jwk ES256
  REDIS_URL 或 DATABASE_URL        会话存放处
  WXLOGIN_WEBHOOKS_ON_LOGIN        你的后端在这里回答是哪个用户
  WXLOGIN_WEBHOOKS_SECRET          wxlogin keygen --webhook
变量名后面加 _FILE 则从文件读取。全部设置见 https://wxlogin.github.io/wxlogin/zh/serve`,
  },
  async run(call) {
    checkOptions(call)
    const settings = await readSettings({ ...call, configPath: call.value('config') })
    const isMemoryWanted = call.value('store') === 'memory'
    const { PORT: port } = call.env
    const { config, problems } = await readConfig({ settings, isMemoryWanted, port })
    if (call.has('check')) return check(call, config, problems)
    if (!config) return refuse(call, problems)
    return call.has('migrate') ? migrate(call, config) : start(call, config)
  },
}

function checkOptions({ has }: Call): void {
  const needs = [
    ['offline', 'check'],
    ['json', 'check'],
  ] as const
  for (const [option, other] of needs) {
    if (!has(option) || has(other)) continue
    throw new CliError('usage', {
      en: `--${option} goes with --${other}`,
      zh: `--${option} 要和 --${other} 一起用`,
    })
  }
  if (has('check') && has('migrate')) {
    throw new CliError('usage', {
      en: 'Choose one of --check and --migrate',
      zh: '--check 和 --migrate 只能选一个',
    })
  }
}

function refuse({ remark, say }: Call, problems: readonly Problem[]): ExitCode {
  const count = problems.length
  remark(
    say({
      en: `wxlogin serve does not start: ${count === 1 ? 'one mistake' : `${count} mistakes`} in the settings`,
      zh: `wxlogin serve 没有启动：设置里有 ${count} 处错误`,
    }),
  )
  for (const problem of problems) remark(lineOf(problem, say))
  return exitCodes.found
}
