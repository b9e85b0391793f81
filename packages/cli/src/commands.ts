import type { ListedCommand } from './command.js'

/** Every command. Each is loaded when it is called, so that none makes another one, or the help, slow. */
export const commands: Readonly<Record<string, ListedCommand>> = {
  dev: {
    about: {
      en: 'Develops a whole login with no AppID, no network and no phone, on a live page',
      zh: '不需要 AppID、网络和手机，在一个实时页面上开发完整的登录',
    },
    load: async () => (await import('./dev.js')).dev,
  },
  doctor: {
    about: {
      en: 'Says what is wrong with a project, and what to do about it',
      zh: '检查一个项目哪里不对，并说明怎么办',
    },
    load: async () => (await import('./doctor.js')).doctor,
  },
  scan: {
    about: {
      en: 'Finds secrets in what a mini program ships',
      zh: '查找小程序发布内容里泄露的机密',
    },
    load: async () => (await import('./scan.js')).scan,
  },
  serve: {
    about: {
      en: 'The login server as a service of its own, for backends in any language',
      zh: '作为独立服务运行登录服务器，后端可以用任何语言',
    },
    load: async () => (await import('./serve.js')).serve,
  },
  keygen: {
    about: {
      en: 'Makes a secret, or a pair of signing keys',
      zh: '生成 secret，或一对签名密钥',
    },
    load: async () => (await import('./keygen.js')).keygen,
  },
  explain: {
    about: {
      en: 'Explains an error code of wxlogin, or an errcode of WeChat',
      zh: '解释 wxlogin 的错误码，或微信的 errcode',
    },
    load: async () => (await import('./explain.js')).explain,
  },
  conform: {
    about: {
      en: 'Holds a server of your own to what the wire demands',
      zh: '检查你自己写的服务器是否符合接口规范',
    },
    load: async () => (await import('./conform.js')).conform,
  },
}
