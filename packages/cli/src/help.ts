import { everywhere } from './arguments.js'
import type { Command } from './command.js'
import { commands } from './commands.js'
import type { Text } from './text.js'

type Say = (text: Text) => string

/** The help of `wxlogin` itself. */
export function helpOfAll(say: Say): string {
  return [
    say({
      en: 'wxlogin: WeChat Mini Program login, from the command line',
      zh: 'wxlogin：小程序微信登录的命令行工具',
    }),
    '',
    `${say({ en: 'Usage', zh: '用法' })}: wxlogin ${say({ en: '<command> [options]', zh: '<命令> [选项]' })}`,
    '',
    ...table(Object.entries(commands).map(([name, { about }]) => [name, say(about)])),
    '',
    ...table([
      ...optionRows(everywhere, say),
      ['--version', say({ en: 'Shows the version', zh: '显示版本' })],
    ]),
    '',
    say({
      en: 'wxlogin <command> --help tells more about one.',
      zh: 'wxlogin <命令> --help 查看某个命令的说明。',
    }),
    exits(say),
  ].join('\n')
}

/** The help of one command. */
export function helpOf(name: string, about: Text, command: Command, say: Say): string {
  return [
    say(about),
    '',
    `${say({ en: 'Usage', zh: '用法' })}: ${['wxlogin', name, command.usage].filter(Boolean).join(' ')}`,
    '',
    ...table(optionRows({ ...command.options, ...everywhere }, say)),
    ...(command.notes ? ['', say(command.notes)] : []),
    '',
    exits(say),
  ].join('\n')
}

const exits = (say: Say): string =>
  say({
    en: 'Exits with 0: nothing is wrong · 1: something was found · 2: written wrongly · 3: could not be done',
    zh: '退出码 0：没有问题 · 1：发现了问题 · 2：命令写错了 · 3：无法完成',
  })

const optionRows = (options: Command['options'], say: Say): string[][] =>
  Object.entries(options)
    .filter(([, { isHidden = false }]) => !isHidden)
    .map(([name, { value, about }]) => [
      `--${name}${value === undefined ? '' : ` ${value}`}`,
      say(about),
    ])

function table(rows: readonly (readonly string[])[]): string[] {
  const width = Math.max(...rows.map(([first = '']) => first.length))
  return rows.map(([first = '', ...others]) => `  ${first.padEnd(width)}   ${others.join(' ')}`)
}
