// The tarballs of an earlier version, as they were or would have been published, made once and kept in the cache folder.
import { mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { root, run, runNode } from './process.mjs'
import { once } from './tools.mjs'

const marker = '.ci/rolling/frozen.txt'

/** The commit of a revision; by default of the newest tag of a version, or else the one from which versions are kept. */
export async function frozenCommit(revision) {
  const wanted = revision ?? (await newestTag()) ?? (await markedCommit())
  const commit = await git('rev-parse', '--verify', '--quiet', `${wanted}^{commit}`)
  if (commit === '') {
    throw new Error(
      `There is no revision ${wanted} here; get the history: git fetch --unshallow --tags`,
    )
  }
  return commit
}

async function newestTag() {
  const [tag] = (await git('tag', '--list', 'v*', '--sort=-v:refname')).split('\n')
  return tag || undefined
}

async function markedCommit() {
  if ((await git('rev-parse', '--is-shallow-repository')) === 'true') {
    throw new Error(
      'Of a shallow clone nobody knows the first version: git fetch --unshallow --tags',
    )
  }
  const added = await git('log', '--diff-filter=A', '--format=%H', '--', marker)
  return added.split('\n').at(-1) || 'HEAD'
}

/** Resolves with the paths of its tarballs, `{ server, client }`. */
export async function frozenTarballs(commit) {
  const folder = await once(`frozen-${commit.slice(0, 12)}`, [commit], {
    says: `Packing ${commit.slice(0, 12)} (once, about two minutes) …`,
    fill: (target) => packAll(commit, target),
  })
  const find = (name) => {
    const file = readdirSync(folder).find((file) => file.startsWith(`wxlogin-${name}-`))
    if (file) return join(folder, file)
    throw new Error(`${commit} packed no ${name}`)
  }
  return { server: find('server'), client: find('client') }
}

/** In a tree of its own, with the dependencies of its lockfile, by its own scripts. */
async function packAll(commit, target) {
  const tree = join(target, 'tree')
  mkdirSync(tree, { recursive: true })
  const archive = join(target, 'tree.tar')
  const packing = `import { pack } from './.ci/pack.mjs'
    for (const name of ['server', 'client']) await pack(name, ${JSON.stringify(target)})`
  const steps = [
    () => run('git', ['archive', '--output', archive, commit]),
    () => run('tar', ['-xf', archive, '-C', tree]),
    () => runNode(['.ci/setup.mjs'], { cwd: tree }),
    () => runNode(['.ci/build.mjs'], { cwd: tree }),
    () => runNode(['--input-type=module', '--eval', packing], { cwd: tree }),
  ]
  for (const step of steps) {
    const done = await step()
    if (done.status !== 0) return done
  }
  rmSync(archive)
  rmSync(tree, { recursive: true, force: true })
  return { status: 0, output: '' }
}

async function git(...args) {
  const { status, output } = await run('git', args, { cwd: root })
  return status === 0 ? output.trim() : ''
}
