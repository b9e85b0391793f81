import { type SecretWeakness, weaknessOf } from '@wxlogin/server'
import type { Text } from '../text.js'
import type { Check, CheckResult, Finding } from './check.js'
import { type Project, resolved, type ServerSide } from './project.js'
import { callsOf, lineAt } from './source.js'

const noBackend = {
  en: 'there is no program here that imports @wxlogin/server',
  zh: '这里没有使用 @wxlogin/server 的程序',
} as const

/** Looks at each backend. */
export const eachServer =
  (check: Finding['check'], look: (one: ServerSide) => CheckResult | Promise<CheckResult>): Check =>
  async ({ servers }: Project) =>
    servers.length === 0
      ? [{ check, why: noBackend }]
      : (await Promise.all(servers.map(look))).flat()

/** An environment that has nothing of the backend's is not where it runs, and says nothing about it. */
export const missingVariable: Check = eachServer('missing_variable', (server) => {
  const { appIds, appSecrets, secrets, variables, isItsEnvironment } = server
  const named = [...appIds, ...appSecrets, ...secrets].flatMap((one) =>
    'variable' in one ? [one] : [],
  )
  const names = [...new Set(named.map(({ variable }) => variable))]
  if (!isItsEnvironment) {
    if (names.length === 0) return []
    return [
      {
        check: 'missing_variable',
        why: {
          en: `this is not the environment of the backend: none of ${names.join(', ')} is set, and there is no .env`,
          zh: `这里不是后端的运行环境：${names.join('、')} 都没有设置，也没有 .env`,
        },
      },
    ]
  }
  return names
    .filter((name) => !variables.get(name)?.trim())
    .map((name) => {
      const place = named.find(({ variable }) => variable === name)
      return {
        check: 'missing_variable',
        ...(place && { file: place.file, line: place.line }),
        problem: {
          en: `The backend reads ${name}, and it is not set`,
          zh: `后端要读环境变量 ${name}，但没有设置`,
        },
        todo: secrets.some((one) => 'variable' in one && one.variable === name)
          ? {
              en: `Make one, wxlogin keygen, and set ${name} where the backend runs`,
              zh: `用 wxlogin keygen 生成一个，在后端的运行环境里设置 ${name}`,
            }
          : {
              en: `Copy it from the WeChat console (mp.weixin.qq.com, 开发管理), and set ${name} where the backend runs`,
              zh: `从小程序后台复制（mp.weixin.qq.com，开发管理），在后端的运行环境里设置 ${name}`,
            },
      }
    })
})

const weaknesses: { readonly [weakness in SecretWeakness]: Text } = {
  short: { en: 'is shorter than 32 bytes', zh: '不到 32 字节' },
  alike: { en: 'repeats itself', zh: '重复的内容太多' },
  words: { en: 'is made of words and sequences', zh: '由常见单词和顺序字符组成' },
  not_a_secret: {
    en: 'is a PEM or a JWK, which others may know',
    zh: '是 PEM 或 JWK，别人可能知道',
  },
}

/** Whoever guesses the secret is any user. */
export const guessableSecret: Check = eachServer('guessable_secret', (server) =>
  server.secrets.flatMap((setting) => {
    const secret = resolved(setting, server)
    const weakness = secret ? weaknessOf(secret) : undefined
    if (!weakness) return []
    const name = 'variable' in setting ? setting.variable : 'secret'
    return [
      {
        check: 'guessable_secret',
        file: setting.file,
        line: setting.line,
        problem: {
          en: `${name} can be guessed: it ${weaknesses[weakness].en}. Whoever guesses it can be any user`,
          zh: `${name} 可能被猜到：${weaknesses[weakness].zh}。猜到的人可以冒充任何用户`,
        },
        todo: {
          en: 'Make a random one, wxlogin keygen, and replace this one at once',
          zh: '用 wxlogin keygen 生成随机的，马上换掉',
        },
      },
    ]
  }),
)

/** A session in memory ends with the process, and no other process knows it. */
export const memoryStore: Check = eachServer('memory_store', ({ sources, variables }) => {
  if (variables.get('NODE_ENV') !== 'production') return []
  const isKept = sources.some(({ code }) => /\bcreate(?!Memory)\w+Store\b/.test(code))
  return sources.flatMap(({ file, code }) =>
    callsOf('createAuth', code).flatMap((options) => {
      const store = /(?<![\w$.])store\s*(?::\s*([^,}\n]*))?(?=[,}\n:]|$)/.exec(options)
      const isMemory = store ? /createMemoryStore/.test(store[1] ?? '') : true
      // Other options may bring the store.
      const mayComeAlong = !store && /\.\.\.|^\s*\w+\s*$/.test(options) && isKept
      if (!isMemory || mayComeAlong) return []
      return [
        {
          check: 'memory_store' as const,
          file,
          line: lineAt(code, code.indexOf('createAuth(')),
          problem: {
            en: 'NODE_ENV is production, and sessions are kept in memory: every restart logs all users out, and no two instances agree',
            zh: 'NODE_ENV 是 production，会话却存在内存里：重启一次所有用户都要重新登录，多个实例之间也互不相认',
          },
          todo: {
            en: 'Pass a store: createRedisStore (@wxlogin/server/redis) or createSqlStore (@wxlogin/server/sql)',
            zh: '传入 store：createRedisStore（@wxlogin/server/redis）或 createSqlStore（@wxlogin/server/sql）',
          },
        },
      ]
    }),
  )
})
