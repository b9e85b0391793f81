// The examples as they are built, each with the packed client. The mini program three times: native, by Taro and by
// uni-app, each through Tencent's compiler at the end, which gives what an upload would send; and twice for browsers.
import { cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { bin, root, run, runNode } from '../process.mjs'
import { copyExample, tencentTools } from '../tencent/tools.mjs'
import { tool } from '../tools.mjs'
import { addLoginPage } from './login-page.mjs'

const about = {
  taro: 'about 500 MB, two or three minutes',
  'uni-app': 'about 240 MB, a minute or two',
}

/** @param {{ place: string, tarball: string }} options */
export async function createBuilds({ place, tarball }) {
  const tencent = await tencentTools()

  const miniPrograms = {
    async native() {
      const folder = join(place, 'native')
      await copyExample(folder, tarball)
      addLoginPage('native', folder)
      await succeeds('构建 npm', tencent.packNpm(folder))
      return compile('native', folder)
    },

    async taro() {
      const folder = await project('taro', about.taro)
      await succeeds('tsc', node(folder, 'typescript', 'tsc', '-p', '.'))
      await succeeds('taro build', node(folder, '@tarojs/cli', 'taro', 'build', '--type', 'weapp'))
      return compile('taro', join(folder, 'dist'))
    },

    async 'uni-app'() {
      const folder = await project('uni-app', about['uni-app'])
      await succeeds('tsc', node(folder, 'typescript', 'tsc', '-p', '.'))
      await succeeds(
        'uni build',
        node(folder, '@dcloudio/vite-plugin-uni', 'uni', 'build', '-p', 'mp-weixin'),
      )
      return compile('uni-app', join(folder, 'dist/build/mp-weixin'))
    },
  }

  const webs = {
    async 'taro-h5'() {
      const folder = await project('taro', about.taro, 'taro-h5')
      await succeeds('taro build', node(folder, '@tarojs/cli', 'taro', 'build', '--type', 'h5'))
      return join(folder, 'dist-h5')
    },

    async 'uni-app-h5'() {
      const folder = await project('uni-app', about['uni-app'], 'uni-app-h5')
      await succeeds(
        'uni build',
        node(folder, '@dcloudio/vite-plugin-uni', 'uni', 'build', '-p', 'h5'),
      )
      return join(folder, 'dist/build/h5')
    },
  }

  return { miniPrograms, webs }

  async function compile(name, folder) {
    const compiled = join(place, `${name}-compiled`)
    await succeeds('miniprogram-ci', tencent.compile(folder, compiled))
    await succeeds('wcc', tencent.compileTemplates(compiled))
    await succeeds('wcsc', tencent.compileStyles(compiled))
    return compiled
  }

  /** A copy of the example in which its packages can be found, and the packed client among them. */
  async function project(name, about, folderName = name) {
    const source = join(root, 'examples', name)
    const { dependencies, devDependencies } = readJson(join(source, 'package.json'))
    checkVersion(name, dependencies['@wxlogin/client'])
    const packages = Object.entries({ ...dependencies, ...devDependencies })
      .filter(([dependency]) => dependency !== '@wxlogin/client')
      .map(([dependency, version]) => `${dependency}@${version}`)
    const installed = join(await tool(name, packages, { about }), 'node_modules')

    const folder = join(place, folderName)
    cpSync(source, folder, {
      recursive: true,
      filter: (path) => !/[\\/](node_modules|dist|dist-h5)$/.test(path),
    })
    addLoginPage(name, folder)
    link(installed, join(folder, 'node_modules'))
    const client = join(folder, 'node_modules/@wxlogin/client')
    mkdirSync(client, { recursive: true })
    await succeeds('tar', run('tar', ['-xzf', tarball, '-C', client, '--strip-components=1']))
    return folder
  }
}

/** One link a package: the packages' own folder is shared, and the client must not get into it. */
function link(from, to) {
  mkdirSync(to, { recursive: true })
  for (const entry of readdirSync(from)) {
    if (entry.startsWith('@')) link(join(from, entry), join(to, entry))
    else symlinkSync(join(from, entry), join(to, entry), 'junction')
  }
}

/** These examples are no part of the workspace, so a release does not carry them along by itself. */
function checkVersion(name, range) {
  const { version } = readJson(join(root, 'packages/client/package.json'))
  if (range === `^${version}`) return
  throw new Error(`examples/${name} asks for @wxlogin/client ${range}; ${version} is the one here`)
}

function node(folder, packageName, command, ...args) {
  return runNode([bin(packageName, { command, from: folder }), ...args], {
    cwd: folder,
    env: { ...process.env, NODE_ENV: 'production', CI: 'true' },
  })
}

async function succeeds(name, work) {
  const { status, output } = await work
  if (status !== 0) throw new Error(`${name} failed:\n${output}`)
}

function readJson(file) {
  return JSON.parse(readFileSync(file, 'utf8'))
}
