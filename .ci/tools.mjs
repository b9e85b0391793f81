// Heavy tools that neither `demo` nor `test` needs. They live in the user's cache folder, outside the workspace, so that
// a fresh clone finds them again; install scripts never run.
import { createHash } from 'node:crypto'
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { homedir } from 'node:os'
import { basename, join } from 'node:path'
import { run } from './process.mjs'

const cacheFolder = join(
  process.env.XDG_CACHE_HOME ||
    (process.platform === 'win32' && process.env.LOCALAPPDATA) ||
    join(homedir(), '.cache'),
  'wxlogin-tools',
)

/** Installs packages (`name@version` or `alias@npm:name@version`) once and returns the folder whose `node_modules` holds them. */
export function tool(title, packages, { about }) {
  return once(title, packages, {
    says: `Installing ${packages.join(', ')} into ${cacheFolder} (once, ${about}) …`,
    fill: (folder) => install(folder, packages),
  })
}

/** The same for what a folder's `package-lock.json` names, each package verified by the hash that stands there. */
export function lockedTool(folder, { about }) {
  const files = ['package.json', 'package-lock.json'].map((name) => ({
    name,
    text: readFileSync(join(folder, name), 'utf8'),
  }))
  const title = basename(folder)
  return once(title, files, {
    says: `Installing ${title} into ${cacheFolder} (once, ${about}) …`,
    async fill(target) {
      mkdirSync(target, { recursive: true })
      for (const { name, text } of files) writeFileSync(join(target, name), text)
      return run('npm', ['ci', ...quietly], { cwd: target })
    },
  })
}

/**
 * A folder that `fill` makes once: for the same contents it is found again. `fill` resolves with `{ status, output }`.
 */
export async function once(title, contents, { says, fill }) {
  const id = createHash('sha256')
    .update(JSON.stringify([contents, process.platform, process.arch]))
    .digest('hex')
    .slice(0, 12)
  const folder = join(cacheFolder, `${title}-${id}`)
  if (existsSync(folder)) return folder

  console.log(says)
  const startedAt = performance.now()
  const unfinished = `${folder}.${process.pid}`
  const { status, output } = await fill(unfinished)
  if (status !== 0) {
    rmSync(unfinished, { recursive: true, force: true })
    throw new Error(
      `${title} could not be installed. Check the network and the npm registry setting, then run it again.\n${output}`,
    )
  }
  // Moved into place when complete, so that an interrupted install is never taken for a finished one.
  if (existsSync(folder)) rmSync(unfinished, { recursive: true, force: true })
  else renameSync(unfinished, folder)
  const seconds = Math.round((performance.now() - startedAt) / 1000)
  console.log(`  took ${seconds} s, ${Math.ceil(sizeOf(folder) / 1e6)} MB on the disk`)
  return folder
}

/** In bytes. */
function sizeOf(folder) {
  return readdirSync(folder, { recursive: true }).reduce(
    (sum, file) => sum + lstatSync(join(folder, file)).size,
    0,
  )
}

/** Installs packages into a folder of their own; install scripts never run. */
export async function install(folder, packages) {
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'package.json'), '{ "private": true, "dependencies": {} }\n')
  return run('npm', ['install', '--prefix', folder, ...quietly, ...packages], { cwd: folder })
}

const quietly = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']
