import { dirname, join, sep } from 'node:path'
import { parseEnv } from 'node:util'
import { asObject, exists, filesBelow, jsonOf, textOf } from '../project/files.js'
import { findMiniPrograms, type MiniProgram } from '../project/mini-programs.js'
import { isSetting, type Setting, settingsOf } from './settings.js'
import { type Modules, modulesOf, type Source, sourceOf } from './source.js'
import type { Value } from './values.js'

/** A mini program, and what its program says. */
export interface ClientSide extends MiniProgram {
  readonly sources: readonly Source[]
  /** Every address that `createClient` may get. */
  readonly baseUrls: readonly Value[]
  readonly authPaths: readonly Value[]
  /** What its build puts into a release. */
  readonly variables: ReadonlyMap<string, string>
  readonly packageJson: PackageJson | undefined
}

/** A program that imports `@wxlogin/server`. */
export interface ServerSide {
  readonly folder: string
  readonly sources: readonly Source[]
  readonly packageJson: PackageJson | undefined
  readonly appIds: readonly Setting[]
  readonly appSecrets: readonly Setting[]
  readonly secrets: readonly Setting[]
  /** The environment, and what the `.env` files add to it. */
  readonly variables: ReadonlyMap<string, string>
  /** The `.env` files, and what each sets. */
  readonly envFiles: readonly EnvFile[]
  /** Whether there is any sign that the backend runs in this environment. */
  readonly isItsEnvironment: boolean
}

export interface EnvFile {
  readonly file: string
  readonly variables: ReadonlyMap<string, string>
}

export interface PackageJson {
  readonly file: string
  readonly dependencies: readonly string[]
  readonly devDependencies: readonly string[]
}

/** What can be read of a project. */
export interface Project {
  readonly folder: string
  readonly clients: readonly ClientSide[]
  readonly servers: readonly ServerSide[]
}

type Environment = Readonly<Record<string, string | undefined>>

const isProgram = (file: string) =>
  /\.(?:[cm]?[jt]s|[jt]sx|vue)$/.test(file) && !file.endsWith('.d.ts')
const isTest = (file: string) =>
  /(?:^|[\\/])(?:tests?|__tests__|__mocks__)[\\/]|\.(?:test|spec)\.\w+$/.test(file)
const isBuilt = (file: string) =>
  /[\\/](?:miniprogram_npm|dist|build|out|unpackage|\.next|\.nuxt|\.output)[\\/]/.test(file)

export async function readProject(folder: string, env: Environment): Promise<Project> {
  const miniPrograms = await findMiniPrograms(folder)
  const programs = (await filesBelow(folder)).filter(
    (file) =>
      isProgram(file) && !isTest(file.slice(folder.length)) && !isBuilt(file.slice(folder.length)),
  )
  const shipped = miniPrograms.flatMap(({ shippedFolders }) => shippedFolders)
  const notShipped = miniPrograms.flatMap((one) => one.notShipped)
  const isIn = (folders: readonly string[], file: string) =>
    folders.some((one) => file.startsWith(one + sep))
  const ofServer = programs.filter((file) => !isIn(shipped, file) || isIn(notShipped, file))

  return {
    folder,
    clients: await Promise.all(
      miniPrograms.map(async (miniProgram) => {
        const files = programs.filter(
          (file) => isIn(miniProgram.shippedFolders, file) && !isIn(miniProgram.notShipped, file),
        )
        return clientSide(miniProgram, await sourcesOf(files), folder)
      }),
    ),
    servers: await serverSides(await sourcesOf(ofServer), folder, env),
  }
}

async function sourcesOf(files: readonly string[]): Promise<readonly Source[]> {
  const sources: Source[] = []
  for (const file of files) {
    const text = await textOf(file)
    if (text !== undefined && text.length < 2_000_000) sources.push(sourceOf(file, text))
  }
  return sources
}

async function clientSide(
  miniProgram: MiniProgram,
  sources: readonly Source[],
  start: string,
): Promise<ClientSide> {
  const { root, folder, shippedFolders } = miniProgram
  const modules = modulesOf(sources, [...shippedFolders, root, folder])
  const creating = sources.filter(({ code }) => /\bcreateClient\b/.test(code))
  const packageJson = await packageJsonAbove(root, start)
  const home = packageJson ? dirname(packageJson.file) : folder
  const { variables } = await variablesOf([...new Set([home, folder, root])], {
    NODE_ENV: 'production',
  })
  return {
    ...miniProgram,
    sources,
    baseUrls: optionsOf('baseUrl', creating, modules),
    authPaths: optionsOf('authPath', creating, modules),
    variables,
    packageJson,
  }
}

