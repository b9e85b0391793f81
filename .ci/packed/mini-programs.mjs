// The packed client in mini programs, by Tencent's own tools: packed as npm dependency, compiled as for an upload, and run.
import { cpSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { runNode } from '../process.mjs'
import { copyExample, tencentTools } from '../tencent/tools.mjs'
import { buildWithoutEntry } from './without-entry.mjs'

const fixtures = fileURLToPath(new URL('.', import.meta.url))

/**
 * @param {object} options
 * @param {string} options.tarball The packed client.
 * @param {readonly string[]} options.entries The names of those that run on a phone: `index`, …
 * @param {readonly string[]} options.requests What a page requires: `@wxlogin/client`, …
 */
export async function checkMiniPrograms({
  place,
  tarball,
  entries,
  requests,
  installTarballs,
  check,
  report,
}) {
  const tencent = await tencentTools()
  await packSmallest()
  await packWithoutBackend()
  await compileExample()
  await breakExample()

  /** Both ways of packing, and each result run where there is only `wx`. */
  async function packSmallest() {
    const folder = join(place, 'mini-program')
    await installTarballs(folder, [tarball])
    cpSync(`${fixtures}mini-program`, folder, { recursive: true })
    const manually = join(folder, 'manually')
    if (!(await check('miniprogram-ci packs the client', tencent.packNpm(folder, manually)))) return
    await runPacked(folder)
    await runPacked(manually)
  }

  /** Who does not use the entry for other backends gets, byte for byte, what there was without it. */
  async function packWithoutBackend() {
    const folder = join(place, 'without-backend')
    const sources = ['backend.ts', 'translator']
    const built = await buildWithoutEntry('backend', sources, join(place, 'client-without-backend'))
    await installTarballs(folder, [tarball])
    cpSync(`${fixtures}mini-program`, folder, { recursive: true })
    const published = join(folder, 'node_modules/@wxlogin/client/miniprogram_dist')
    rmSync(published, { recursive: true })
    cpSync(built, published, { recursive: true })
    const isPacked = await check(
      'miniprogram-ci packs the client as it would be without /backend',
      tencent.packNpm(folder),
    )
    if (!isPacked) return

    const packed = (project, entry) =>
      join(place, project, 'miniprogram_npm/@wxlogin/client', `${entry}.js`)
    const wrong = entries
      .filter((entry) => entry !== 'backend')
      .filter((entry) => {
        const [without, beside] = ['without-backend', 'mini-program'].map((project) =>
          readFileSync(packed(project, entry)),
        )
        return !without.equals(beside)
      })
      .map((entry) => `${entry}.js is not what it is without /backend`)
    const isThere = ['without-backend', 'mini-program'].map((project) =>
      existsSync(packed(project, 'backend')),
    )
    report('packed beside /backend, the other entries are byte for byte what they are without it', [
      ...wrong,
      ...(isThere.join() === 'false,true' ? [] : ['backend.js is not where it should be']),
    ])
  }

  /** The example, to the very files that an upload would send. */
  async function compileExample() {
    const folder = join(place, 'example')
    const compiled = join(place, 'example-compiled')
    await copyExample(folder, tarball)
    if (!(await check('miniprogram-ci packs the example', tencent.packNpm(folder)))) return
    if (!(await check('miniprogram-ci compiles it', tencent.compile(folder, compiled)))) return
    await runPacked(compiled)
    await check('wcc compiles its templates', tencent.compileTemplates(compiled))
    await check('wcsc compiles its styles', tencent.compileStyles(compiled))
  }

  /** That the tools above do notice what is wrong. */
  async function breakExample() {
    const folder = join(place, 'example')
    const page = join(folder, 'pages/index/index')
    const compile = () => tencent.compile(folder, join(place, 'broken'))

    writeFileSync(`${page}.wxml`, '<view><text>登录</view>')
    await checkRefusal(
      'wcc refuses a broken template',
      tencent.compileTemplates(folder),
      /expect end-tag/,
    )
    writeFileSync(`${page}.wxss`, '.card { color: red')
    await checkRefusal('wcsc refuses a broken style', tencent.compileStyles(folder), /unexpected/)
    const code = readFileSync(`${page}.ts`, 'utf8')
    writeFileSync(`${page}.ts`, `${code}\nconst = 1`)
    await checkRefusal('miniprogram-ci refuses broken code', compile(), /index\.ts/)
    writeFileSync(`${page}.ts`, code)
    rmSync(`${page}.wxml`)
    await checkRefusal('miniprogram-ci refuses a page without a template', compile(), /10005/)
  }

  /** Every entry that a mini program can require. */
  async function runPacked(folder) {
    for (const request of requests) {
      const name = `${basename(folder)}: ${request} logs in and sends a request with only wx`
      await check(name, runNode([`${fixtures}mini-program.mjs`, folder, request]))
    }
    await check(
      `${basename(folder)}: @wxlogin/client/backend logs in at a backend that has a login of its own`,
      runNode([`${fixtures}mini-program.mjs`, folder, requests[0], '@wxlogin/client/backend']),
    )
  }

  async function checkRefusal(name, work, reason) {
    const { status, output } = await work
    const holds = status !== 0 && reason.test(output)
    return report(name, holds ? [] : [`status ${status}, and not ${reason} in\n${output}`])
  }
}
