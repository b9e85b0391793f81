// A reader's project: the packages of the guides, ours as they are packed, and the code that a document shows.
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { pack } from '../pack.mjs'
import { bin, root, run, runNode } from '../process.mjs'
import { tool } from '../tools.mjs'
import { installs } from './installs.mjs'

/**
 * The code of a document by the path that stands behind a block's language:
 *   ```ts express/before/server.ts
 */
export function filesOf(document) {
  const text = readFileSync(join(root, document), 'utf8')
  const blocks = [...text.matchAll(/^```\w+ (\S+)\n([\s\S]*?)^```$/gm)]
  return new Map(blocks.map(([, path, code]) => [path, code]))
}

/** Makes the project in a folder that is not there yet. */
export async function createHome(folder, files, { names = ['server'] } = {}) {
  const tools = await tool('moving', installs.moving, { about: 'about 100 MB' })
  const modules = join(folder, 'node_modules')
  linkPackages(join(tools, 'node_modules'), modules)
  for (const name of names) await unpack(name, modules)
  for (const [path, code] of files) {
    const file = join(folder, path)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, code)
  }
  return { folder, tools }
}

async function unpack(name, modules) {
  const tarball = await pack(name, dirname(modules))
  const home = join(modules, '@wxlogin', name)
  mkdirSync(home, { recursive: true })
  const { status, output } = await run('tar', ['-xzf', tarball, '--strip-components=1', '-C', home])
  if (status !== 0) throw new Error(`${tarball} could not be unpacked\n${output}`)
  const { dependencies = {} } = JSON.parse(readFileSync(join(home, 'package.json'), 'utf8'))
  for (const dependency of Object.keys(dependencies)) {
    const from = join(root, 'packages', name, 'node_modules', dependency)
    const to = join(modules, dependency)
    if (!existsSync(to)) symlinkSync(from, to, 'junction')
  }
}

/** Each by itself, so that ours can stand beside them and find them. */
function linkPackages(from, to) {
  for (const name of readdirSync(from).filter((name) => !name.startsWith('.'))) {
    const inner = name.startsWith('@') ? readdirSync(join(from, name)) : ['']
    for (const one of inner) {
      mkdirSync(dirname(join(to, name, one)), { recursive: true })
      symlinkSync(join(from, name, one), join(to, name, one), 'junction')
    }
  }
}

/** Checks the types of what stands below a folder, and compiles it to CommonJS, with what decorators write down. */
export async function compile({ folder, tools }, below) {
  const compilerOptions = {
    target: 'ES2022',
    lib: ['ES2022'],
    types: ['node'],
    module: 'commonjs',
    moduleResolution: 'node10',
    esModuleInterop: true,
    experimentalDecorators: true,
    emitDecoratorMetadata: true,
    strict: true,
    noImplicitOverride: true,
    skipLibCheck: true,
    rootDir: '.',
    outDir: 'out',
  }
  const config = join(folder, `tsconfig-${below.replaceAll('/', '-')}.json`)
  writeFileSync(config, JSON.stringify({ compilerOptions, include: [`${below}/**/*.ts`] }))
  const tsc = bin('typescript', { command: 'tsc', from: tools })
  const { status, output } = await runNode([tsc, '-p', config], { cwd: folder })
  if (status !== 0) throw new Error(`The code of the document does not compile:\n${output}`)
}
