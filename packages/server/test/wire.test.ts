import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { appKinds, idempotencyHeader, paths, requestIdHeader, wireErrors } from '@wxlogin/shared'
import ts from 'typescript'
import { describe, expect, test } from 'vitest'
import { authRoutes, requireAuth } from '../src/adapters/fetch.js'
import { createAuth } from '../src/index.js'
import { loginRetrySeconds, prefetchedSeconds, type SessionRecord } from '../src/session.js'
import { judgedWithinMs } from '../src/sessions/end-by-token.js'
import { endingOf, rotate } from '../src/sessions/rotation.js'
import { createFakeWeChat } from '../src/testing/index.js'

// docs/wire.md is held to the code: routes, errors and members to packages/shared, its tables of tokens to rotation.ts,
// and its examples to what a server answers.

const root = fileURLToPath(new URL('../../..', import.meta.url))
const read = (file: string) => readFileSync(`${root}${file}`, 'utf8')

interface Page {
  readonly file: string
  readonly text: string
  /** A word that makes a line normative. */
  readonly normative: RegExp
}

const english: Page = {
  file: 'docs/wire.md',
  text: read('docs/wire.md'),
  normative: /\b(MUST|SHOULD|MAY)\b/g,
}

const chinese: Page = {
  file: 'docs/wire.zh-CN.md',
  text: read('docs/wire.zh-CN.md'),
  normative: /\*\*(必须|不得|应当|不应|可以)\*\*/g,
}

const pages = [english, chinese]

const levelOf: Readonly<Record<string, string>> = {
  MUST: 'MUST',
  SHOULD: 'SHOULD',
  MAY: 'MAY',
  必须: 'MUST',
  不得: 'MUST',
  应当: 'SHOULD',
  不应: 'SHOULD',
  可以: 'MAY',
}

