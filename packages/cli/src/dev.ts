import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { isOnThisMachine, readPath } from './addresses.js'
import { type Command, exitCodes } from './command.js'
import { introduction } from './dev/introduction.js'
import type { SandboxOptions } from './dev/sandbox.js'
import { CliError } from './errors.js'
import { isListening } from './is-listening.js'

const defaults = {
  host: '127.0.0.1',
  port: '7410',
  'app-id': 'wx0000000000000001',
  'auth-path': '/wx',
  path: '/orders',
} as const

/** The sandbox: an emulated WeChat, a backend or the way to one, phones, and the page that shows them. */
export const dev: Command = {
  usage: '[--backend URL [--service URL]] [--port PORT] [--json]',
  maxWords: 0,
  options: {
    backend: {
      value: 'URL',
      about: {
        en: 'Your own backend, http://127.0.0.1:3000 for example (default: one that is built in)',
        zh: '你自己的后端，例如 http://127.0.0.1:3000（默认用内置的后端）',
      },
    },
    service: {
      value: 'URL',
      about: {
        en: 'wxlogin serve beside that backend, http://127.0.0.1:8080 for example: it gets what is below --auth-path',
        zh: '那个后端旁边的 wxlogin serve，例如 http://127.0.0.1:8080：--auth-path 之下的请求都发给它',
      },
    },
    port: {
      value: 'PORT',
      about: {
        en: `Of the page; the two after it are for phones and for WeChat (default ${defaults.port}; 0: any)`,
        zh: `页面的端口，后面两个给手机和微信用（默认 ${defaults.port}；0 为任意空闲端口）`,
      },
    },
    host: {
      value: 'ADDRESS',
      about: {
        en: '127.0.0.1 or ::1; nothing else, as everybody in the network could log in (default 127.0.0.1)',
        zh: '127.0.0.1 或 ::1，不能是别的，否则局域网里谁都能登录（默认 127.0.0.1）',
      },
    },
    'app-id': {
      value: 'APPID',
      about: {
        en: `The AppID that your backend serves (default ${defaults['app-id']}); its AppSecret is never needed`,
        zh: `你的后端所用的 AppID（默认 ${defaults['app-id']}），不需要 AppSecret`,
      },
    },
    'auth-path': {
      value: 'PATH',
      about: {
        en: `Where the backend mounts the login routes (default ${defaults['auth-path']})`,
        zh: `后端挂载登录路由的路径（默认 ${defaults['auth-path']}）`,
      },
    },
    path: {
      value: 'PATH',
      about: {
        en: `What the phones' request button asks for (default ${defaults.path})`,
        zh: `手机上“请求”按钮访问的路径（默认 ${defaults.path}）`,
      },
    },
    json: { about: { en: 'Prints the addresses as JSON', zh: '以 JSON 输出各个地址' } },
  },
  notes: {
    en: 'Everything listens on loopback alone, and nothing leaves this machine. Ctrl+C ends it, and what it held is gone.',
    zh: '全部只监听本机回环地址，没有任何数据离开本机。按 Ctrl+C 结束，所有数据随之消失。',
  },
  async run({ value, has, print, remark, say, now, interrupted }) {
    const given = (name: keyof typeof defaults) => value(name) ?? defaults[name]
    const backend = value('backend')
    const service = value('service')
    if (service !== undefined && backend === undefined) throw withoutBackend(service)
    const options = {
      host: readHost(given('host')),
      port: readPort(given('port')),
      ...(backend !== undefined && { backend: readOrigin('backend', backend) }),
      ...(service !== undefined && { service: readOrigin('service', service) }),
      appId: readAppId(given('app-id')),
      authPath: readPath('auth-path', given('auth-path')),
      path: readPath('path', given('path')),
      now,
    }
    refuseItself('backend', options.backend, options.port)
    refuseItself('service', options.service, options.port)
    const sandbox = await start(options)
    const { pageUrl, phoneUrl, wechatUrl } = sandbox
    try {
      if (has('json')) {
        print(JSON.stringify({ pageUrl, baseUrl: phoneUrl, wechatHosts: [wechatUrl] }))
      } else {
        print(say(introduction(sandbox, options)))
      }
      for (const origin of [options.service, options.backend]) {
        if (origin === undefined || (await isListening(origin))) continue
        remark(
          say({
            en: `\n  Nothing listens at ${origin} yet. Start it; the sandbox finds it by itself.`,
            zh: `\n  ${origin} 还没有程序在监听。启动它即可，这里不用重启。`,
          }),
        )
      }
      await interrupted()
    } finally {
      await sandbox.close()
    }
    return exitCodes.fine
  },
}

