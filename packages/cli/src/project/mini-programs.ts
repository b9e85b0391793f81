import { dirname, join, resolve } from 'node:path'
import { asObject, filesBelow, isFolder, jsonOf } from './files.js'

/** A mini program: where its parts are. */
export interface MiniProgram {
  /** The folder of `project.config.json`, or of `app.json` or `manifest.json` where there is none. */
  readonly folder: string
  /** `native` is built by DevTools, the others by their own tools. */
  readonly framework: 'native' | 'taro' | 'uni-app'
  /** The file that names the AppID. */
  readonly configFile: string
  readonly appId: string | undefined
  /** The base library that it is developed against. */
  readonly libVersion: string | undefined
  /** What ends up on a phone, as source or as built. */
  readonly shippedFolders: readonly string[]
  /** Files and folders in them that are not: cloud functions, backends, and what the configuration leaves out. */
  readonly notShipped: readonly string[]
  /** The folder with `app.json`, into which DevTools puts npm packages. */
  readonly root: string
  readonly config: Readonly<Record<string, unknown>>
}

const text = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' ? value : undefined

/** Every mini program below a folder. */
export async function findMiniPrograms(start: string): Promise<readonly MiniProgram[]> {
  const files = (await filesBelow(start)).filter((file) => !file.includes('miniprogram_npm'))
  const named = (name: string) => files.filter((file) => file.endsWith(`${sepOf(file)}${name}`))
  const backends = await backendsIn(named('package.json').map((file) => dirname(file)))
  const configured = await Promise.all(
    named('project.config.json').map((file) => ofProjectConfig(file, backends)),
  )
  const uniApps = await Promise.all(named('manifest.json').map(ofManifest))
  const known = [...configured, ...uniApps].filter((one) => one !== undefined)
  const isKnown = (folder: string) =>
    known.some(({ shippedFolders, folder: home }) =>
      [home, ...shippedFolders].some(
        (one) => folder === one || folder.startsWith(one + sepOf(one)),
      ),
    )
  const bare = await Promise.all(
    named('app.json')
      .filter((file) => !isKnown(dirname(file)))
      .map(ofAppJson),
  )
  return [...known, ...bare.filter((one) => one !== undefined)]
}

const sepOf = (path: string): string => (path.includes('\\') ? '\\' : '/')

async function ofProjectConfig(
  sharedFile: string,
  backends: readonly string[],
): Promise<MiniProgram | undefined> {
  const shared = await jsonOf(sharedFile)
  if (!shared) return undefined
  const folder = dirname(sharedFile)
  // What DevTools changes it writes into the private one, which wins.
  const privateFile = join(folder, 'project.private.config.json')
  const own = await jsonOf(privateFile)
  const config = { ...shared, ...own }
  const configFile = own?.appid === undefined ? sharedFile : privateFile
  const framework = await frameworkOf(folder)
  // What a framework builds has a configuration of its own, copied from the one beside the source.
  if (framework === 'native' && (await frameworkOf(dirname(folder))) !== 'native') return undefined
  const root = resolve(
    folder,
    text(config.miniprogramRoot) ?? text(config.srcMiniprogramRoot) ?? '',
  )
  const plugin = text(config.pluginRoot)
  const source = join(folder, 'src')
  return {
    folder,
    framework,
    configFile,
    appId: text(config.appid),
    libVersion: text(config.libVersion),
    root,
    shippedFolders: [
      ...(framework === 'native' || (await isFolder(root)) ? [root] : []),
      ...(framework === 'native' ? [] : [source]),
      ...(plugin ? [resolve(folder, plugin)] : []),
    ],
    notShipped: [
      ...[text(config.cloudfunctionRoot)].flatMap((path) => (path ? [resolve(folder, path)] : [])),
      ...leftOut(config).map((path) => resolve(root, path)),
      ...backends.filter((one) => one !== folder && one.startsWith(root + sepOf(root))),
    ],
    config,
  }
}

/** `packOptions.ignore`, as far as it names files and folders. */
function leftOut(config: Readonly<Record<string, unknown>>): readonly string[] {
  const ignore = asObject(config.packOptions)?.ignore
  if (!Array.isArray(ignore)) return []
  return ignore.flatMap((one: unknown) => {
    const { type, value } = asObject(one) ?? {}
    const isPath = type === 'file' || type === 'folder'
    return isPath && typeof value === 'string' ? [value.replace(/^\/+/, '')] : []
  })
}

/** uni-app keeps what DevTools has to know in its own manifest. */
async function ofManifest(configFile: string): Promise<MiniProgram | undefined> {
  const manifest = await jsonOf(configFile)
  const config = asObject(manifest?.['mp-weixin'])
  if (!config) return undefined
  const source = dirname(configFile)
  const home = source.endsWith('src') ? dirname(source) : source
  const builds = [
    'dist/build/mp-weixin',
    'dist/dev/mp-weixin',
    'unpackage/dist/build/mp-weixin',
  ].map((path) => join(home, path))
  const built = await Promise.all(builds.map(isFolder))
  return {
    folder: home,
    framework: 'uni-app',
    configFile,
    appId: text(config.appid),
    libVersion: text(config.libVersion),
    root: source,
    shippedFolders: [source, ...builds.filter((_, n) => built[n])],
    notShipped: [],
    config,
  }
}

async function ofAppJson(file: string): Promise<MiniProgram | undefined> {
  const app = await jsonOf(file)
  if (!Array.isArray(app?.pages)) return undefined
  const folder = dirname(file)
  return {
    folder,
    framework: 'native',
    configFile: file,
    appId: undefined,
    libVersion: undefined,
    root: folder,
    shippedFolders: [folder],
    notShipped: [],
    config: {},
  }
}

const ofBackends =
  /^(?:@wxlogin\/server|express|koa|fastify|hono|egg|@nestjs\/core|@midwayjs\/core|wx-server-sdk)$/

/** The packages that are backends: one may have its folder inside that of the mini program. */
async function backendsIn(packages: readonly string[]): Promise<readonly string[]> {
  const named = await Promise.all(packages.map(dependenciesOf))
  return packages.filter((_, n) => named[n]?.some((name) => ofBackends.test(name)))
}

async function dependenciesOf(folder: string): Promise<readonly string[]> {
  const packageJson = await jsonOf(join(folder, 'package.json'))
  return Object.keys({
    ...asObject(packageJson?.dependencies),
    ...asObject(packageJson?.devDependencies),
  })
}

async function frameworkOf(folder: string): Promise<MiniProgram['framework']> {
  const names = await dependenciesOf(folder)
  if (names.some((name) => name.startsWith('@tarojs/'))) return 'taro'
  return names.some((name) => name.startsWith('@dcloudio/')) ? 'uni-app' : 'native'
}
