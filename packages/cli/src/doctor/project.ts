import { dirname, join, sep } from 'node:path'
import { parseEnv } from 'node:util'
import { asObject, exists, filesBelow, jsonOf, textOf } from '../project/files.js'
import { findMiniPrograms, type MiniProgram } from '../project/mini-programs.js'
import { type Setting, type Source, settingsOf, sourceOf } from './source.js'

/** A mini program, and what its program says. */
export interface ClientSide extends MiniProgram {
  readonly sources: readonly Source[]
  readonly baseUrls: readonly Setting[]
  readonly authPaths: readonly Setting[]
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
  /** Whether there is any sign that the backend runs in this environment. */
  readonly isItsEnvironment: boolean
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
  const creating = sources.filter(({ code }) => /\bcreateClient\b/.test(code))
  return {
    ...miniProgram,
    sources,
    baseUrls: creating.flatMap((source) => settingsOf('baseUrl', source)),
    authPaths: creating.flatMap((source) => settingsOf('authPath', source)),
    packageJson: await packageJsonAbove(miniProgram.root, start),
  }
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
  const settings = (option: string) => sources.flatMap((source) => settingsOf(option, source))
  const [appIds, appSecrets, secrets] = ['appId', 'appSecret', 'secret'].map(settings)
  const { variables, hasFile } = await variablesOf([...new Set([start, folder])], env)
  const names = [appIds, appSecrets, secrets]
    .flatMap((some = []) => some)
    .flatMap((one) => ('variable' in one ? [one.variable] : []))
  return {
    folder,
    sources,
    packageJson,
    appIds: appIds ?? [],
    appSecrets: appSecrets ?? [],
    secrets: (secrets ?? []).filter(isOfLogin(sources)),
    variables,
    isItsEnvironment: hasFile || names.some((name) => variables.has(name)),
  }
}

/** Other libraries have secrets as well: one that is written down counts where the login is. */
function isOfLogin(sources: readonly Source[]): (setting: Setting) => boolean {
  const files = sources.filter(({ code }) => /\bcreateAuth\b/.test(code)).map(({ file }) => file)
  return (setting) => 'variable' in setting || files.includes(setting.file)
}

/** What is set beats what a file says, as in Node's own `--env-file`. */
async function variablesOf(folders: readonly string[], env: Environment) {
  const variables = new Map<string, string>()
  const stage = env.NODE_ENV
  const names = ['.env', '.env.local', ...(stage ? [`.env.${stage}`, `.env.${stage}.local`] : [])]
  let hasFile = false
  for (const folder of folders) {
    for (const name of names) {
      const text = await textOf(join(folder, name))
      if (text === undefined) continue
      hasFile = true
      for (const [key, value] of Object.entries(parseEnv(text))) variables.set(key, value ?? '')
    }
  }
  for (const [key, value] of Object.entries(env)) if (value !== undefined) variables.set(key, value)
  return { variables, hasFile }
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
