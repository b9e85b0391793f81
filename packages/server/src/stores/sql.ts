import { setTimeout as delay } from 'node:timers/promises'
import { checkNames, type OptionNames } from '../option-checks.js'
import type { SessionRecord, SessionStore, StoreWarning } from '../session.js'

/** What {@link createSqlStore} needs of a Kysely instance (0.28 or newer). */
export interface SqlDatabase {
  executeQuery(query: SqlQuery): Promise<SqlResult>
  withoutPlugins(): SqlDatabase
  transaction(): { execute<T>(run: (transaction: SqlDatabase) => Promise<T>): Promise<T> }
  /** If it is missing, the wait for a connection cannot be told from a slow answer. */
  connection?(): { execute<T>(run: (connection: SqlDatabase) => Promise<T>): Promise<T> }
  /** A transaction already has its connection. */
  readonly isTransaction?: boolean
}

/** One statement, in the shape of Kysely's `CompiledQuery`. */
export interface SqlQuery {
  readonly sql: string
  readonly parameters: readonly unknown[]
  readonly query: {
    readonly kind: 'RawNode'
    readonly sqlFragments: readonly string[]
    readonly parameters: readonly never[]
  }
  readonly queryId: { readonly queryId: string }
}

export interface SqlResult {
  readonly rows: readonly unknown[]
  readonly numAffectedRows?: bigint | undefined
}

/** `mysql` is MySQL 8 and MariaDB 10.6 or newer. */
export type SqlDialect = 'postgresql' | 'mysql' | 'sqlite'

export interface SqlStoreOptions {
  dialect: SqlDialect
  /** Letters, digits and `_`, at most 48, after a schema and a dot if there is one (default `wxlogin_sessions`). */
  table?: string
  /** The clock, in milliseconds (default `Date.now`). */
  now?: () => number
}

const names: OptionNames<SqlStoreOptions> = { dialect: true, table: true, now: true }

export interface SqlStore extends SessionStore {
  count(userId: string): Promise<number>
  put(id: string, value: string, expiresAt: number): Promise<boolean>
  peek(id: string): Promise<string | undefined>
  take(id: string): Promise<string | undefined>
  check(): Promise<readonly StoreWarning[]>
  /** Creates the table and its indexes if they are missing. Any number of instances may call it at once. */
  migrate(): Promise<void>
  /** The statements that `migrate()` runs, for those who run their own migrations. */
  readonly schema: readonly string[]
  /**
   * Deletes what has expired before today (UTC), records and texts of `put`, at most `limit` (default 1,000), and returns
   * how many. What has expired is invisible but takes space: call it now and then, and again while it returns `limit`.
   */
  sweep(limit?: number): Promise<number>
}

const columns = [
  'id',
  'user_id',
  'version',
  'created_at',
  'expires_at',
  'day',
  'record',
  'writes',
] as const

const maxRetries = 3

/**
 * Keeps sessions in PostgreSQL, MySQL 8, MariaDB or SQLite, through a Kysely instance over the driver that you use.
 * Call `migrate()` once before the first login.
 *
 * @example
 * const kysely = new Kysely({ dialect: new PostgresDialect({ pool }) })
 * const store = createSqlStore(kysely, { dialect: 'postgresql' })
 * await store.migrate()
 */
