import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { settingNames, variableOf } from '../../src/serve/setting-names.js'
import { webhookTimeoutMs } from '../../src/serve/webhooks.js'
import { root } from '../set-up.js'

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
    expect(text).toMatch(/Two seconds in all|总共两秒/)
  })
})
