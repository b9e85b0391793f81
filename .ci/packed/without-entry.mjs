// The phone's files as they would be if one entry had never been written: built in a copy of the client from which its
// source is gone.
import { cpSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { bin, root, runNode } from '../process.mjs'

/**
 * @param {string} entry Its name in `.ci/entries.mjs`.
 * @param {readonly string[]} sources What is deleted, below `packages/client/src`.
 * @param {string} place Where to; resolves with the folder of the files.
 */
export async function buildWithoutEntry(entry, sources, place) {
  const files = [
    'tsconfig.base.json',
    'packages/shared',
    ...['src', 'package.json', 'tsconfig.json', 'tsup.config.ts'].map(
      (name) => `packages/client/${name}`,
    ),
  ]
  for (const file of files) {
    cpSync(root + file, join(place, file), {
      recursive: true,
      filter: (path) => !/[\\/]node_modules$/.test(path),
    })
  }
  for (const folder of ['node_modules', 'packages/client/node_modules']) {
    symlinkSync(root + folder, join(place, folder), 'junction')
  }
  const client = join(place, 'packages/client')
  for (const source of sources) rmSync(join(client, 'src', source), { recursive: true })
  const list = readFileSync(`${root}.ci/entries.mjs`, 'utf8')
  const shorter = list.replace(new RegExp(`^ +${entry}: 'src/.*\\n`, 'm'), '')
  if (shorter === list) throw new Error(`.ci/entries.mjs has no line of ${entry}`)
  write(join(place, '.ci/entries.mjs'), shorter)
  const config = join(client, 'phone.config.ts')
  write(config, "import { miniprogram } from './tsup.config'\n\nexport default miniprogram\n")

  const { status, output } = await runNode([bin('tsup'), '--config', config], { cwd: client })
  if (status !== 0) throw new Error(`the client does not build without ${entry}\n${output}`)
  return join(client, 'miniprogram_dist')
}

function write(file, text) {
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, text)
}
