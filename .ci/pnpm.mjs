// The one pnpm that this workspace is installed and packed with. Its hash stands in pnpm/package-lock.json.
import { join } from 'node:path'
import { bin, root, runNode } from './process.mjs'
import { lockedTool } from './tools.mjs'

export async function pnpm(args, options) {
  const folder = await lockedTool(join(root, '.ci/pnpm'), { about: 'about 20 MB' })
  return runNode([bin('pnpm', { from: folder }), ...args], options)
}
