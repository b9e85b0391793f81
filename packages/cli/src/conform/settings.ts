import { isOnThisMachine, readPath } from '../addresses.js'
import type { Call } from '../command.js'
import { CliError } from '../errors.js'
import { nearest } from '../nearest.js'
import { type Requirement, requirements } from './requirements.js'
import type { Scenario } from './scenario.js'
import { requirementsIn, scenarios } from './scenarios.js'

export const defaults = {
  emulatorPort: 7420,
  appId: 'wx0000000000000001',
  // Works with the emulated WeChat alone. It has the form of a real one, since some backends look at that.
  appSecret: 'c0f0c0f0c0f0c0f0c0f0c0f0c0f0c0f0',
  waitSeconds: 60,
} as const

/** What the command line says about a run. */
export interface Settings {
  readonly serverUrl: string
  readonly emulatorPort: number
  readonly appId: string
  readonly appSecret: string
  readonly guardedUrl: string | undefined
  readonly revokeUrl: string | undefined
  readonly prefetchUrl: string | undefined
  /** `undefined`: the app refuses nobody. */
  readonly refusedInput: unknown
  readonly waitMs: number
  readonly isStrict: boolean
}

/** What is looked at. */
export interface Choice {
  readonly requirements: readonly Requirement[]
  readonly scenarios: readonly Scenario[]
}

export function settingsOf({ value, has }: Call): Settings {
  const serverUrl = readServer(value('server'))
  const at = (option: string) => {
    const path = value(option)
    return path === undefined ? undefined : new URL(serverUrl).origin + readPath(option, path)
  }
  const refused = value('refused-input')
  return {
    serverUrl,
    emulatorPort: readNumber(
      'emulator-port',
      value('emulator-port'),
      defaults.emulatorPort,
      65_535,
    ),
    appId: readId('app-id', value('app-id') ?? defaults.appId),
    appSecret: readId('app-secret', value('app-secret') ?? defaults.appSecret),
    guardedUrl: at('protected'),
    revokeUrl: at('revoke'),
    prefetchUrl: at('prefetch'),
    refusedInput: refused === undefined ? undefined : readJson('refused-input', refused),
    waitMs: readNumber('wait', value('wait'), defaults.waitSeconds, 3_600) * 1000,
    isStrict: has('strict'),
  }
}

/** What `--only` names: requirements by their identifiers, scenarios by their names. */
export function choiceOf({ value }: Call): Choice {
  const only = value('only')
  if (only === undefined) return { requirements, scenarios }
  const names = only.split(',').map((name) => name.trim())
  const known = [...requirements.map(({ id }) => id), ...scenarios.map(({ name }) => name)]
  for (const name of names) {
    if (known.includes(name)) continue
    const meant = nearest(name, known)
    throw new CliError('usage', {
      en: `There is no requirement or scenario ${name}${meant ? `; did you mean ${meant}?` : '; see wxlogin conform --list'}`,
      zh: `没有名为 ${name} 的要求或场景${meant ? `，是不是 ${meant}？` : '，见 wxlogin conform --list'}`,
    })
  }
  const wanted = new Set(
    scenarios
      .filter(({ name }) => names.includes(name))
      .flatMap((scenario) => requirementsIn(scenario)),
  )
  const chosen = requirements.filter(({ id }) => names.includes(id) || wanted.has(id))
  const isNamed = (scenario: Scenario) =>
    names.includes(scenario.name) || requirementsIn(scenario).some((id) => names.includes(id))
  const named = scenarios.filter(isNamed)
  // Some requirements are about every answer, and of no scenario alone.
  return { requirements: chosen, scenarios: named.length > 0 ? named : scenarios }
}

function readServer(given: string | undefined): string {
  if (given === undefined) {
    throw new CliError('usage', {
      en: 'Say which server: wxlogin conform --server http://127.0.0.1:8080/wx',
      zh: '请写明服务器：wxlogin conform --server http://127.0.0.1:8080/wx',
    })
  }
  const { protocol, hostname, origin, pathname, search } = URL.canParse(given)
    ? new URL(given)
    : new URL('none:')
  if (protocol !== 'http:' || search !== '') {
    throw new CliError('usage', {
      en: `--server ${given} is no address: give one like http://127.0.0.1:8080/wx, with the path of the login routes`,
      zh: `--server ${given} 不对：请写成 http://127.0.0.1:8080/wx 这样，带上登录接口的路径`,
    })
  }
  if (isOnThisMachine(hostname)) {
    return origin + pathname.replace(/\/+$/, '')
  }
  throw new CliError('usage', {
    en: `--server ${given} is not on this machine, so it could not reach the emulated WeChat. Start it here, on http://127.0.0.1:8080/wx for example`,
    zh: `--server ${given} 不在本机，它访问不到模拟的微信。请在本机启动，例如 http://127.0.0.1:8080/wx`,
  })
}

function readNumber(
  option: string,
  given: string | undefined,
  fallback: number,
  most: number,
): number {
  if (given === undefined) return fallback
  if (/^\d{1,5}$/.test(given) && Number(given) <= most) return Number(given)
  throw new CliError('usage', {
    en: `--${option} is a number up to ${most}, not "${given}"`,
    zh: `--${option} 是不超过 ${most} 的数字，不能是“${given}”`,
  })
}

/** What is refused is not repeated: it may be a secret after all. */
function readId(option: string, given: string): string {
  if (/^[\w-]{1,64}$/.test(given)) return given
  throw new CliError('usage', {
    en: `--${option} has up to 64 letters, digits, "_" and "-"; its default is ${option === 'app-id' ? defaults.appId : defaults.appSecret}`,
    zh: `--${option} 由不超过 64 个字母、数字、“_”和“-”组成；默认是 ${option === 'app-id' ? defaults.appId : defaults.appSecret}`,
  })
}

function readJson(option: string, given: string): unknown {
  try {
    return JSON.parse(given)
  } catch (cause) {
    throw new CliError(
      'usage',
      {
        en: `--${option} has to be JSON, '{"invitation":"none"}' for example`,
        zh: `--${option} 必须是 JSON，例如 '{"invitation":"none"}'`,
      },
      { cause },
    )
  }
}