export function createSqlStore(kysely: SqlDatabase, options: SqlStoreOptions): SqlStore {
  checkNames('createSqlStore', options, names)
  const { dialect, table = 'wxlogin_sessions', now = Date.now } = options
  if (typeof kysely?.executeQuery !== 'function' || typeof kysely.withoutPlugins !== 'function') {
    throw new TypeError('kysely must be a Kysely instance: new Kysely({ dialect })')
  }
  if (!isDialect(dialect)) {
    throw new TypeError(`dialect must be one of ${Object.keys(schemas).join(', ')}`)
  }
  if (!/^([A-Za-z_]\w{0,62}\.)?[A-Za-z_]\w{0,47}$/.test(table)) {
    throw new TypeError(
      'table must be letters, digits and "_", at most 48, after a schema and a dot if there is one',
    )
  }

  // A plugin that renames columns, as many apps have, would not know these.
  const database = kysely.withoutPlugins()
  const quote = (name: string) => (dialect === 'mysql' ? `\`${name}\`` : `"${name}"`)
  const [bareName = '', schemaName] = table.split('.').reverse()
  const inSchema = (name: string) =>
    schemaName === undefined ? quote(name) : `${quote(schemaName)}.${quote(name)}`
  const name = inSchema(bareName)
  const schema = schemas[dialect]({
    name,
    index: (suffix) => quote(`${bareName}_${suffix}`),
    // In SQLite the index of a table in a schema is named with the schema, and the table without it.
    indexInSchema: (suffix) => inSchema(`${bareName}_${suffix}`),
    bareName: quote(bareName),
  })
  const seconds = () => Math.floor(now() / 1000)

  async function send(text: string, ...parameters: unknown[]): Promise<SqlResult> {
    for (let attempt = 0; ; attempt++) {
      try {
        return await database.executeQuery(toQuery(text, parameters, dialect))
      } catch (error) {
        if (attempt === maxRetries || !retryCodes.has(codeOf(error))) throw error
        await delay(2 ** attempt * (5 + Math.random() * 10))
      }
    }
  }

  /** The same, and says what to do about a table that is not there. */
  async function run(text: string, ...parameters: unknown[]): Promise<SqlResult> {
    try {
      return await send(text, ...parameters)
    } catch (cause) {
      const code = codeOf(cause)
      if (!missingCodes.has(code)) throw cause
      const { message } = Object(cause)
      const hint = `${message}; if ${table} is missing, call await store.migrate() before the first login`
      throw Object.assign(new Error(hint, { cause }), { code })
    }
  }

  /** How many rows a write has matched. */
  async function write(text: string, ...parameters: unknown[]): Promise<number> {
    const { numAffectedRows } = await run(text, ...parameters)
    if (numAffectedRows === undefined) {
      throw new TypeError('The Kysely dialect does not report how many rows a statement changed')
    }
    return Number(numAffectedRows)
  }

  // Drivers of MySQL put values into the statement, with backslashes before quotes, which some servers take literally.
  // Nothing in Base64 has to be escaped.
  const isMysql = dialect === 'mysql'
  const slot = isMysql ? '(convert(from_base64(?) using ascii) collate ascii_bin)' : '?'
  const inSlot = (text: string) => (isMysql ? Buffer.from(text).toString('base64') : text)

  const toRow = (record: SessionRecord): Row => ({
    id: record.id,
    user: toUserText(record.userId),
    version: record.version,
    createdAt: record.createdAt,
    expiresAt: record.expiresAt,
    text: toText(record),
  })

  const valuesOf = ({ user, version, createdAt, expiresAt, text }: Row) => [
    inSlot(user),
    version,
    createdAt,
    expiresAt,
    dayAfter(expiresAt),
    inSlot(text),
  ]

  // `writes` makes every update change its row: a server that counts changed rows then counts what matched.
  const assign = (day: string) =>
    `user_id = ${slot}, version = ?, created_at = ?, expires_at = ?, day = ${day}, record = ${slot}, writes = ${name}.writes + 1`
  const anew = assign('?')
  // A refresh puts the end off and leaves the day as it is: it then writes no column that has an index, which PostgreSQL
  // does within the page (HOT).
  const replaced = assign(`${dialect === 'sqlite' ? 'min' : 'least'}(${name}.day, ?)`)

  const insert = `insert into ${name} (id, user_id, version, created_at, expires_at, day, record, writes)
values (${slot}, ${slot}, ?, ?, ?, ?, ${slot}, 1)`

  /** Overwrites nothing but a row past its end, as if it were gone. */
  async function create(row: Row): Promise<boolean> {
    if (!isMysql) {
      const values = valuesOf(row)
      const upsert = `${insert} on conflict (id) do update set ${anew} where ${name}.expires_at <= ?`
      return (await write(upsert, row.id, ...values, ...values, seconds())) === 1
    }
    // Twice, for an expired row may be swept between the two statements.
    return (await insertOrRevive(row)) ?? (await insertOrRevive(row)) ?? false
  }

  /** For MySQL. `undefined` when the id was there a moment ago, and no expired row is any more. */
  async function insertOrRevive(row: Row): Promise<true | undefined> {
    const values = valuesOf(row)
    try {
      await write(insert, inSlot(row.id), ...values)
      return true
    } catch (error) {
      if (codeOf(error) !== 'ER_DUP_ENTRY') throw error
      const revive = `update ${name} set ${anew} where id = ${slot} and expires_at <= ?`
      const matched = await write(revive, ...values, inSlot(row.id), seconds())
      return matched === 1 ? true : undefined
    }
  }

  /** The text of a row, as `toText` wrote it. */
  async function read(id: string): Promise<string | undefined> {
    const { rows } = await run(
      `select record from ${name} where id = ${slot} and expires_at > ?`,
      inSlot(id),
      seconds(),
    )
    return rows.length === 0 ? undefined : String(memberOf(rows[0], 'record'))
  }

  /** Writes at most so many rows, those of the earliest day first, and none that others are writing now. */
  function writeSome(
    statement: string,
    condition: string,
    parameters: readonly number[],
    limit: number,
  ): Promise<number> {
    if (isMysql) {
      return write(`${statement} where ${condition} order by day limit ?`, ...parameters, limit)
    }
    const lock = dialect === 'postgresql' ? ' for update skip locked' : ''
    const some = `select id from ${name} where ${condition} order by day limit ?${lock}`
    return write(
      `${statement} where id in (${some}) and ${condition}`,
      ...parameters,
      limit,
      ...parameters,
    )
  }

  async function isMigrated(): Promise<boolean> {
    try {
      await send(`select ${columns.join(', ')} from ${name} where 1 = 0`)
      return true
    } catch (error) {
      if (missingCodes.has(codeOf(error))) return false
      throw error
    }
  }

  const store: SqlStore = {
    async create(record) {
      if (!canBeId(record.id)) {
        throw new TypeError(
          'A session id must be 1 to 64 printable ASCII characters without spaces',
        )
      }
      return create(toRow(record))
    },

    async get(id) {
      const text = canBeId(id) ? await read(id) : undefined
      return text === undefined ? undefined : fromText(text)
    },

    async replace(record, expectedVersion) {
      if (!canBeId(record.id)) return false
      const matched = await write(
        `update ${name} set ${replaced} where id = ${slot} and version = ? and expires_at > ?`,
        ...valuesOf(toRow(record)),
        inSlot(record.id),
        expectedVersion,
        seconds(),
      )
      return matched === 1
    },

    async delete(id) {
      if (canBeId(id)) await run(`delete from ${name} where id = ${slot}`, inSlot(id))
    },

    async list(userId) {
      const { rows } = await run(
        `select record from ${name} where user_id = ${slot} and expires_at > ? order by created_at desc`,
        inSlot(toUserText(userId)),
        seconds(),
      )
      return rows.map(fromRow)
    },

    async count(userId) {
      const { rows } = await run(
        `select count(*) as size from ${name} where user_id = ${slot} and expires_at > ?`,
        inSlot(toUserText(userId)),
        seconds(),
      )
      return Number(memberOf(rows[0], 'size'))
    },

    async put(id, value, expiresAt) {
      return create({
        ...{ id: `${valuePrefix}${id}`, user: nobody, version: 0, createdAt: seconds(), expiresAt },
        text: toText(value),
      })
    },

    async peek(id) {
      const text = await read(`${valuePrefix}${id}`)
      return text === undefined ? undefined : String(JSON.parse(text))
    },

    async take(id) {
      const key = `${valuePrefix}${id}`
      const text = await read(key)
      if (text === undefined) return undefined
      // Of those who have read it, one deletes it. Its text is compared, for the id may have been put again since.
      const matched = await write(
        `delete from ${name} where id = ${slot} and record = ${slot}`,
        inSlot(key),
        inSlot(text),
      )
      return matched === 1 ? String(JSON.parse(text)) : undefined
    },

    async check() {
      const isUsable = await isMigrated().catch(() => true)
      return isUsable ? [] : ['sql_not_migrated']
    },

    async migrate() {
      // A database user that may not create tables can still start. Drivers name a missing table in many ways, so it is
      // created whatever the answer; what stands in the way then fails that, too.
      if (await isMigrated().catch(() => false)) return
      if (dialect !== 'postgresql') {
        for (const statement of schema) await send(statement)
        return
      }
      // PostgreSQL can fail two at once, in spite of IF NOT EXISTS.
      await database.transaction().execute(async (transaction) => {
        const statements = ["select pg_advisory_xact_lock(hashtext('wxlogin'))", ...schema]
        for (const text of statements) await transaction.executeQuery(toQuery(text, [], dialect))
      })
    },

    schema,

    async sweep(limit = 1000) {
      if (!Number.isSafeInteger(limit) || limit < 1) {
        throw new TypeError('limit must be a positive whole number of records')
      }
      const now = seconds()
      const today = dayAfter(now) - 1
      const due = `day <= ? and expires_at`
      // What was refreshed since its day was set gets a new one, once in an idle time.
      const newDay = `day = ${isMysql ? 'expires_at div' : 'expires_at /'} ${daySeconds} + 1`
      await writeSome(`update ${name} set ${newDay}`, `${due} > ?`, [today, now], limit)
      return writeSome(`delete from ${name}`, `${due} <= ?`, [today, now], limit)
    },
  }
  if (!database.connection || database.isTransaction) return store
  const withConnection: SqlStore['withConnection'] = async (work) => {
    const onOne = (one: SqlDatabase) => work(createSqlStore(one, { dialect, table, now }))
    return database.connection?.().execute(onOne) ?? work(store)
  }
  // Not copied by a spread: it would bypass the verbs of a store that wraps this one.
  return Object.defineProperty(store, 'withConnection', { value: withConnection })
}