async function start(options: Omit<SandboxOptions, 'phoneCode' | 'pageFolder'>) {
  const { createSandbox } = await import('./dev/sandbox.js')
  const client = createRequire(import.meta.url).resolve('@wxlogin/client/package.json')
  return createSandbox({
    ...options,
    // The very file that the 构建 npm of DevTools copies into a mini program.
    phoneCode: await readFile(join(dirname(client), 'miniprogram_dist/full.js'), 'utf8'),
    pageFolder: new URL('page/', import.meta.url),
  })
}

function readHost(host: string): string {
  if (host === 'localhost') return '127.0.0.1'
  if (host === '127.0.0.1' || host === '::1') return host
  throw new CliError('usage', {
    en: `--host ${host} is refused: whoever reaches the sandbox can log in as anybody. Use 127.0.0.1 or ::1, or leave it away`,
    zh: `不接受 --host ${host}：谁能访问沙箱，谁就能以任何人的身份登录。请用 127.0.0.1 或 ::1，或者去掉它`,
  })
}

function readPort(port: string): number {
  const number = Number(port)
  // Two more ports follow.
  if (/^\d{1,5}$/.test(port) && number <= 65_533) return number
  throw new CliError('usage', {
    en: `--port ${port} is no port: give a number from 1024 to 65533, or 0 for any that are free`,
    zh: `--port ${port} 不是端口：请给 1024 到 65533 之间的数字，或 0 表示任意空闲端口`,
  })
}

function withoutBackend(service: string): CliError {
  return new CliError('usage', {
    en: `--service ${service} goes with --backend: give the backend beside it too, --backend http://127.0.0.1:8090 for example`,
    zh: `--service ${service} 要和 --backend 一起用：请同时写出旁边的后端，例如 --backend http://127.0.0.1:8090`,
  })
}

const exampleOf = {
  backend: 'http://127.0.0.1:3000',
  service: 'http://127.0.0.1:8080',
} as const

function readOrigin(option: keyof typeof exampleOf, given: string): string {
  const example = exampleOf[option]
  const { protocol, hostname, origin, pathname, search } = URL.canParse(given)
    ? new URL(given)
    : new URL('none:')
  if (protocol !== 'http:' || pathname !== '/' || search !== '') {
    throw new CliError('usage', {
      en: `--${option} ${given} is no origin: give one like ${example}, without a path`,
      zh: `--${option} ${given} 不对：请写成 ${example} 这样，不带路径`,
    })
  }
  if (isOnThisMachine(hostname)) return origin
  throw new CliError('usage', {
    en: `--${option} ${given} is not on this machine, so it could not reach the emulated WeChat. Start it here, on ${example} for example`,
    zh: `--${option} ${given} 不在本机，它访问不到模拟的微信。请在本机启动它，例如 ${example}`,
  })
}

/** What is passed on to itself goes in circles. */
function refuseItself(option: keyof typeof exampleOf, origin: string | undefined, port: number) {
  const behind = Number(origin && new URL(origin).port)
  if (port === 0 || !(behind >= port && behind <= port + 2)) return
  throw new CliError('usage', {
    en: `--${option} ${origin} is one of the sandbox's own ports, ${port} to ${port + 2}: give another, or choose others for the sandbox with --port`,
    zh: `--${option} ${origin} 是沙箱自己的端口（${port} 到 ${port + 2}）：请换一个，或用 --port 换掉沙箱的`,
  })
}

function readAppId(appId: string): string {
  if (/^[\w-]{1,64}$/.test(appId)) return appId
  throw new CliError('usage', {
    en: `--app-id ${appId} is no AppID: give one like wx0000000000000001`,
    zh: `--app-id ${appId} 不是 AppID：应该像 wx0000000000000001`,
  })
}
