import { resolve } from 'node:path'
import { stderr } from 'node:process'
import { type Call, type Command, exitCodes } from './command.js'
import type { Check, Wanted } from './doctor/check.js'
import { jsonOf, textOf } from './doctor/output.js'
import { readProject } from './doctor/project.js'
import { reportOf } from './doctor/report.js'
import { CliError } from './errors.js'
import { isFolder, shown } from './project/files.js'

/** Looks at a project, and at a backend that runs. */
export const doctor: Command = {
  usage: '[path] [--url URL] [--online] [--release] [--json | --report]',
  maxWords: 1,
  options: {
    url: {
      value: 'URL',
      about: {
        en: 'The address of a backend that runs, as baseUrl has it: its login routes and its clock are looked at, too',
        zh: '正在运行的后端地址，和 baseUrl 一样：会检查登录接口和时钟',
      },
    },
    'auth-path': {
      value: 'PATH',
      about: {
        en: 'Where its login routes are (default: authPath of createClient, else /wx)',
        zh: '登录接口的路径（默认：createClient 的 authPath，否则是 /wx）',
      },
    },
    online: {
      about: {
        en: 'Asks WeChat whether AppSecret and IP whitelist are right; run it where the backend runs',
        zh: '向微信核对 AppSecret 和 IP 白名单；要在后端所在的机器上运行',
      },
    },
    release: {
      about: {
        en: 'Looks at it as at a release: no touristappid, no http, not even on this machine',
        zh: '按发布版检查：不允许 touristappid 和 http，本机地址也不行',
      },
    },
    json: { about: { en: 'Prints JSON', zh: '输出 JSON' } },
    report: {
      about: {
        en: 'Prints what can be pasted into an issue; it holds no secret',
        zh: '输出可以贴到 issue 里的报告，不含机密',
      },
    },
    'wechat-host': {
      value: 'URL',
      isHidden: true,
      about: { en: 'Another WeChat, for tests', zh: '测试用的微信地址' },
    },
  },
  notes: {
    en: 'The path (default: here) may hold a mini program, a backend, or both. Nothing in it is run or changed.',
    zh: '路径（默认当前目录）里可以是小程序、后端，或两者都有。不会运行或改动里面的任何东西。',
  },
  async run(call) {
    const { words, has, print, say, cwd } = call
    const wanted = wantedOf(call)
    const folder = resolve(cwd, words[0] ?? '.')
    if (!(await isFolder(folder))) {
      throw new CliError('failed', {
        en: `There is no folder ${words[0]}`,
        zh: `没有文件夹 ${words[0]}`,
      })
    }
    const done = call.busy(say({ en: 'Reading the project', zh: '正在读取项目' }))
    const project = await readProject(folder, call.env).finally(done)
    if (project.clients.length + project.servers.length === 0 && !wanted.url && !wanted.isOnline) {
      throw new CliError('failed', {
        en: 'There is neither a mini program nor a program that imports @wxlogin/server here; name its folder: wxlogin doctor path',
        zh: '这里既没有小程序，也没有使用 @wxlogin/server 的程序；请写明文件夹：wxlogin doctor 路径',
      })
    }
    const results = []
    for (const check of await checks()) results.push(...(await check(project, wanted)))
    const findings = results.filter((one) => 'problem' in one)
    const notMade = results.filter((one) => 'why' in one)

    if (has('report')) print(await reportOf({ project, findings, notMade, say, show }))
    else if (has('json')) print(JSON.stringify(jsonOf(findings, notMade, say, show), undefined, 2))
    else print(textOf(findings, notMade, say, show))
    return findings.length > 0 ? exitCodes.found : exitCodes.fine

    function show(file: string) {
      return shown(cwd, file)
    }
  },
}

/** The tables and the engine of `scan`, and what speaks to WeChat, are loaded when they are needed. */
async function checks(): Promise<readonly Check[]> {
  const ofClients = await import('./doctor/mini-program-checks.js')
  const ofPackages = await import('./doctor/npm-checks.js')
  const ofServers = await import('./doctor/backend-checks.js')
  const { envInGit } = await import('./doctor/git-check.js')
  const { address } = await import('./doctor/address-checks.js')
  const { online } = await import('./doctor/online-check.js')
  return [
    ofClients.touristAppId,
    ofClients.appIdDiffers,
    ofClients.leak,
    ofClients.plainHttp,
    ofClients.baseLibrary,
    ofPackages.devDependency,
    ofPackages.npmNotBuilt,
    ofServers.missingVariable,
    ofServers.guessableSecret,
    envInGit,
    ofServers.memoryStore,
    address,
    online,
  ]
}

function wantedOf(call: Call): Wanted {
  const { value, has, now, env, say } = call
  if (has('json') && has('report')) {
    throw new CliError('usage', {
      en: 'Choose one of --json and --report',
      zh: '--json 和 --report 只能选一个',
    })
  }
  const authPath = value('auth-path')
  return {
    url: addressIn(call, 'url'),
    authPath: authPath?.replace(/^\/*/, '/').replace(/\/+$/, ''),
    isRelease: has('release'),
    isOnline: has('online'),
    busy: (text) => call.busy(say(text)),
    wechatHost: addressIn(call, 'wechat-host'),
    now,
    env,
    askSecret: call.isInteractive ? (appId) => askSecret(appId, call) : undefined,
  }
}

function addressIn({ value }: Call, option: string): string | undefined {
  const given = value(option)
  if (given === undefined) return undefined
  if (!URL.canParse(given) || !/^https?:$/.test(new URL(given).protocol)) {
    throw new CliError('usage', {
      en: `--${option} must be an address with http:// or https://`,
      zh: `--${option} 要写完整的地址，以 http:// 或 https:// 开头`,
    })
  }
  return given
}

/** An AppSecret does not belong on a command line, where others see it. */
async function askSecret(appId: string, { say }: Call): Promise<string | undefined> {
  const { isCancel, password } = await import('@clack/prompts')
  const answer = await password({
    output: stderr,
    message: say({ en: `The AppSecret of ${appId}`, zh: `${appId} 的 AppSecret` }),
  })
  return isCancel(answer) ? undefined : answer
}
