// Tencent's own tools on a mini program: what DevTools and uploads do to it, without DevTools, an account or a network.
import { chmodSync, cpSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { root, run, runNode } from '../process.mjs'
import { install, tool } from '../tools.mjs'

const script = (name) => fileURLToPath(new URL(name, import.meta.url))

/** Each resolves with `{ status, output }` as `run` does. */
export async function tencentTools() {
  const ci = await tool('miniprogram-ci', ['miniprogram-ci@2.1.42'], {
    about: 'about 280 MB, a minute or two',
  })
  const compiler = await tool('miniprogram-compiler', ['miniprogram-compiler@0.2.3'], {
    about: 'about 5 MB',
  })

  return {
    /** 构建 npm; into another folder too, as `packNpmManually` does. */
    packNpm: (project, ...otherFolder) =>
      runNode([script('pack-npm.cjs'), ci, project, ...otherFolder]),

    /** What an upload makes of the project. It does not look into templates and styles. */
    compile: (project, output) => runNode([script('compile.cjs'), ci, project, output]),

    /** Every template and script of templates in a folder by `wcc`. */
    compileTemplates: (folder) =>
      run(program(compiler, 'wcc'), files(folder, /\.(wxml|wxs)$/), { cwd: folder }),

    /** Every style of a folder by `wcsc`. */
    compileStyles: (folder) =>
      run(program(compiler, 'wcsc'), files(folder, /\.wxss$/), { cwd: folder }),
  }
}

/** The example with a packed client in it, ready for 构建 npm. */
export async function copyExample(folder, tarball) {
  const source = join(root, 'examples/miniprogram')
  const { status, output } = await install(folder, [tarball])
  if (status !== 0) throw new Error(`npm could not install the client\n${output}`)
  const left = ['node_modules', 'miniprogram_npm', 'package.json', 'tsconfig.json']
  cpSync(source, folder, {
    recursive: true,
    filter: (path) => !left.some((name) => path === join(source, name)),
  })
}

const folders = { linux: 'linux', darwin: 'mac', win32: 'windows' }

function program(compiler, name) {
  const folder = join(compiler, 'node_modules/miniprogram-compiler/bin', folders[process.platform])
  const file = join(folder, process.platform === 'win32' ? `${name}.exe` : name)
  // Published without the mark.
  chmodSync(file, 0o755)
  return file
}

function files(folder, names) {
  return readdirSync(folder, { recursive: true })
    .map((path) => path.replaceAll('\\', '/'))
    .filter((path) => names.test(path) && !path.includes('node_modules/'))
    .sort()
}
