import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'

const folder = new URL('../../../.github/workflows/', import.meta.url)

interface Job {
  readonly workflow: string
  readonly name: string
  readonly text: string
}

const workflows = readdirSync(folder).map((name) => ({
  name,
  text: readFileSync(new URL(name, folder), 'utf8'),
}))

/** A job begins with its name, two spaces from the margin. */
const jobs = workflows.flatMap(({ name: workflow, text }): Job[] =>
  text
    .slice(text.indexOf('\njobs:\n') + 7)
    .split(/^(?= {2}[\w-]+:$)/m)
    .filter((part) => /^ {2}[\w-]+:$/m.test(part))
    .map((part) => ({ workflow, name: /[\w-]+/.exec(part)?.[0] ?? '', text: part })),
)

const commandsOf = ({ text }: Job) =>
  [...text.matchAll(/^ +(?:- )?run: (.*)$/gm)].map(([, command]) => command)
const actionsOf = ({ text }: Job) =>
  [...text.matchAll(/^ +(?:- )?uses: ([^@\s]+)/gm)].map(([, action]) => action)
const mayBeTrusted = jobs.filter(({ text }) => text.includes('id-token: write'))

test('there are workflows, with jobs', () => {
  expect(workflows.length).toBeGreaterThanOrEqual(5)
  expect(jobs.length).toBeGreaterThanOrEqual(workflows.length)
})

test.each(workflows)(
  '$name: every action is pinned by its commit, with its version beside',
  ({ text }) => {
    const used = [...text.matchAll(/uses: (.*)/g)].map(([, action]) => action)
    for (const action of used)
      expect(action).toMatch(/^[\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/)
  },
)

test.each(workflows)('$name: nothing is permitted but what a job asks for', ({ text }) => {
  expect(text).toMatch(/^permissions: \{\}$/m)
})

test.each(workflows)('$name: a checkout leaves no credentials behind', ({ text }) => {
  const checkouts = text.match(/uses: actions\/checkout@/g) ?? []
  expect(text.match(/persist-credentials: false/g) ?? []).toHaveLength(checkouts.length)
})

test.each(jobs)('$workflow, $name: ends by itself', ({ text }) => {
  expect(text).toMatch(/^ {4}timeout-minutes: \d+$/m)
})

describe('an identity that others trust', () => {
  test('is given to the job that publishes the packages, and to no other', () => {
    expect(mayBeTrusted.map(({ workflow, name }) => `${workflow}: ${name}`)).toEqual([
      'release.yml: publish',
    ])
  })

  test('is never beside code of ours', () => {
    for (const job of mayBeTrusted) expect(actionsOf(job)).not.toContain('actions/checkout')
  })

  test('publishes tarballs that another job has packed, and does nothing else', () => {
    const [publish] = jobs.filter(({ name }) => name === 'publish')
    if (!publish) throw new Error('release.yml has no publish')

    expect(commandsOf(publish)).toEqual([
      'for tarball in release/*.tgz; do npm publish "./$tarball" --provenance --access public --ignore-scripts; done',
    ])
    expect(publish.text).not.toMatch(/secrets\.|contents:/)
  })

  test('is not where the packages are tested and packed, which may only read', () => {
    const [pack] = jobs.filter(({ name }) => name === 'pack')

    expect(pack?.text).toContain('    permissions:\n      contents: read\n    outputs:')
  })
})

describe('the site', () => {
  const [deploy] = jobs.filter(({ name }) => name === 'deploy')
  const text = deploy?.text ?? ''

  test('is published by a job that runs no code of ours, and may do nothing but write to this repository', () => {
    expect(text).toContain('    permissions:\n      contents: write\n    steps:')
    expect(deploy && actionsOf(deploy)).toEqual(['actions/download-artifact'])
    expect(text).not.toMatch(/secrets\./)
  })

  test('becomes the branch gh-pages, and the one before is gone', () => {
    const script = /run: \|\n((?: {10}.*\n)+)/.exec(text)?.[1] ?? ''
    const place = mkdtempSync(join(tmpdir(), 'wxlogin-site-'))
    const git = (...args: string[]) => execFileSync('git', args, { cwd: place, encoding: 'utf8' })
    git('init', '--quiet', '--bare', 'wxlogin/wxlogin')
    const publish = (page: string) => {
      rmSync(join(place, 'site'), { recursive: true, force: true })
      mkdirSync(join(place, 'site'))
      writeFileSync(join(place, 'site/index.html'), page)
      execFileSync('bash', ['-euo', 'pipefail', '-c', script], {
        cwd: place,
        env: {
          PATH: process.env.PATH,
          HOME: place,
          GH_TOKEN: 'none',
          GITHUB_SHA: 'f'.repeat(40),
          GITHUB_SERVER_URL: `file://${place}`,
          GITHUB_REPOSITORY: 'wxlogin/wxlogin',
        },
      })
    }

    publish('the first')
    publish('the second')

    const inBranch = ['--git-dir', 'wxlogin/wxlogin']
    expect(git(...inBranch, 'show', 'gh-pages:index.html')).toBe('the second')
    expect(git(...inBranch, 'ls-tree', '--name-only', 'gh-pages')).toBe('.nojekyll\nindex.html\n')
    expect(git(...inBranch, 'rev-list', '--count', 'gh-pages').trim()).toBe('1')
    rmSync(place, { recursive: true })
  })
})

test('pnpm is verified by its hash', () => {
  const lock = JSON.parse(
    readFileSync(new URL('../../../.ci/pnpm/package-lock.json', import.meta.url), 'utf8'),
  )

  expect(lock.packages['node_modules/pnpm'].integrity).toMatch(/^sha512-[\w+/]{86}==$/)
})