/** Where they are written: beside `createClient`, or in a file that is imported there. */
function optionsOf(option: string, creating: readonly Source[], modules: Modules) {
  const beside = creating.flatMap((source) => settingsOf(option, source, modules))
  if (beside.length > 0) return beside
  const imported = creating.flatMap((source) =>
    [...source.code.matchAll(/(?:\bfrom|\brequire\s*\()\s*['"`]([^'"`]+)['"`]/g)].flatMap(
      ([, specifier = '']) => modules.find(source, specifier) ?? [],
    ),
  )
  return [...new Set(imported)].flatMap((source) => settingsOf(option, source, modules))
}

async function serverSides(
  sources: readonly Source[],
  start: string,
  env: Environment,
): Promise<readonly ServerSide[]> {
  const homes = new Map<string, Source[]>()
  const packages = new Map<string, PackageJson | undefined>()
  for (const source of sources) {
    const packageJson = await packageJsonAbove(dirname(source.file), start)
    const home = packageJson ? dirname(packageJson.file) : start
    packages.set(home, packageJson)
    homes.set(home, [...(homes.get(home) ?? []), source])
  }
  const importing = [...homes].filter(([, ofHome]) =>
    ofHome.some(({ code }) => /['"`]@wxlogin\/server(?:\/\w+)?['"`]/.test(code)),
  )
  return Promise.all(
    importing.map(([folder, ofHome]) =>
      serverSide(folder, ofHome, packages.get(folder), start, env),
    ),
  )
}

async function serverSide(
  folder: string,
  sources: readonly Source[],
  packageJson: PackageJson | undefined,
  start: string,
  env: Environment,
): Promise<ServerSide> {
  const modules = modulesOf(sources)
  const settings = (option: string, counts: (one: Setting, source: Source) => boolean) =>
    sources.flatMap((source) =>
      settingsOf(option, source, modules)
        .filter(isSetting)
        .filter((one) => counts(one, source)),
    )
  const appIds = settings('appId', () => true)
  const appSecrets = settings('appSecret', () => true)
  const secrets = settings('secret', isOfLogin)
  const { variables, envFiles } = await variablesOf([...new Set([start, folder])], env)
  const names = [appIds, appSecrets, secrets]
    .flat()
    .flatMap((one) => ('variable' in one ? [one.variable] : []))
  return {
    folder,
    sources,
    packageJson,
    appIds,
    appSecrets,
    secrets,
    variables,
    envFiles,
    isItsEnvironment: envFiles.length > 0 || names.some((name) => variables.has(name)),
  }
}

/** Other libraries have secrets as well: one that is written down counts where the login is. */
const isOfLogin = (setting: Setting, { code }: Source): boolean =>
  'variable' in setting || /\bcreateAuth\b/.test(code)

/** What is set beats what a file says, as in Node's own `--env-file`. */
async function variablesOf(folders: readonly string[], env: Environment) {
  const variables = new Map<string, string>()
  const stage = env.NODE_ENV
  const names = ['.env', '.env.local', ...(stage ? [`.env.${stage}`, `.env.${stage}.local`] : [])]
  const envFiles: EnvFile[] = []
  for (const folder of folders) {
    for (const name of names) {
      const file = join(folder, name)
      const text = await textOf(file)
      if (text === undefined) continue
      const own = Object.entries(parseEnv(text)).map(([key, value]) => [key, value ?? ''] as const)
      envFiles.push({ file, variables: new Map(own) })
      for (const [key, value] of own) variables.set(key, value)
    }
  }
  for (const [key, value] of Object.entries(env)) if (value !== undefined) variables.set(key, value)
  return { variables, envFiles }
}

/** The nearest `package.json`, in this folder or above it, not above the project. */
async function packageJsonAbove(folder: string, start: string): Promise<PackageJson | undefined> {
  for (let at = folder; ; at = dirname(at)) {
    const file = join(at, 'package.json')
    if (await exists(file)) {
      const json = await jsonOf(file)
      return {
        file,
        dependencies: Object.keys(asObject(json?.dependencies) ?? {}),
        devDependencies: Object.keys(asObject(json?.devDependencies) ?? {}),
      }
    }
    if (at === start || at === dirname(at)) return undefined
  }
}

/** What a setting comes to, where that is known. */
export function resolved(
  setting: Setting,
  { variables }: Pick<ServerSide, 'variables'>,
): string | undefined {
  return 'literal' in setting ? setting.literal : variables.get(setting.variable)
}
