import { weaknessOf } from '@wxlogin/server'
import type { Text } from '../text.js'
import { authProblemsOf } from './auth-problems.js'
import type { Inspection } from './inspection.js'
import { authNames, type SettingName } from './setting-names.js'

/** The options of `createAuth`, which it has looked at. What is wrong is reported. */
export async function readAuthSettings(
  inspection: Inspection,
): Promise<Readonly<Record<string, unknown>>> {
  const { get, whereIs, report, complain, isBroken } = inspection
  const options: Readonly<Record<string, unknown>> = Object.fromEntries(
    authNames.flatMap((name) => {
      const value = get(name)
      return value === undefined ? [] : [[name, name === 'signingKeys' ? keysIn(value) : value]]
    }),
  )
  const absent = (['apps', 'secret'] as const).filter(
    (name) => options[name] === undefined && !isBroken(name),
  )
  for (const name of absent) complain(name, whatToSet[name])
  const isDone = (name: SettingName) => isBroken(name) || absent.some((one) => one === name)
  for (const { name, message } of await authProblemsOf(options, isDone)) {
    const where = name === undefined ? undefined : whereIs(name)
    report({ text: { en: message, zh: message }, where })
  }
  checkSigningKeys(inspection, options.signingKeys)
  return options
}

/** `createAuth` would speak of functions, and of how Node reads its environment. */
const whatToSet: Readonly<Record<'apps' | 'secret', Text>> = {
  apps: {
    en: 'is missing: set WX_APP_ID and WX_APP_SECRET, which the WeChat console has (开发管理)',
    zh: '没有设置：请设置 WX_APP_ID 和 WX_APP_SECRET，它们在微信公众平台的“开发管理”里',
  },
  secret: {
    en: 'is missing: make one with `wxlogin keygen`, and set WXLOGIN_SECRET to what it prints. If it stands in a .env file: nothing reads that by itself',
    zh: '没有设置：用 `wxlogin keygen` 生成，并把输出设为 WXLOGIN_SECRET。如果已经写在 .env 文件里：它不会自动读取',
  },
}

/** A key may stand in a secret of its own, as text. */
function keysIn(value: unknown): unknown {
  return [value].flat().map((key) => {
    try {
      return typeof key === 'string' ? JSON.parse(key) : key
    } catch {
      return key
    }
  })
}

/** With none that signs, tokens would be signed with the secret, and nobody else could verify them. */
function checkSigningKeys({ complain, isBroken }: Inspection, given: unknown): void {
  const keys = Array.isArray(given) ? given : []
  if (isBroken('signingKeys') || keys.some((key) => typeof Object(key).d === 'string')) return
  // What is no key at all has been complained of.
  if (keys.some((key) => typeof Object(key).kty !== 'string')) return
  if (keys.length > 0) {
    complain('signingKeys', {
      en: 'has only public keys, which sign nothing: put the private one, WXLOGIN_KEY of `wxlogin keygen --jwk ES256`, first',
      zh: '里只有公钥，无法签名：请把私钥（`wxlogin keygen --jwk ES256` 的 WXLOGIN_KEY）放在第一位',
    })
    return
  }
  complain('signingKeys', {
    en: 'is missing: without it no other program can verify a token. Make one with `wxlogin keygen --jwk ES256`, and set WXLOGIN_KEY to what it prints',
    zh: '没有设置：没有它，其他程序无法验证令牌。用 `wxlogin keygen --jwk ES256` 生成，并把输出设为 WXLOGIN_KEY',
  })
}

/** The keys of the admin API. A list rotates: any of them passes. */
export function readAdminKeys({ get, complain }: Inspection, secret: unknown): readonly string[] {
  const keys = [get('admin.key') ?? []].flat()
  const isGood = (key: unknown): key is string =>
    typeof key === 'string' && /^[\x21-\x7e]*$/.test(key) && weaknessOf(key) === undefined
  const good = keys.filter(isGood)
  if (good.some((key) => [secret].flat().includes(key))) {
    complain('admin.key', {
      en: 'must not be the secret: whoever knows that can be any user',
      zh: '不能和 secret 相同：知道 secret 的人可以冒充任何用户',
    })
  } else if (good.some((key) => [get('webhooks.secret')].flat().includes(key))) {
    complain('admin.key', {
      en: 'must not be webhooks.secret, which is for something else: make one with `wxlogin keygen --admin`',
      zh: '不能和 webhooks.secret 相同，后者另有用途：用 `wxlogin keygen --admin` 生成一个',
    })
  } else if (good.length < keys.length) {
    complain('admin.key', {
      en: 'must be at least 32 random bytes without spaces: whoever guesses it can end any session. Make one with `wxlogin keygen --admin`',
      zh: '必须是至少 32 字节的随机内容，不含空格：猜到它的人可以结束任何会话。用 `wxlogin keygen --admin` 生成',
    })
  }
  return good
}
