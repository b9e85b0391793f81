import { resolve } from 'node:path'
import { type Call, type Command, exitCodes } from './command.js'
import { CliError } from './errors.js'
import { exists, shown } from './project/files.js'
import { leakTexts } from './scan/leak-texts.js'
import { sarifOf } from './scan/sarif.js'
import { type FoundLeak, type Skipped, scanPaths, whatShips } from './scan/scan-files.js'
import type { Text } from './text.js'

/** Looks for secrets in what a mini program ships. */
export const scan: Command = {
  usage: '[path] [--json | --sarif]',
  maxWords: 1,
  options: {
    json: { about: { en: 'Prints JSON', zh: '输出 JSON' } },
    sarif: {
      about: {
        en: 'Prints SARIF 2.1.0, for code hosts',
        zh: '输出 SARIF 2.1.0，供代码托管平台使用',
      },
    },
  },
  notes: {
    en: `Looks for AppSecrets, session_keys, private keys and calls of api.weixin.qq.com, in the source, in what was
built, and in .wxapkg packages. Where there are mini programs below the path (default: here), only what they ship is
looked at, else everything. What was found is not printed, only where it is. What could be an AppSecret and need not be
one is named as well, and does not change the exit code. In secretlint the same is the rule wxlogin/secretlint-rule.`,
    zh: `在源码、构建产物和 .wxapkg 包里查找 AppSecret、session_key、私钥，以及对 api.weixin.qq.com 的调用。
路径（默认当前目录）下面有小程序时，只看小程序会发布的内容，否则看全部。只输出位置，不输出找到的内容。
可能是 AppSecret、但不能确定的也会列出，不影响退出码。
在 secretlint 里对应的规则是 wxlogin/secretlint-rule。`,
  },
  async run({ words: [path = '.'], has, print, remark, busy, say, cwd }) {
    if (has('json') && has('sarif')) {
      throw new CliError('usage', {
        en: 'Choose one of --json and --sarif',
        zh: '--json 和 --sarif 只能选一个',
      })
    }
    const start = resolve(cwd, path)
    if (!(await exists(start))) {
      throw new CliError('failed', { en: `There is no ${path}`, zh: `没有 ${path}` })
    }
    const done = busy(say({ en: 'Looking through the files', zh: '正在检查文件' }))
    const { files, leaks, possible, skipped } = await whatShips(start).then(scanPaths).finally(done)
    const show = (file: string) => shown(cwd, file)
    if (has('sarif'))
      print(JSON.stringify(sarifOf([...leaks, ...possible], { say, uriOf: show }), undefined, 2))
    else if (has('json')) print(JSON.stringify(jsonOf(), undefined, 2))
    else printText()
    if (has('sarif')) for (const one of skipped) remark(skippedLine(one, show, say))
    if (leaks.length > 0) return exitCodes.found
    // What could not be looked at may leak.
    return skipped.length > 0 ? exitCodes.failed : exitCodes.fine

    function jsonOf() {
      return {
        files,
        leaks: leaks.map(ofJson),
        possible: possible.map(ofJson),
        skipped: skipped.map((one) => ({ ...one, file: show(one.file) })),
      }
    }

    function ofJson(leak: FoundLeak) {
      return { ...leak, file: show(leak.file), message: say(leakTexts[leak.kind]) }
    }

    function printText() {
      for (const leak of [...leaks, ...possible])
        print(`${placeOf(leak, show)}  ${say(leakTexts[leak.kind])}`)
      for (const one of skipped) print(skippedLine(one, show, say))
      const toLookAt = possible.length
      print(
        say({
          en: `${leaks.length > 0 ? `${leaks.length} found in ${files} files` : `Nothing found in ${files} files`}${toLookAt > 0 ? `; ${toLookAt} to look at yourself` : ''}`,
          zh: `${leaks.length > 0 ? `在 ${files} 个文件里发现 ${leaks.length} 处` : `${files} 个文件，没有发现泄露`}${toLookAt > 0 ? `；有 ${toLookAt} 处请自己看一下` : ''}`,
        }),
      )
    }
  },
}

function placeOf(
  { file, inside, line, column }: FoundLeak,
  show: (file: string) => string,
): string {
  return `${show(file)}${inside ? `!${inside.replace(/^\/?/, '/')}` : ''}:${line}:${column}`
}

const reasons: { readonly [why in Skipped['why']]: Text } = {
  encrypted: {
    en: 'is encrypted, as WeChat for Windows keeps it, and was not looked at; take the package that DevTools or miniprogram-ci makes',
    zh: '是加密的（Windows 微信的缓存就是这样），没有检查；请用开发者工具或 miniprogram-ci 生成的包',
  },
  damaged: {
    en: 'is no package of WeChat, or damaged, and was not looked at',
    zh: '不是微信的包，或已损坏，没有检查',
  },
  too_large: { en: 'is too large and was not looked at', zh: '太大，没有检查' },
  unreadable: { en: 'cannot be read and was not looked at', zh: '无法读取，没有检查' },
}

function skippedLine({ file, why }: Skipped, show: (file: string) => string, say: Call['say']) {
  return `${show(file)}  ${say(reasons[why])}`
}
