// What runs JavaScript, from npm: newer Nodes than this one, the oldest that is supported, Bun and Deno.
import { join } from 'node:path'
import { tool } from './tools.mjs'

/** The floor, and the newest of each line that is in use. */
export const nodeVersions = ['20.18.1', '22.23.3', '24.21.0', '26.10.0']

/** What some clouds still have. */
export const tooOldNode = '18.20.8'

const { platform, arch } = process

/** The path of this Node. */
export async function nodeOf(version) {
  const system = platform === 'win32' ? 'win' : platform
  // The plain name was taken.
  const prefix = platform === 'darwin' && arch === 'arm64' ? 'node-bin' : 'node'
  const name = `${prefix}-${system}-${arch}`
  const folder = await tool(`node-${version}`, [`${name}@${version}`], { about: 'about 200 MB' })
  return join(folder, 'node_modules', name, 'bin', platform === 'win32' ? 'node.exe' : 'node')
}

/** The path of Bun. */
export async function bun() {
  const system = platform === 'win32' ? 'windows' : platform
  const name = `@oven/bun-${system}-${arch === 'arm64' ? 'aarch64' : arch}`
  const folder = await tool('bun', [`${name}@1.4.5`], { about: 'about 100 MB' })
  return join(folder, 'node_modules', name, 'bin', platform === 'win32' ? 'bun.exe' : 'bun')
}

/** The path of Deno. */
export async function deno() {
  const name = `@deno/${platform}-${arch}${platform === 'linux' ? '-glibc' : ''}`
  const folder = await tool('deno', [`${name}@2.9.6`], { about: 'about 95 MB' })
  return join(folder, 'node_modules', name, platform === 'win32' ? 'deno.exe' : 'deno')
}

/** The path of workerd, the runtime of Cloudflare Workers. */
export async function workerd() {
  const system = platform === 'win32' ? 'windows' : platform
  const name = `@cloudflare/workerd-${system}-${arch === 'arm64' ? 'arm64' : '64'}`
  const folder = await tool('workerd', [`${name}@1.20261117.1`], { about: 'about 130 MB' })
  return join(folder, 'node_modules', name, 'bin', platform === 'win32' ? 'workerd.exe' : 'workerd')
}

/** The folder of miniflare, which emulates what Cloudflare puts beside Workers. It needs Node 22. */
export function miniflare() {
  return tool('miniflare', ['miniflare@4.20260426.0'], { about: 'about 250 MB' })
}