/** A session, or a text of `put`. */
interface Row {
  readonly id: string
  /** As `toUserText` gives it. */
  readonly user: string
  readonly version: number
  readonly createdAt: number
  readonly expiresAt: number
  /** As `toText` gives it. */
  readonly text: string
}

interface SchemaNames {
  readonly name: string
  readonly index: (suffix: string) => string
  readonly indexInSchema: (suffix: string) => string
  readonly bareName: string
}

// All text is ASCII and compared byte by byte. A user's id has 255 characters, each of up to six when escaped.
// `writes` counts the writes of a row. `day` is the first day, counted from the epoch, on which `sweep` may find it ended.
// No column that a refresh changes has an index.
const schemas: Readonly<Record<SqlDialect, (names: SchemaNames) => readonly string[]>> = {
  postgresql: ({ name, index }) => [
    `create table if not exists ${name} (
  id varchar(64) not null primary key,
  user_id text not null,
  version bigint not null,
  created_at bigint not null,
  expires_at bigint not null,
  day integer not null,
  record text not null,
  writes bigint not null
) with (fillfactor = 80)`,
    `create index if not exists ${index('user')} on ${name} (user_id)`,
    `create index if not exists ${index('day')} on ${name} (day)`,
  ],

  mysql: ({ name, index }) => [
    `create table if not exists ${name} (
  id varchar(64) character set ascii collate ascii_bin not null primary key,
  user_id varchar(1530) character set ascii collate ascii_bin not null,
  version bigint not null,
  created_at bigint not null,
  expires_at bigint not null,
  day integer not null,
  record mediumtext character set ascii collate ascii_bin not null,
  writes bigint not null,
  index ${index('user')} (user_id),
  index ${index('day')} (day)
) engine = InnoDB`,
  ],

  sqlite: ({ name, bareName, indexInSchema }) => [
    `create table if not exists ${name} (
  id text not null primary key,
  user_id text not null,
  version integer not null,
  created_at integer not null,
  expires_at integer not null,
  day integer not null,
  record text not null,
  writes integer not null
)`,
    `create index if not exists ${indexInSchema('user')} on ${bareName} (user_id)`,
    `create index if not exists ${indexInSchema('day')} on ${bareName} (day)`,
  ],
}

