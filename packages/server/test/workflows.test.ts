import { readdirSync, readFileSync } from 'node:fs'
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
  test('is given to the job that publishes the packages, and to the one that publishes the pages', () => {
    expect(mayBeTrusted.map(({ workflow, name }) => `${workflow}: ${name}`).sort()).toEqual([
      'release.yml: publish',
      'site.yml: deploy',
    ])
  })

  test('is never beside code of ours', () => {
    for (const job of mayBeTrusted) expect(actionsOf(job)).not.toContain('actions/checkout')
  })

  test('publishes tarballs that another job has packed, and does nothing else', () => {
    const [publish] = jobs.filter(({ name }) => name === 'publish')
    const [deploy] = jobs.filter(({ name }) => name === 'deploy')
    if (!publish || !deploy) throw new Error('release.yml has no publish, or site.yml no deploy')

    expect(commandsOf(publish)).toEqual([
      'for tarball in release/*.tgz; do npm publish "./$tarball" --provenance --access public --ignore-scripts; done',
    ])
    expect(commandsOf(deploy)).toEqual([])
    expect(publish.text).not.toMatch(/secrets\.|contents:/)
  })

  test('is not where the packages are tested and packed, which may only read', () => {
    const [pack] = jobs.filter(({ name }) => name === 'pack')

    expect(pack?.text).toContain('    permissions:\n      contents: read\n    outputs:')
  })
})

test('pnpm is verified by its hash', () => {
  const lock = JSON.parse(
    readFileSync(new URL('../../../.ci/pnpm/package-lock.json', import.meta.url), 'utf8'),
  )

  expect(lock.packages['node_modules/pnpm'].integrity).toMatch(/^sha512-[\w+/]{86}==$/)
})
