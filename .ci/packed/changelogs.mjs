// The change files become CHANGELOGs when a version is made. Here they do so in a copy, so that one that cannot is found
// before.
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { bin, root, run, runNode } from '../process.mjs'

const names = ['server', 'client', 'cli']

/** Makes the next version of the packages in a copy of what says how, and looks at its CHANGELOGs. */
export async function checkChangelogs({ place, report }) {
  const changes = changeFilesIn(root)
  const folder = join(place, 'changelogs')
  await copyTo(folder)
  const { status, output } = await runNode(
    [bin('@changesets/cli', { command: 'changeset' }), 'version'],
    {
      cwd: folder,
    },
  )
  const wrong = status === 0 ? wrongIn(folder, changes) : [output]
  report(`${changes.length} change files make the CHANGELOGs of the next version`, wrong)
}

/** What `changeset version` reads, and a history, in which it looks for the commits. */
async function copyTo(folder) {
  const paths = [
    '.changeset',
    'package.json',
    'pnpm-workspace.yaml',
    ...['packages', 'examples'].flatMap((room) =>
      readdirSync(join(root, room)).flatMap((name) =>
        ['package.json', 'CHANGELOG.md'].map((file) => `${room}/${name}/${file}`),
      ),
    ),
  ]
  for (const path of paths.filter((path) => existsSync(join(root, path)))) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    cpSync(join(root, path), join(folder, path), { recursive: true })
  }
  writeFileSync(join(folder, '.gitignore'), 'node_modules\n')
  const author = ['-c', 'user.name=check', '-c', 'user.email=check@example.com']
  for (const step of [['init'], ['add', '-A'], [...author, 'commit', '-m', 'All that there is']]) {
    const { status, output } = await run('git', step, { cwd: folder })
    if (status !== 0) throw new Error(`git ${step.join(' ')} failed in the copy\n${output}`)
  }
}

function wrongIn(folder, changes) {
  const wrong = changeFilesIn(folder).map(({ file }) => `${file} was not used`)
  if (changes.length === 0) return wrong
  const versions = new Set(names.map((name) => packageJsonIn(folder, name).version))
  if (versions.size !== 1) wrong.push(`the versions differ: ${[...versions].join(', ')}`)
  const [version] = versions
  if (version === packageJsonIn(root, 'server').version)
    wrong.push(`the version is still ${version}`)

  const texts = new Map(
    names.map((name) => [packageJsonIn(root, name).name, entryOf(folder, name, version)]),
  )
  for (const { file, packages, text } of changes) {
    if (text === '') wrong.push(`${file} says nothing`)
    if (packages.length === 0) wrong.push(`${file} names no package`)
    for (const name of packages) {
      const entry = texts.get(name)
      if (entry === undefined) wrong.push(`${file} names ${name}, which is not published`)
      // Its lines are indented there, below the hash of its commit.
      else if (!entry.replace(/^ +/gm, '').includes(text))
        wrong.push(`${file} is not in the CHANGELOG of ${name}`)
    }
  }
  return wrong
}

/** What the CHANGELOG says of a version. */
function entryOf(folder, name, version) {
  const file = join(folder, 'packages', name, 'CHANGELOG.md')
  const text = existsSync(file) ? readFileSync(file, 'utf8') : ''
  return text.split(/^## /m).find((entry) => entry.startsWith(`${version}\n`)) ?? ''
}

function changeFilesIn(folder) {
  return readdirSync(join(folder, '.changeset'))
    .filter((file) => file.endsWith('.md') && file !== 'README.md')
    .map((file) => {
      const [, head = '', text = ''] =
        /^---\n([\s\S]*?)\n---\n([\s\S]*)$/.exec(
          readFileSync(join(folder, '.changeset', file), 'utf8'),
        ) ?? []
      const packages = [...head.matchAll(/^['"]?([^'":]+)['"]?: (?:major|minor|patch)$/gm)].map(
        ([, name]) => name,
      )
      return { file, packages, text: text.trim().replace(/^ +/gm, '') }
    })
}

function packageJsonIn(folder, name) {
  return JSON.parse(readFileSync(join(folder, 'packages', name, 'package.json'), 'utf8'))
}