const daySeconds = 24 * 60 * 60

/** The first day, counted from the epoch, that begins after this instant. */
const dayAfter = (instant: number) => Math.floor(instant / daySeconds) + 1

const isDialect = (dialect: string): dialect is SqlDialect => Object.hasOwn(schemas, dialect)

// The transaction was rolled back because of others, so the same statement may be sent again.
const retryCodes: ReadonlySet<string> = new Set([
  '40001',
  '40P01',
  'ER_LOCK_DEADLOCK',
  'ER_LOCK_WAIT_TIMEOUT',
  'ER_CHECKREAD',
  'SQLITE_BUSY',
  'SQLITE_BUSY_SNAPSHOT',
])

// SQLite has one code for every statement that it cannot compile.
const missingCodes: ReadonlySet<string> = new Set([
  '42P01',
  '42703',
  '3F000',
  'ER_NO_SUCH_TABLE',
  'ER_BAD_FIELD_ERROR',
  'SQLITE_ERROR',
])

/** `node:sqlite` has one code for all, and SQLite's number beside it. */
function codeOf(error: unknown): string {
  const code = String(memberOf(error, 'code'))
  if (code !== 'ERR_SQLITE_ERROR') return code
  const number = Number(memberOf(error, 'errcode')) & 0xff
  return { 1: 'SQLITE_ERROR', 5: 'SQLITE_BUSY' }[number] ?? code
}

function memberOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null
    ? (value as Readonly<Record<string, unknown>>)[name]
    : undefined
}

// Ids that the id column cannot hold as they are cannot be in it either.
const canBeId = (id: string) => /^[!-~]{1,64}$/.test(id) && !id.startsWith(valuePrefix)

// Texts of `put` stand between the sessions. No id of a session begins like theirs, and no user has their user's text,
// in which a quotation mark would be escaped.
const valuePrefix = 'value:'
const nobody = '"'

// Printable ASCII: no character set of a connection or a column can change or refuse it, and no collation that ignores
// spaces at the end takes one text for another.
const toText = (value: unknown) =>
  JSON.stringify(value).replace(
    /[^!-~]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )

const toUserText = (userId: string) => toText(userId).slice(1, -1)

const fromRow = (row: unknown) => fromText(String(memberOf(row, 'record')))

function fromText(text: string): SessionRecord {
  // Written by this store, so it is what create and replace were given.
  const record: SessionRecord = JSON.parse(text)
  return record
}

function toQuery(text: string, parameters: readonly unknown[], dialect: SqlDialect): SqlQuery {
  let position = 0
  const sql = dialect === 'postgresql' ? text.replace(/\?/g, () => `$${++position}`) : text
  return {
    sql,
    parameters,
    query: { kind: 'RawNode', sqlFragments: [sql], parameters: [] },
    queryId: { queryId: 'wxlogin' },
  }
}
