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

  async function ofVariable(variable: string, name: SettingName): Promise<string | undefined> {
    const given = env[variable] || undefined
    const path = env[`${variable}_FILE`] || undefined
    if (path === undefined) return given
    if (given === undefined) return ofFile(path, name, `${variable}_FILE`)
    report({ name, text: bothSet(variable, `${variable}_FILE`) })
    return given
  }

  async function resolved(value: unknown, name: SettingName, place: string): Promise<unknown> {
    if (typeof value !== 'object' || value === null) return value
    if (Array.isArray(value)) return Promise.all(value.map((one) => resolved(one, name, place)))
    const [[key, reference] = [], ...others] = Object.entries(value)
    if (others.length === 0 && typeof reference === 'string') {
      if (key === 'file') return ofFile(reference, name, place)
      if (key === 'env') return ofVariable(reference, name)
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

/** No order is right in which one of two silently wins. */
export const bothSet = (one: string, other: string): Text => ({
  en: `${one} and ${other} are both set; keep one of the two`,
  zh: `${one} 和 ${other} 同时设置了，请只保留一个`,
})
