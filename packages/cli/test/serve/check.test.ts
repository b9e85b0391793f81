import { expect, test } from 'vitest'
import { storeProblem } from '../../src/serve/check.js'

const database = {
  kind: 'postgresql',
  url: 'postgres://login:hunter2@db:5432/login',
  table: undefined,
} as const
const redis = { kind: 'redis', url: 'redis://:hunter2@redis/99', keyPrefix: undefined } as const

test('a database without the table is not said to be down', () => {
  const problem = storeProblem({ ok: false, warnings: ['sql_not_migrated'] }, database)

  expect(problem?.text.en).toBe(
    'sql_not_migrated: the table, or a column of it, is missing; run wxlogin serve --migrate',
  )
})

test('one that is down is named without its password', () => {
  const problem = storeProblem({ ok: false, warnings: [] }, database, '28P01')

  expect(problem?.text.en).toContain('The store at db:5432 does not answer, or refuses (28P01)')
  expect(JSON.stringify(problem)).not.toContain('hunter2')
})

test('one that answers and has refused something is none either: Redis has no database 99', () => {
  const problem = storeProblem({ ok: true, warnings: [] }, redis, 'ERR')

  expect(problem?.text.en).toContain('The store at redis does not answer, or refuses (ERR)')
  expect(storeProblem({ ok: true, warnings: ['redis_no_persistence'] }, redis)).toBeUndefined()
})
