import { parseArgs } from 'node:util'
import type { Command, Option } from './command.js'
import { CliError } from './errors.js'
import { nearest } from './nearest.js'
import { languages } from './text.js'

/** What every command takes. */
export const everywhere = {
  lang: {
    value: 'LANGUAGE',
    values: languages,
    about: {
      en: 'en or zh (default: the language of the system)',
      zh: 'en 或 zh（默认：系统的语言）',
    },
  },
  help: { about: { en: 'Shows this', zh: '显示本说明' } },
} as const satisfies Record<string, Option>

export interface Arguments {
  readonly words: readonly string[]
  readonly options: ReadonlyMap<string, string | true>
}

/** Reads the arguments of a command. Throws `usage` for what the command does not know. */
export function readArguments(
  args: readonly string[],
  command: Pick<Command, 'options' | 'maxWords'>,
): Arguments {
  const known: Readonly<Record<string, Option>> = { ...command.options, ...everywhere }
  // `-1` is an errcode of WeChat, and no option.
  const numbers = args.filter((arg) => /^-\d+$/.test(arg))
  const { tokens } = parseArgs({
    args: withUsual(args, known).filter((arg) => !numbers.includes(arg)),
    options: {
      help: { type: 'boolean', short: 'h' },
      ...Object.fromEntries(
        Object.entries(known).map(([name, { value }]) => [
          name,
          {
            type: value === undefined ? 'boolean' : 'string',
            ...(name === 'help' && { short: 'h' }),
          },
        ]),
      ),
    },
    allowPositionals: true,
    strict: false,
    tokens: true,
  })

  const options = new Map<string, string | true>()
  const words: string[] = [...numbers]
  for (const token of tokens) {
    if (token.kind === 'positional') words.push(token.value)
    if (token.kind === 'option') {
      options.set(token.name, readValue(token.name, token.rawName, token.value, known))
    }
  }
  const [tooMuch] = words.slice(command.maxWords)
  if (tooMuch !== undefined) {
    throw new CliError('usage', {
      en: `There is no place for "${tooMuch}" here; see --help`,
      zh: `这里不需要“${tooMuch}”，见 --help`,
    })
  }
  return { words, options }
}

/** Writes the usual value behind an option that has one and is written without any. */
function withUsual(
  args: readonly string[],
  known: Readonly<Record<string, Option>>,
): readonly string[] {
  return args.map((arg, index) => {
    const name = arg.slice(2)
    const usual =
      arg.startsWith('--') && Object.hasOwn(known, name) ? known[name]?.usual : undefined
    const next = args[index + 1]
    return usual === undefined || (next && !next.startsWith('-')) ? arg : `${arg}=${usual}`
  })
}

function readValue(
  name: string,
  written: string,
  value: string | undefined,
  known: Readonly<Record<string, Option>>,
): string | true {
  const option = Object.hasOwn(known, name) ? known[name] : undefined
  if (!option) {
    const meant = nearest(name, Object.keys(known))
    throw new CliError('usage', {
      en: `There is no option ${written}${meant ? `; did you mean --${meant}?` : '; see --help'}`,
      zh: `没有选项 ${written}${meant ? `，是不是 --${meant}？` : '，见 --help'}`,
    })
  }
  if (option.value === undefined) {
    if (value === undefined) return true
    throw new CliError('usage', {
      en: `${written} takes no value`,
      zh: `${written} 后面不带值`,
    })
  }
  if (value === undefined || value === '') {
    throw new CliError('usage', {
      en: `${written} needs a value: ${written} ${option.value}`,
      zh: `${written} 需要一个值：${written} ${option.value}`,
    })
  }
  if (option.values && !option.values.includes(value)) {
    const meant = nearest(value, option.values)
    throw new CliError('usage', {
      en: `${written} is ${option.values.join(', ')}, not "${value}"${meant ? `; did you mean ${meant}?` : ''}`,
      zh: `${written} 只能是 ${option.values.join('、')}，不能是“${value}”${meant ? `，是不是 ${meant}？` : ''}`,
    })
  }
  return value
}