describe.each(pages)('the requirements of $file', (page) => {
  const requirements = requirementsOf(page)

  test('are defined once each, under the anchor of their own name', () => {
    const ids = requirements.map(({ id }) => id)

    expect(ids).toContain('S-REFRESH-1')
    expect(new Set(ids).size).toBe(ids.length)
    expect(page.text.match(/<a id="/g)).toHaveLength(ids.length)
  })

  test('are numbered without a gap in each group', () => {
    const last = new Map<string, number>()
    for (const { id } of requirements) {
      const [, group = '', number] = /^([SC]-[A-Z]+)-(\d+)$/.exec(id) ?? []
      expect(Number(number), id).toBe((last.get(group) ?? 0) + 1)
      last.set(group, Number(number))
    }
  })

  test('have one level each', () => {
    expect(requirements.filter(({ levels }) => levels.length !== 1)).toEqual([])
  })

  test('are all that is normative', () => {
    const others = page.text
      .split('\n')
      .filter((line) => levelsIn(line, page).length > 0 && !/^(- <a id|\| \[[SC]-)/.test(line))

    // But for the sentence that says what the words mean.
    expect(others.filter((line) => !line.includes('BCP 14'))).toEqual([])
  })

  test('stand in the list at the end, in their order and with their levels', () => {
    expect(listOf(page)).toEqual(requirements.map(({ id, levels }) => `${id} ${levels}`))
  })
})

test('both languages have the same requirements, in the same order and with the same levels', () => {
  expect(listOf(chinese)).toEqual(listOf(english))
})

test('both languages name the same things and say the same numbers, line by line', () => {
  expect(factsIn(chinese)).toEqual(factsIn(english))
})

describe.each(pages)('$file names exactly what the code has', (page) => {
  const rows = tablesOf(page).flat()

  test('routes', () => {
    const stated = routesOf(page).map(({ path }) => path)

    expect(new Set(stated)).toEqual(new Set(Object.values(paths)))
  })

  test('headers', () => {
    const names = rows.map(([first]) => first)

    expect(names).toContain(`\`${idempotencyHeader}\``)
    expect(names).toContain(`\`${requestIdHeader}\``)
  })

  test('error codes, with their statuses', () => {
    const stated = rows.flatMap(([code = '', status = '', ...others]) =>
      others.length === 3 && /^\d{3}/.test(status)
        ? [[nameIn(code), Number(status.slice(0, 3))]]
        : [],
    )

    expect(stated).toHaveLength(Object.keys(wireErrors).length)
    expect(Object.fromEntries(stated)).toEqual(wireErrors)
  })

  test('further statuses of invalid_request', () => {
    const [, stated = ''] = rows.find(([code]) => code === '`invalid_request`') ?? []
    const responses = read('packages/server/src/http/responses.ts')
    const [, declared = ''] = /httpStatus: ([\d |]+),/.exec(responses) ?? []

    expect(stated.match(/\d{3}/g)).toEqual(declared.match(/\d{3}/g))
  })

  test('reasons of invalid_grant', () => {
    const stated = rows.flatMap(([reason = '', beside]) =>
      /^`\w+`$/.test(reason) && beside === '`invalid_grant`' ? [nameIn(reason)] : [],
    )

    expect(stated.sort()).toEqual(wordsOf('InvalidGrantReason').sort())
  })

  test.each([
    ['a code may come again, with its key', loginRetrySeconds],
    ['a request is judged as REUSE', judgedWithinMs / 1000],
    ['a session of a pre-fetch, unless it is refreshed', prefetchedSeconds],
  ])('the time: %s', (what, seconds) => {
    // Both languages have the same rows.
    const index = tablesOf(english)
      .flat()
      .findIndex(([first]) => first === what)

    expect(rows[index]?.[1]?.match(/\d+/g)).toEqual([String(seconds)])
  })

  test('kinds of apps', () => {
    const [, kinds = ''] = rows.find(([name]) => name === '`kind`') ?? []

    expect([...kinds.matchAll(/`(\w+)`/g)].map(([, kind]) => kind)).toEqual(appKinds)
  })

  test.each([
    'LoginBody',
    'RefreshBody',
    'LogoutBody',
    'TokenAnswer',
    'PhoneBody',
    'PhoneAnswer',
    'DeviceBody',
    'DeviceAnswer',
    'DeviceRequestAnswer',
    'DeviceDecisionBody',
    'DeviceTokenBody',
    'ErrorBody',
  ])('the members of %s, and which may be absent', (name) => {
    const stated = tablesOf(page).map((table) =>
      table.slice(2).map(([member = '', , mayBeAbsent = '']) => ({
        name: nameIn(member),
        isOptional: /^(yes|能)/.test(mayBeAbsent),
      })),
    )

    expect(stated).toContainEqual(membersOf(name))
  })
})

// What the tables say of tokens, run.

const daySeconds = 24 * 60 * 60
const nowSeconds = 1_800_000_000
const idleTtlSeconds = 30 * daySeconds
const g = 5
const theKey = 'hash of the key that made g'
const anotherKey = 'hash of another key'

const live: SessionRecord = {
  v: 1,
  id: 'session',
  version: 9,
  method: 'code',
  userId: 'user',
  appId: 'wx0000000000000001',
  openid: 'openid',
  sealedKey: 'kid.sealed',
  generation: g,
  idempotencyKeyHash: theKey,
  createdAt: nowSeconds - 60 * daySeconds,
  authenticatedAt: nowSeconds - 60 * daySeconds,
  lastRefreshAt: nowSeconds,
  endsAt: nowSeconds + 120 * daySeconds,
  expiresAt: nowSeconds + daySeconds,
}

const tombstone = (revokedReason: string): SessionRecord => ({
  ...live,
  revokedAt: nowSeconds - 1,
  revokedReason,
})

type Choices<T> = Readonly<Record<string, readonly T[]>>

/** The words of the tables, and what each of them may be. */
const sessions: Choices<SessionRecord | undefined> = {
  none: [undefined, { ...live, createdAt: live.createdAt + 1 }],
  ended: [tombstone('unknown')],
  reused: [tombstone('reused')],
  revoked: [tombstone('revoked'), tombstone('banned'), tombstone('access_denied')],
  over: [
    { ...live, expiresAt: nowSeconds },
    { ...live, expiresAt: nowSeconds - 1, endsAt: nowSeconds - 1 },
  ],
  live: [live],
}
const generations: Choices<number> = {
  'p = g': [g],
  'p > g': [g + 1, g + 7],
  'p = g − 1': [g - 1],
  'p < g − 1': [g - 2, 0],
}
const keysOfRefresh: Choices<string> = { same: [theKey], other: [anotherKey] }
const keysOfEnding: Choices<string | undefined> = { ...keysOfRefresh, none: [undefined] }
const ages: Choices<number> = {
  '≤ 7 d': [0, 1, 7 * daySeconds],
  '> 7 d': [7 * daySeconds + 1, 40 * daySeconds],
}

describe.each(pages)('the rotation table of $file', (page) => {
  const table = machineTableOf(page, 7)
  const presented = combine(sessions, generations, keysOfRefresh, ages)

  test('says of everything that may be presented what rotate() says', () => {
    expect(presented).toHaveLength(10 * 6 * 2 * 5)
    for (const { words, session, generation, key, ageSeconds } of presented) {
      const record = session && { ...session, lastRefreshAt: nowSeconds - ageSeconds }
      const token = { generation, createdAt: live.createdAt, idempotencyKeyHash: key }

      const verdict = rotate(record, token, nowSeconds, { idleTtlSeconds })

      const stated = rowFor(table, words)?.slice(4)
      const then = writtenBy(verdict.record, record, token)
      expect([...words, ...(stated ?? [])]).toEqual([...words, ...inWords(verdict), then])
    }
  })

  test('has no row that nothing leads to', () => {
    const used = new Set(presented.map(({ words }) => rowFor(table, words)))

    expect(table.filter((row) => !used.has(row))).toEqual([])
  })
})

describe.each(pages)('the table of endings of $file', (page) => {
  const table = machineTableOf(page, 5)
  const presented = combine(sessions, generations, keysOfEnding, ages)

  test('says of everything that may be presented what endingOf() says', () => {
    for (const { words, session, generation, key, ageSeconds } of presented) {
      const record = session && { ...session, lastRefreshAt: nowSeconds - ageSeconds }
      const token = { generation, createdAt: live.createdAt, idempotencyKeyHash: key }

      const ending = endingOf(record, token, nowSeconds)

      const kinds = { none: 'NOTHING', ended: 'END', reused: 'REUSE' } as const
      const writes = { none: 'nothing', ended: 'end', reused: 'revoke' } as const
      const speaks = ending.kind === 'ended' && ending.isNewest ? 'yes' : 'no'
      const stated = rowFor(table, words.slice(0, 3))?.slice(3)
      expect([...words, ...(stated ?? [])]).toEqual([...words, kinds[ending.kind], speaks])
      expect(writtenBy(ending.record, record, token)).toBe(writes[ending.kind])
    }
  })

  test('has no row that nothing leads to', () => {
    const used = new Set(presented.map(({ words }) => rowFor(table, words.slice(0, 3))))

    expect(table.filter((row) => !used.has(row))).toEqual([])
  })
})

// A key for examples, which everybody may know.
const exampleKey = {
  kty: 'EC',
  crv: 'P-256',
  x: 'MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4',
  y: '4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM',
  d: '870MB6gfuTJ4HtUnUvYMyJpr5eUZNP4Bk43bVdj3eAE',
}

describe('the examples', () => {
  test('are what a server answers', async () => {
    const { answerTo } = openServer()
    const known = new Map<string, string>()
    const examples = examplesOf(english)
    expect(examples.length).toBeGreaterThan(10)

    for (const { request, answer } of examples) {
      const live = await answerTo(request, known)

      expect(withKnown(answer, live, known), `${request.method} ${request.target}`).toEqual(live)
    }
  })

  test('and the routes take the methods that the table says', async () => {
    const { auth, prefetchPath } = openServer()

    for (const { method, path } of routesOf(english)) {
      const below = path === paths.prefetch ? `/${prefetchPath}${path}` : path
      const { headers, status } = await auth.handle({
        method: 'PATCH',
        path: below,
        header: () => undefined,
        body: undefined,
      })

      expect(status).toBe(405)
      expect(headers.allow?.split(', '), path).toContain(method)
    }
  })
})

function openServer() {
  let nowMs = nowSeconds * 1000
  const now = () => nowMs
  const wechat = createFakeWeChat({ now })
  const prefetchPath = 'a-path-that-nobody-can-guess'
  const auth = createAuth({
    apps: [wechat.app],
    secret: 'the examples of wire.md, 32 bytes or more',
    signingKeys: [exampleKey],
    fetch: wechat.fetch,
    now,
    onLogin: () => ({ userId: 'u_1024', data: { isNew: true } }),
    onPhoneNumber: () => ({ userId: 'u_2048' }),
    onPrefetch: () => undefined,
    prefetchPath,
    deviceGrant: { placeOf: () => '广东深圳' },
    onEvent: () => undefined,
  })
  const routes = authRoutes(auth, { basePath: '/wx' })
  const orders = requireAuth(auth)(() => Response.json([]))

  /** What an example leaves out and nothing before it has given. */
  async function make(name: string, { target }: ExampleRequest): Promise<string> {
    if (name === 'code') {
      const numberOf = { phoneNumber: '13800138000' }
      return target === '/wx/phone'
        ? wechat.phoneCodeFor('alice', numberOf)
        : wechat.codeFor('alice')
    }
    const tokens = await auth.login({ code: wechat.codeFor('alice') })
    // The one that the resource refuses has expired.
    if (target === '/orders') nowMs += 1_000_000
    return name === 'refresh_token' ? tokens.refresh_token : tokens.access_token
  }

  async function answerTo(
    request: ExampleRequest,
    known: Map<string, string>,
  ): Promise<ExampleAnswer> {
    async function filled(text: string, name: string): Promise<string> {
      for (const shown of text.match(shortened) ?? []) {
        if (!known.has(shown)) known.set(shown, await make(name, request))
      }
      return text.replace(shortened, (shown) => known.get(shown) ?? shown)
    }

    const headers = new Headers()
    for (const [name, value] of request.headers) headers.set(name, await filled(value, name))
    const body: Record<string, unknown> = {}
    for (const [name, value] of Object.entries(request.body ?? {})) {
      body[name] = typeof value === 'string' ? await filled(value, name) : value
    }
    const target = await filled(request.target, 'scene')
    // As a poll of a device has to wait.
    nowMs += 30_000
    const sent = new Request(`https://api.example.com${target}`, {
      method: request.method,
      headers,
      ...(request.body && { body: JSON.stringify(body) }),
    })
    const answer = await (target === '/orders' ? orders(sent) : routes(sent))
    const text = await answer.text()
    return {
      status: answer.status,
      headers: [...answer.headers].filter(([name]) => !unshown.has(name)).sort(),
      body: text === '' ? undefined : JSON.parse(text),
    }
  }

  return { auth, prefetchPath, answerTo }
}

/** Headers that matter to nobody there. */
const unshown: ReadonlySet<string> = new Set(['content-length', 'pragma', 'x-content-type-options'])

/** A text of which an example has its end, and its beginning where that is always the same. */
const shortened = /[\w.-]*…[\w-]+/g

interface ExampleRequest {
  readonly method: string
  readonly target: string
  readonly headers: readonly (readonly [name: string, value: string])[]
  readonly body: Readonly<Record<string, unknown>> | undefined
}

interface ExampleAnswer {
  readonly status: number
  readonly headers: readonly (readonly [name: string, value: string])[]
  readonly body: unknown
}

function examplesOf({ text }: Page): { request: ExampleRequest; answer: ExampleAnswer }[] {
  return [...text.matchAll(/^```http\n([\s\S]*?)^HTTP\/1\.1 (\d+) .*\n([\s\S]*?)^```$/gm)].map(
    ([, request = '', status, answer = '']) => {
      const [, method = '', target = ''] = /^(\w+) (\S+) HTTP\/1\.1$/m.exec(request) ?? []
      const asked = messageIn(request)
      const body = asked.body as ExampleRequest['body']
      return {
        request: { method, target, ...asked, body },
        answer: { status: Number(status), ...messageIn(answer) },
      }
    },
  )
}

function messageIn(text: string): Omit<ExampleAnswer, 'status'> {
  const [head = '', body = ''] = text.split(/\n\n/)
  const headers = [...head.matchAll(/^([\w-]+): (.*)$/gm)].map(
    ([, name = '', value = '']) => [name.toLowerCase(), value] as const,
  )
  return {
    headers: headers.sort(),
    body: body.trim() === '' ? undefined : JSON.parse(body),
  }
}

/** The answer of an example with the real texts in place of those that it shortens, as far as these fit. */
function withKnown<T>(stated: T, live: unknown, known: Map<string, string>): T
function withKnown(stated: unknown, live: unknown, known: Map<string, string>): unknown {
  if (typeof stated === 'string' && stated.includes('…')) {
    const [start = ''] = stated.split('…')
    if (!known.has(stated) && typeof live === 'string' && live.startsWith(start)) {
      known.set(stated, live)
    }
    return known.get(stated) ?? stated
  }
  if (typeof stated !== 'object' || stated === null) return stated
  const beside: Readonly<Record<string, unknown>> = Object(live)
  const whole = Object.entries(stated).map(([name, value]) => [
    name,
    withKnown(value, beside[name], known),
  ])
  return Array.isArray(stated) ? whole.map(([, value]) => value) : Object.fromEntries(whole)
}

function requirementsOf(page: Page) {
  return [...page.text.matchAll(/^- <a id="([\w-]+)"><\/a>\*\*\1\*\* (.+)$/gm)].map(
    ([, id = '', text = '']) => ({ id, levels: levelsIn(text, page) }),
  )
}

/** Of each requirement and each row of a table what needs no translation: code, and numbers beside it. */
function factsIn({ text }: Page): readonly string[] {
  const lines = text.replace(/^```[\s\S]*?^```$/gm, '').match(/^(- <a id|\| ).*$/gm) ?? []
  return lines.map((line) => {
    const shown = line.replace(/\]\([^)]*\)|<\/?a[^>]*>/g, ' ')
    const code = shown.match(/`[^`]+`/g) ?? []
    const numbers = shown.replace(/`[^`]+`/g, '').match(/\d[\d,./]*\d|\d/g) ?? []
    return [...code.sort(), ...numbers.sort()].join(' ')
  })
}

function levelsIn(line: string, { normative }: Page): readonly string[] {
  const words = [...line.matchAll(normative)].map(([, word = '']) => levelOf[word] ?? word)
  return [...new Set(words)]
}

/** What the list at the end says, an identifier and a level each. */
function listOf({ text }: Page): readonly string[] {
  return [...text.matchAll(/^\| \[([\w-]+)\]\(#\1\) \| (\w+) \| .+ \|$/gm)].map(
    ([, id, level]) => `${id} ${level}`,
  )
}

type Table = readonly (readonly string[])[]

function tablesOf({ text }: Page): readonly Table[] {
  const prose = text.replace(/^```[\s\S]*?^```$/gm, '')
  return (prose.match(/(?:^\|.*\n)+/gm) ?? []).map((table) =>
    table
      .trim()
      .split('\n')
      .map((row) => row.slice(2, -2).split(' | ')),
  )
}

/** The table of so many columns whose cells are code: words that mean the same in every language. */
function machineTableOf(page: Page, columns: number): Table {
  const table = tablesOf(page).find(
    ([head = [], , ...rows]) =>
      head.length === columns && rows.flat().every((cell) => /^(`[^`]+` ?)+$/.test(cell)),
  )
  if (!table) throw new Error(`${page.file} has no table of ${columns} columns in code`)
  return table.slice(2).map((row) => row.map((cell) => cell.replaceAll('`', '')))
}

function rowFor(table: Table, words: readonly string[]): readonly string[] | undefined {
  return table.find((row) =>
    words.every((word, column) => row[column] === 'any' || row[column] === word),
  )
}

function combine<Key>(
  sessions: Choices<SessionRecord | undefined>,
  generations: Choices<number>,
  keys: Choices<Key>,
  ages: Choices<number>,
) {
  const each = <T>(choices: Choices<T>) =>
    Object.entries(choices).flatMap(([word, values]) => values.map((value) => ({ word, value })))
  return each(sessions).flatMap((session) =>
    each(generations).flatMap((generation) =>
      each(keys).flatMap((key) =>
        each(ages).map((age) => ({
          words: [session, generation, key, age].map(({ word }) => word),
          session: session.value,
          generation: generation.value,
          key: key.value,
          ageSeconds: age.value,
        })),
      ),
    ),
  )
}

/** A verdict and its answer, in the words of the table. */
function inWords(verdict: ReturnType<typeof rotate>): readonly [verdict: string, answer: string] {
  switch (verdict.kind) {
    case 'rotated':
      return ['ROTATE', '200 p + 1']
    case 'healed':
      return ['HEAL', '200 p + 1']
    case 'retried':
      return ['RETRY', '200 g']
    case 'reused':
      return ['REUSE', 'invalid_grant reused']
    case 'refused':
      return verdict.reason === 'retry_expired'
        ? ['LATE', 'invalid_grant expired']
        : [verdict.reason.toUpperCase(), `invalid_grant ${verdict.reason}`]
  }
}

/** What is written, in the words of the table. */
function writtenBy(
  after: SessionRecord | undefined,
  before: SessionRecord | undefined,
  { generation, idempotencyKeyHash }: { generation: number; idempotencyKeyHash: unknown },
): string {
  if (!after || !before) return 'nothing'
  expect(after.version).toBe(before.version + 1)
  expect(after.endsAt).toBe(before.endsAt)
  if (after.revokedAt === undefined) {
    expect(after.idempotencyKeyHash).toBe(idempotencyKeyHash)
    expect(after.lastRefreshAt).toBe(nowSeconds)
    expect(after.expiresAt).toBe(Math.min(nowSeconds + idleTtlSeconds, before.endsAt))
    return after.generation === generation + 1 ? 'g := p + 1' : `g := ${after.generation}`
  }
  expect(after).not.toHaveProperty('openid')
  expect(after).not.toHaveProperty('sealedKey')
  if (after.revokedReason === 'reused') return 'revoke'
  // Nobody has to learn of it, so the store may forget it at once.
  return after.revokedReason === 'unknown' && after.expiresAt === nowSeconds ? 'end' : 'tombstone'
}

/** The code in a cell. */
const nameIn = (cell: string) => /`(\w+)`/.exec(cell)?.[1] ?? cell

function routesOf(page: Page) {
  return tablesOf(page)
    .flat()
    .flatMap(([first = '']) => {
      const [, method, path] = /^\[`([A-Z]+) (\/[\w./]+)`\]/.exec(first) ?? []
      return method && path ? [{ method, path }] : []
    })
}

const wire = ts.createSourceFile(
  'wire.ts',
  read('packages/shared/src/index.ts'),
  ts.ScriptTarget.ESNext,
)

/** The members of an interface of the wire. */
function membersOf(name: string): { name: string; isOptional: boolean }[] {
  for (const statement of wire.statements) {
    if (!ts.isInterfaceDeclaration(statement) || statement.name.text !== name) continue
    return statement.members.flatMap((member) =>
      ts.isPropertySignature(member) && ts.isIdentifier(member.name)
        ? [{ name: member.name.text, isOptional: member.questionToken !== undefined }]
        : [],
    )
  }
  throw new Error(`The wire has no ${name}`)
}

/** The texts of a union of the wire. */
function wordsOf(name: string): string[] {
  for (const statement of wire.statements) {
    if (!ts.isTypeAliasDeclaration(statement) || statement.name.text !== name) continue
    return [...statement.getText(wire).matchAll(/'(\w+)'/g)].map(([, word = '']) => word)
  }
  throw new Error(`The wire has no ${name}`)
}
