import { readArguments } from './arguments.js'
import { type ExitCode, exitCodes, type World } from './command.js'
import { commands } from './commands.js'
import { CliError } from './errors.js'
import { helpOf, helpOfAll } from './help.js'
import { nearest } from './nearest.js'
import { type Language, languages, systemLanguage, type Text } from './text.js'

/** Runs one command line, without the name of the program; resolves with its exit code. */
export async function run(args: readonly string[], world: World): Promise<ExitCode> {
  const language = languageOf(args, world.env)
  const say = (text: Text) => text[language]
  try {
    const [first, ...others] = args[0] === 'help' ? [...args.slice(1), '--help'] : args
    if (first === undefined || !Object.hasOwn(commands, first)) {
      return await withoutCommand(first === undefined ? args : [first, ...others], world, say)
    }
    const listed = commands[first]
    if (!listed) return exitCodes.usage
    const command = await listed.load()
    const cut = command.startsProgram ? others.indexOf('--') : -1
    const own = cut < 0 ? others : others.slice(0, cut)
    const program = cut < 0 ? [] : others.slice(cut + 1)
    if (own.some((arg) => arg === '--help' || arg === '-h')) {
      world.print(helpOf(first, listed.about, command, say))
      return exitCodes.fine
    }
    const { words, options } = readArguments(own, command)
    const value = (option: string) => {
      const given = options.get(option)
      return given === true ? undefined : given
    }
    const has = (option: string) => options.has(option)
    return await command.run({ ...world, words, program, value, has, language, say })
  } catch (error) {
    if (!(error instanceof CliError)) throw error
    world.remark(`wxlogin: ${say(error.text)}`)
    return exitCodes[error.code]
  }
}

async function withoutCommand(
  args: readonly string[],
  world: World,
  say: (text: Text) => string,
): Promise<ExitCode> {
  const [first] = args
  if (first !== undefined && !first.startsWith('-')) {
    const meant = nearest(first, Object.keys(commands))
    throw new CliError('usage', {
      en: `There is no command ${first}; ${meant ? `did you mean ${meant}?` : `there are ${Object.keys(commands).join(', ')}`}`,
      zh: `没有命令 ${first}，${meant ? `是不是 ${meant}？` : `有的是：${Object.keys(commands).join('、')}`}`,
    })
  }
  const version = { version: { about: { en: '', zh: '' } } }
  const { options } = readArguments(args, { options: version, maxWords: 0 })
  if (options.has('version')) {
    const { ownVersion } = await import('./version.js')
    world.print(await ownVersion())
    return exitCodes.fine
  }
  if (first === undefined || options.has('help')) {
    world.print(helpOfAll(say))
    return exitCodes.fine
  }
  throw new CliError('usage', {
    en: 'Say which command; see --help',
    zh: '请写明要运行哪个命令，见 --help',
  })
}

/** Before everything else is read, so that complaints about it are in it. */
function languageOf(args: readonly string[], env: World['env']): Language {
  const place = args.indexOf('--lang')
  const wanted =
    place >= 0 ? args[place + 1] : args.find((arg) => arg.startsWith('--lang='))?.slice(7)
  return languages.find((language) => language === wanted) ?? systemLanguage(env)
}
