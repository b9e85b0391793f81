/** How a setting is written in the environment. `secrets`: one, or a list of JSON. `keys`: JWKs, one or a list. */
type Kind = 'text' | 'number' | 'flag' | 'json' | 'list' | 'secrets' | 'keys'

/** Every setting by its path in the file; those of `createAuth` have its names, and are checked by it. */
export const settingKinds = {
  apps: 'json',
  secret: 'secrets',
  signingKeys: 'keys',
  issuer: 'text',
  accessTtlSeconds: 'number',
  allowLongAccessTtl: 'flag',
  idleTtlSeconds: 'number',
  absoluteTtlSeconds: 'number',
  maxSessionsPerUser: 'number',
  revocation: 'json',
  cloudHosting: 'json',
  deviceGrant: 'json',
  wechatHosts: 'list',
  allowPlainHttp: 'flag',
  wechatTimeoutMs: 'number',
  maxLoginsInFlight: 'number',
  storeTimeoutMs: 'number',
  maxVerifiedTokens: 'number',
  redisUrl: 'text',
  keyPrefix: 'text',
  databaseUrl: 'text',
  table: 'text',
  listen: 'text',
  basePath: 'text',
  trustedProxies: 'number',
  logLevel: 'text',
  'admin.listen': 'text',
  'admin.key': 'secrets',
  'webhooks.onLogin': 'text',
  'webhooks.claims': 'text',
  'webhooks.onPhoneNumber': 'text',
  'webhooks.secret': 'secrets',
} as const satisfies Readonly<Record<string, Kind>>

export type SettingName = keyof typeof settingKinds

export const settingNames = Object.keys(settingKinds) as readonly SettingName[]

/** What `createAuth` is given as it is. */
export const authNames = [
  'apps',
  'secret',
  'signingKeys',
  'issuer',
  'accessTtlSeconds',
  'allowLongAccessTtl',
  'idleTtlSeconds',
  'absoluteTtlSeconds',
  'maxSessionsPerUser',
  'revocation',
  'cloudHosting',
  'deviceGrant',
  'wechatHosts',
  'allowPlainHttp',
  'wechatTimeoutMs',
  'maxLoginsInFlight',
  'storeTimeoutMs',
  'maxVerifiedTokens',
] as const satisfies readonly SettingName[]

const ownVariables: Readonly<Partial<Record<SettingName, string>>> = {
  signingKeys: 'WXLOGIN_KEY',
  redisUrl: 'REDIS_URL',
  databaseUrl: 'DATABASE_URL',
}

/** Where the one mini program of most services stands in the environment. */
export const appVariables = { appId: 'WX_APP_ID', appSecret: 'WX_APP_SECRET' } as const

/** The variable of a setting: `WXLOGIN_ACCESS_TTL_SECONDS` for `accessTtlSeconds`. */
export function variableOf(name: SettingName): string {
  const words = name.replace(/[A-Z]/g, '_$&').replace('.', '_')
  return ownVariables[name] ?? `WXLOGIN_${words.toUpperCase()}`
}

/** A variable as a value. What is none of its kind stays a text, of which the check says what it must be. */
export function readVariable(name: SettingName, text: string): unknown {
  const kind: Kind = settingKinds[name]
  if (/^\s*[[{]/.test(text) && kind !== 'text') return JSON.parse(text)
  if (kind === 'number') return /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : text
  if (kind === 'flag') return text === 'true' || (text === 'false' ? false : text)
  if (kind === 'list') return text.split(',').map((part) => part.trim())
  return text
}

/** Options of `createAuth` that are code, and what a service has in their place. */
export const codeOptions: Readonly<Record<string, string>> = {
  onLogin: 'webhooks.onLogin',
  claims: 'webhooks.claims',
  onPhoneNumber: 'webhooks.onPhoneNumber',
  store: 'redisUrl or databaseUrl',
  onPrefetch: '',
  prefetchPath: '',
  acceptLegacy: '',
  cloudFunction: '',
  fetch: '',
  now: '',
  onEvent: '',
}
