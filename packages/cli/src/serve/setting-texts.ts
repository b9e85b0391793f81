import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { Text } from '../text.js'
import type { Problem } from './problem.js'
import type { SettingName } from './setting-names.js'

export interface TextsOptions {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly cwd: string
  readonly report: (problem: Problem) => void
}

/** Where the texts of settings are: in variables, and in files of their own. */
export interface SettingTexts {
  /** A variable's, or that of the file which the same variable with `_FILE` names. One that is empty is not set. */
  ofVariable(variable: string, name: SettingName): Promise<string | undefined>
  /**
   * A value of the settings file, in which `{ "file": … }` and `{ "env": … }` stand for a text that is elsewhere, so that
   * it holds no secret. `place` is where the value stands.
   */
  resolved(value: unknown, name: SettingName, place: string): Promise<unknown>
}

export function createSettingTexts({ env, cwd, report }: TextsOptions): SettingTexts {
  async function ofFile(
    path: string,
    name: SettingName,
    where: string,
  ): Promise<string | undefined> {
    const from = resolve(cwd, path)
    try {
      return (await readFile(from, 'utf8')).replace(/\r?\n$/, '')
    } catch {
      const text = {
        en: `${from} cannot be read; is the secret mounted, and readable for this user?`,
        zh: `无法读取 ${from}：这个 secret 挂载了吗？当前用户能读吗？`,
      }
      report({ name, text, where })
      return undefined
    }
  }

  /** What a shell takes off, and Docker does not: one instance would have another secret than the next. */
  function checked(text: string | undefined, name: SettingName, where: string): string | undefined {
    if (text === undefined) return undefined
    if (/^(["']).*\1$/s.test(text)) report({ name, text: quoted(where) })
    else if (text !== text.trim() && !/^\s*[[{]/.test(text)) report({ name, text: spaced(where) })
    return text
  }

  async function ofVariable(variable: string, name: SettingName): Promise<string | undefined> {
    const given = env[variable] || undefined
    const path = env[`${variable}_FILE`] || undefined
    if (path === undefined) return checked(given, name, variable)
    if (given === undefined) {
      const where = `${variable}_FILE`
      return checked(await ofFile(path, name, where), name, where)
    }
    report({ name, text: bothSet(variable, `${variable}_FILE`) })
    return given
  }

  /** Left out, it would be a service without its webhook, or without its admin API. */
  async function ofReference(
    variable: string,
    name: SettingName,
    where: string,
  ): Promise<string | undefined> {
    const isSet = Boolean(env[variable] || env[`${variable}_FILE`])
    if (isSet) return ofVariable(variable, name)
    report({ name, text: { en: `${variable} is not set`, zh: `没有设置 ${variable}` }, where })
    return undefined
  }

  async function resolved(value: unknown, name: SettingName, place: string): Promise<unknown> {
    if (typeof value !== 'object' || value === null) return value
    if (Array.isArray(value)) return Promise.all(value.map((one) => resolved(one, name, place)))
    const [[key, reference] = [], ...others] = Object.entries(value)
    if (others.length === 0 && typeof reference === 'string') {
      if (key === 'file') return ofFile(reference, name, place)
      if (key === 'env') return ofReference(reference, name, place)
    }
    const members = Object.entries(value).map(
      async ([key, member]) => [key, await resolved(member, name, place)] as const,
    )
    return Object.fromEntries(await Promise.all(members))
  }

  return { ofVariable, resolved }
}

/** Whether a value of the settings file takes its text from this variable. */
export const isTakenFrom = (value: unknown, variable: string): boolean =>
  JSON.stringify(value ?? null).includes(`{"env":"${variable}"}`)

const quoted = (where: string): Text => ({
  en: `${where} has quotation marks around it; take them out where it is set: a shell does so, and docker --env-file does not`,
  zh: `${where} 两端有引号，请在设置它的地方去掉：shell 会自动去掉，docker --env-file 不会`,
})

const spaced = (where: string): Text => ({
  en: `${where} has white space around it, a line break for example; take it out where it is set`,
  zh: `${where} 两端有空白，例如换行，请在设置它的地方去掉`,
})

/** No order is right in which one of two silently wins. */
export const bothSet = (one: string, other: string): Text => ({
  en: `${one} and ${other} are both set; keep one of the two`,
  zh: `${one} 和 ${other} 同时设置了，请只保留一个`,
})
