import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { CliError } from '../errors.js'
import { nearest } from '../nearest.js'
import type { Text } from '../text.js'
import type { Problem } from './problem.js'
import {
  appVariables,
  codeOptions,
  readVariable,
  type SettingName,
  settingNames,
  variableOf,
} from './setting-names.js'

export interface SettingsPlace {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly cwd: string
  /** The file that was named. */
  readonly configPath: string | undefined
}

/** What is set, and where it stands. */
export interface Settings {
  readonly get: (name: SettingName) => unknown
  /** Where it is set; where it is not, where it can be. */
  readonly whereIs: (name: SettingName) => string
  readonly problems: readonly Problem[]
}

const usualFile = 'wxlogin.json'

/**
 * Reads the file and the environment. A setting stands in one of the two: there is no order in which one wins. Throws
 * `failed` if the file cannot be read, and collects everything else that is wrong.
 */
export async function readSettings({ env, cwd, configPath }: SettingsPlace): Promise<Settings> {
  const path = configPath ?? (env.WXLOGIN_CONFIG || undefined)
  const problems: Problem[] = []
  const file = await readConfigFile(cwd, path)
  const fileName = path ?? usualFile
  const values = new Map<SettingName, unknown>()
  const places = new Map<SettingName, string>()

  async function textOf(variable: string, name: SettingName): Promise<string | undefined> {
    const given = env[variable] || undefined
    const secretFile = env[`${variable}_FILE`] || undefined
    if (secretFile === undefined) return checked(given, variable, name)
    if (given !== undefined) {
      problems.push({ name, text: both(variable, `${variable}_FILE`) })
      return given
    }
    const where = `${variable}_FILE`
    return checked(await readSecretFile(resolve(cwd, secretFile), where, name), where, name)
  }

  /** What a shell takes off, and Docker and Kubernetes do not: one instance would have another secret than the next. */
  function checked(text: string | undefined, where: string, name: SettingName): string | undefined {
    if (text !== undefined && /^(["']).*\1$/s.test(text))
      problems.push({ name, text: quoted(where) })
    else if (text !== undefined && text !== text.trim() && !/^\s*[[{]/.test(text)) {
      problems.push({ name, text: spaced(where) })
    }
    return text
  }

  async function readSecretFile(
    from: string,
    where: string,
    name: SettingName,
  ): Promise<string | undefined> {
    try {
      return (await readFile(from, 'utf8')).replace(/\r?\n$/, '')
    } catch {
      problems.push({
        name,
        text: {
          en: `${from} cannot be read; is the secret mounted, and readable for this user?`,
          zh: `无法读取 ${from}：这个 secret 挂载了吗？当前用户能读吗？`,
        },
        where,
      })
      return undefined
    }
  }

  /** `{ "file": … }` and `{ "env": … }` stand for a text that is elsewhere, so that the file holds no secret. */
  async function resolved(value: unknown, name: SettingName): Promise<unknown> {
    if (typeof value !== 'object' || value === null) return value
    if (Array.isArray(value)) return Promise.all(value.map((one) => resolved(one, name)))
    const [[key, reference] = [], ...others] = Object.entries(value)
    if (others.length === 0 && typeof reference === 'string') {
      if (key === 'file') return readSecretFile(resolve(cwd, reference), placeInFile(name), name)
      if (key === 'env') {
        const text = await textOf(reference, name)
        // Left out, it would be a service without its webhook or its admin API.
        if (text === undefined && !problems.some((known) => known.name === name)) {
          problems.push({ name, text: missing(reference), where: placeInFile(name) })
        }
        return text
      }
    }
    const members = Object.entries(value).map(
      async ([key, member]) => [key, await resolved(member, name)] as const,
    )
    return Object.fromEntries(await Promise.all(members))
  }

  const placeInFile = (name: string) => `${name} in ${fileName}`
  const inFile = new Map(flattened(file))
  for (const name of settingNames) {
    const variable = variableOf(name)
    const text = await textOf(variable, name)
    const isInFile = inFile.get(name) !== undefined
    if (text !== undefined) {
      places.set(name, variable)
      if (isInFile) problems.push({ name, text: both(placeInFile(name), variable) })
      try {
        values.set(name, readVariable(name, text))
      } catch {
        problems.push({ name, text: noJson(variable) })
      }
    } else if (inFile.get(name) === null) {
      problems.push({ name, text: isNull(name), where: placeInFile(name) })
    } else if (isInFile) {
      places.set(name, placeInFile(name))
      values.set(name, await resolved(inFile.get(name), name))
    }
  }
  await readApp()
  for (const name of inFile.keys()) refuseUnknown(name)
  for (const variable of Object.keys(env)) refuseUnknownVariable(variable)

  /** The one mini program of the environment. */
  async function readApp(): Promise<void> {
    const appId = await textOf(appVariables.appId, 'apps')
    const appSecret = await textOf(appVariables.appSecret, 'apps')
    if (appId === undefined && appSecret === undefined) return
    const names = Object.values(appVariables).join(', ')
    const elsewhere = places.get('apps')
    if (elsewhere === undefined) {
      places.set('apps', names)
      values.set('apps', [{ appId, appSecret }])
      return
    }
    // A file may name them: { "env": "WX_APP_SECRET" }.
    const isAmiss = (variable: string, value: string | undefined) =>
      value !== undefined && !isMentioned(inFile.get('apps'), variable)
    if (isAmiss(appVariables.appId, appId) || isAmiss(appVariables.appSecret, appSecret))
      problems.push({ name: 'apps', text: both(elsewhere, names) })
  }

  function refuseUnknown(name: string): void {
    if ((settingNames as readonly string[]).includes(name)) return
    const instead = Object.hasOwn(codeOptions, name) ? codeOptions[name] : undefined
    const meant = nearest(name, settingNames)
    problems.push({ text: unknown(name, instead, meant), where: placeInFile(name) })
  }

  function refuseUnknownVariable(variable: string): void {
    if (!/^WXLOGIN_/.test(variable) || isOfKubernetes(variable, env[variable])) return
    const known = [...settingNames.map(variableOf), 'WXLOGIN_CONFIG', 'WXLOGIN_PUBLIC_KEY']
    if (known.includes(variable.replace(/_FILE$/, ''))) return
    if (isMentioned(file, variable)) return
    const meant = nearest(variable, known)
    problems.push({
      text: {
        en: `${variable} is no setting${meant ? `; did you mean ${meant}?` : ''}`,
        zh: `没有 ${variable} 这个设置${meant ? `，是不是 ${meant}？` : ''}`,
      },
    })
  }

  return {
    get: (name) => values.get(name),
    whereIs: (name) => places.get(name) ?? `${variableOf(name)}, or ${placeInFile(name)}`,
    problems,
  }
}

async function readConfigFile(cwd: string, given: string | undefined): Promise<object> {
  let text: string
  try {
    text = await readFile(resolve(cwd, given ?? usualFile), 'utf8')
  } catch (cause) {
    // One that is there and cannot be read was meant.
    if (given === undefined && Object(cause).code === 'ENOENT') return {}
    throw new CliError(
      'failed',
      {
        en: `There is no ${given ?? usualFile}, or it cannot be read`,
        zh: `没有 ${given ?? usualFile}，或无法读取`,
      },
      { cause },
    )
  }
  const value = parsed(text.replace(/^\uFEFF/, ''))
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value
  throw new CliError('failed', {
    en: `${given ?? usualFile} is no JSON object: is there a comment, a comma too many, or a quotation mark too few?`,
    zh: `${given ?? usualFile} 不是 JSON 对象：是不是有注释、多了逗号，或者少了引号？`,
  })
}

/** The parser's own message quotes what stands there, which may be a secret. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** `admin.key` for `key` in `admin`. */
function flattened(file: object): readonly (readonly [SettingName, unknown])[] {
  return Object.entries(file).flatMap(([name, value]) => {
    const isGroup = settingNames.some((known) => known.startsWith(`${name}.`))
    if (!isGroup || typeof value !== 'object' || value === null) return [[name, value]]
    return Object.entries(value).map(([member, one]) => [`${name}.${member}`, one])
  }) as readonly (readonly [SettingName, unknown])[]
}

/** What it puts beside every container of a namespace: for a service that is called wxlogin, `WXLOGIN_PORT` is one. */
const isOfKubernetes = (variable: string, value: string | undefined): boolean =>
  /_SERVICE_HOST$|_SERVICE_PORT(_|$)|_PORT_\d+_(TCP|UDP|SCTP)(_|$)/.test(variable) ||
  (/_PORT$/.test(variable) && /^\w+:\/\//.test(value ?? ''))

const isMentioned = (value: unknown, variable: string): boolean =>
  JSON.stringify(value ?? null).includes(`{"env":"${variable}"}`)

const both = (one: string, other: string): Text => ({
  en: `${one} and ${other} are both set; keep one of the two`,
  zh: `${one} 和 ${other} 同时设置了，请只保留一个`,
})

const quoted = (where: string): Text => ({
  en: `${where} has quotation marks around it; take them out where it is set: a shell does, docker --env-file does not`,
  zh: `${where} 两端有引号，请在设置它的地方去掉：shell 会自动去掉，docker --env-file 不会`,
})

const spaced = (where: string): Text => ({
  en: `${where} has white space around it, a line break for example; take it out where it is set`,
  zh: `${where} 两端有空白，例如换行，请在设置它的地方去掉`,
})

const missing = (variable: string): Text => ({
  en: `${variable} is not set`,
  zh: `没有设置 ${variable}`,
})

const isNull = (name: string): Text => ({
  en: `${name} is null; leave it out, or give it a value`,
  zh: `${name} 是 null，请去掉，或者给它一个值`,
})

const noJson = (variable: string): Text => ({
  en: `${variable} begins like JSON and is none; in a .env file put it between single quotation marks`,
  zh: `${variable} 看起来是 JSON，但无法解析；在 .env 文件里请用单引号括起来`,
})

function unknown(name: string, instead: string | undefined, meant: string | undefined): Text {
  if (instead) {
    return {
      en: `${name} is code in createAuth; a service has ${instead} in its place`,
      zh: `${name} 在 createAuth 里是代码，服务里请用 ${instead}`,
    }
  }
  if (instead === '') {
    return {
      en: `${name} is code in createAuth, and cannot be set in a service`,
      zh: `${name} 在 createAuth 里是代码，服务里不能设置`,
    }
  }
  return {
    en: `${name} is no setting; ${meant ? `did you mean ${meant}?` : 'wxlogin serve --help lists the pages that list them'}`,
    zh: `没有 ${name} 这个设置${meant ? `，是不是 ${meant}？` : '，见 wxlogin serve --help'}`,
  }
}
