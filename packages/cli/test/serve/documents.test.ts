import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { settingNames, variableOf } from '../../src/serve/setting-names.js'
import { webhookTimeoutMs } from '../../src/serve/webhooks.js'
import { root } from '../set-up.js'

const known = new Set([
  ...settingNames.map(variableOf),
  ...['WXLOGIN_CONFIG', 'WXLOGIN_PUBLIC_KEY'],
])

test.each([
  'docs/serve.md',
  'docs/serve.zh-CN.md',
  'examples/serve/compose.yaml',
  'examples/serve/README.md',
  'examples/serve/README.zh-CN.md',
])('%s names no variable that there is not', (path) => {
  const text = readFileSync(join(root, path), 'utf8')
  const named = [...text.matchAll(/\bWXLOGIN_\w+/g)].map(([name]) => name.replace(/_FILE$/, ''))

  expect(named.length).toBeGreaterThan(0)
  expect(named.filter((name) => !known.has(name))).toEqual([])
})

describe.each(['docs/serve.md', 'docs/serve.zh-CN.md'])('%s', (path) => {
  const text = readFileSync(join(root, path), 'utf8')

  test('has a row for every setting, with its variable', () => {
    const rows = [...text.matchAll(/^\| `([\w.]+)` \| `(\w+)`/gm)].map(([, name, variable]) => ({
      name,
      variable,
    }))

    expect(rows).toEqual(settingNames.map((name) => ({ name, variable: variableOf(name) })))
  })

  test('says how long a webhook may take', () => {
    expect(webhookTimeoutMs).toBe(2_000)
    expect(text).toMatch(/Two seconds for each|每个两秒/)
  })
})

test.each(['examples/serve', 'examples/java', 'examples/python'])(
  '%s keeps what its README makes out of git',
  (path) => {
    const readme = readFileSync(join(root, path, 'README.md'), 'utf8')
    const ignored = readFileSync(join(root, path, '.gitignore'), 'utf8').split('\n')

    expect(readme).toContain('npx wxlogin keygen >> .env')
    expect(ignored).toContain('.env')
  },
)
