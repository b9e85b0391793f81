import { randomBytes } from 'node:crypto'
import { type AuthOptions, createAuth, createMemoryStore } from '@wxlogin/server'
import { authNames, type SettingName } from './setting-names.js'

/** What `createAuth` says of the options, each by itself beside good ones, and only then of all together. */
export interface AuthProblem {
  readonly name: SettingName | undefined
  readonly message: string
}

/** Options that are checked together: one permits the other, or must not be longer. */
const groups: readonly (readonly [SettingName, ...SettingName[]])[] = [
  ['apps', 'allowPlainHttp'],
  ['secret'],
  ['signingKeys'],
  ['issuer'],
  ['accessTtlSeconds', 'allowLongAccessTtl', 'idleTtlSeconds', 'absoluteTtlSeconds'],
  ['maxSessionsPerUser'],
  ['revocation'],
  ['cloudHosting'],
  ['deviceGrant'],
  ['wechatHosts', 'allowPlainHttp'],
  ['wechatTimeoutMs'],
  ['maxLoginsInFlight'],
  ['storeTimeoutMs'],
  ['maxVerifiedTokens'],
]

/** Lets `createAuth` look at the options. Those that are broken, or absent and needed, have been complained of already. */
export async function authProblemsOf(
  options: Readonly<Record<string, unknown>>,
  isBroken: (name: SettingName) => boolean,
): Promise<readonly AuthProblem[]> {
  const problems: AuthProblem[] = []
  for (const group of groups) {
    const names = group.filter((name) => !isBroken(name) && name in options)
    const [name] = names
    if (name === undefined) continue
    const chosen = Object.fromEntries(names.map((name) => [name, options[name]]))
    const message = await complaintOf({ ...goodOptions(), ...chosen })
    const isNew = !problems.some((known) => known.message === message)
    if (message !== undefined && isNew) problems.push({ name, message })
  }
  if (problems.length > 0 || authNames.some(isBroken)) return problems
  const message = await complaintOf(options)
  return message === undefined ? [] : [{ name: undefined, message }]
}

const goodOptions = (): AuthOptions => ({
  apps: [{ appId: 'wx0000000000000001', appSecret: randomBytes(16).toString('hex') }],
  secret: randomBytes(48).toString('base64url'),
})

/** A `TypeError` of `createAuth` is what is wrong; nothing is connected or sent. */
async function complaintOf(options: object): Promise<string | undefined> {
  const whole: AuthOptions = Object({ ...options, store: createMemoryStore(), onEvent: () => {} })
  try {
    await createAuth(whole).close()
    return undefined
  } catch (error) {
    if (error instanceof TypeError) return error.message
    throw error
  }
}
