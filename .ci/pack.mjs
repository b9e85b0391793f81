// Packs a package as it is published.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { pnpm } from './pnpm.mjs'
import { root } from './process.mjs'

/** Resolves with the tarball's path. */
export async function pack(name, folder) {
  const home = `${root}packages/${name}`
  const { status, output } = await pnpm(['pack', '--pack-destination', folder], { cwd: home })
  if (status !== 0) throw new Error(`pnpm pack failed in packages/${name}\n${output}`)
  const packageJson = JSON.parse(readFileSync(join(home, 'package.json'), 'utf8'))
  const file = packageJson.name.replace('@', '').replace('/', '-')
  return join(folder, `${file}-${packageJson.version}.tgz`)
}
