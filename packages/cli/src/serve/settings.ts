import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { CliError } from '../errors.js'
import type { Text } from '../text.js'
import type { Problem } from './problem.js'
import {
  appVariables,
  readVariable,
  type SettingName,
  settingNames,
  variableOf,
} from './setting-names.js'
import { bothSet, createSettingTexts, isTakenFrom } from './setting-texts.js'
import { unknownName, unknownVariable } from './unknown-settings.js'

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
  const file = await readConfigFile(cwd, path)
  const placeInFile = (name: string) => `${path ?? usualFile}: ${name}`
  const problems: Problem[] = []
  const texts = createSettingTexts({ env, cwd, report: (problem) => problems.push(problem) })
  const values = new Map<SettingName, unknown>()
  const places = new Map<SettingName, string>()
  const set = (name: SettingName, value: unknown, place: string) => {
    values.set(name, value)
    places.set(name, place)
  }

  const inFile = new Map(flattened(file))
  for (const name of settingNames) {
    const variable = variableOf(name)
    const text = await texts.ofVariable(variable, name)
    const given = inFile.get(name)
    if (text !== undefined) {
      if (given !== undefined) problems.push({ name, text: bothSet(placeInFile(name), variable) })
      try {
        set(name, readVariable(name, text), variable)
      } catch {
        problems.push({ name, text: noJson(variable) })
      }
    } else if (given === null) {
      problems.push({ name, text: isNull(name), where: placeInFile(name) })
    } else if (given !== undefined) {
      set(name, await texts.resolved(given, name, placeInFile(name)), placeInFile(name))
    }
  }
  await readApp()

  for (const name of inFile.keys()) {
    const text = unknownName(name)
    if (text) problems.push({ text, where: placeInFile(name) })
  }
  for (const variable of Object.keys(env)) {
    const text = isTakenFrom(file, variable) ? undefined : unknownVariable(variable, env[variable])
    if (text) problems.push({ text })
  }

  /** The one mini program of the environment. */
  async function readApp(): Promise<void> {
    const appId = await texts.ofVariable(appVariables.appId, 'apps')
    const appSecret = await texts.ofVariable(appVariables.appSecret, 'apps')
    const given = Object.entries({
      [appVariables.appId]: appId,
      [appVariables.appSecret]: appSecret,
    })
      .filter(([, text]) => text !== undefined)
      .map(([variable]) => variable)
    if (given.length === 0) return
    const names = Object.values(appVariables).join(', ')
    const elsewhere = places.get('apps')
    if (elsewhere === undefined) return set('apps', [{ appId, appSecret }], names)
    // The file may say that its texts are there.
    if (given.every((variable) => isTakenFrom(inFile.get('apps'), variable))) return
    problems.push({ name: 'apps', text: bothSet(elsewhere, names) })
  }

  return {
    get: (name) => values.get(name),
    whereIs: (name) => places.get(name) ?? `${variableOf(name)}, ${placeInFile(name)}`,
    problems,
  }
}

async function readConfigFile(cwd: string, given: string | undefined): Promise<object> {
  const name = given ?? usualFile
  let text: string
  try {
    text = await readFile(resolve(cwd, name), 'utf8')
  } catch (cause) {
    if (given === undefined && Object(cause).code === 'ENOENT') return {}
    throw new CliError(
      'failed',
      { en: `There is no ${name}, or it cannot be read`, zh: `没有 ${name}，或无法读取` },
      { cause },
    )
  }
  const value = parsed(text.replace(/^\uFEFF/, ''))
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value
  throw new CliError('failed', {
    en: `${name} is no JSON object: is there a comment, a comma too many, or a quotation mark too few?`,
    zh: `${name} 不是 JSON 对象：是不是有注释、多了逗号，或者少了引号？`,
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
function flattened(file: object): readonly (readonly [string, unknown])[] {
  return Object.entries(file).flatMap(([name, value]): [string, unknown][] => {
    const isGroup = settingNames.some((known) => known.startsWith(`${name}.`))
    if (!isGroup || typeof value !== 'object' || value === null) return [[name, value]]
    return Object.entries(value).map(([member, one]) => [`${name}.${member}`, one])
  })
}

const isNull = (name: string): Text => ({
  en: `${name} is null; leave it out, or give it a value`,
  zh: `${name} 是 null，请去掉，或者给它一个值`,
})

const noJson = (variable: string): Text => ({
  en: `${variable} begins like JSON and is none; in a .env file put it between single quotation marks`,
  zh: `${variable} 看起来是 JSON，但无法解析；在 .env 文件里请用单引号括起来`,
})
