// One million sessions created, refreshed and expired in the memory store: what one costs, and that nothing stays.
// Run by `npm run chaos`. Ends non-zero when the heap does not come back to within 5 %.
import { randomBytes } from 'node:crypto'
import { createMemoryStore } from '@wxlogin/server'

const sessions = 1_000_000
const liveAtOnce = 100_000
const sessionsPerUser = 2
const idleSeconds = 30 * 24 * 3600

const collect = globalThis.gc
if (!collect) {
  console.error('Run this as `node --expose-gc bench/memory.mjs`, or through `npm run chaos`.')
  process.exit(1)
}

let nowSeconds = 1_800_000_000
const newStore = () =>
  createMemoryStore({ now: () => nowSeconds * 1000, maxSessions: liveAtOnce + 10 })

const startedAt = performance.now()
// A round on another store, so that what is compiled and allocated once does not count.
let store = newStore()
await live(0)
store = newStore()
const before = heapBytes()

let bytesPerSession = 0
for (let first = 0; first < sessions; first += liveAtOnce) {
  await live(first)
  bytesPerSession = Math.max(bytesPerSession, (heapBytes() - before) / liveAtOnce)
  await expire()
}
const after = heapBytes()

const change = after / before - 1
const megabytes = (bytes) => `${(bytes / 1024 / 1024).toFixed(2)} MB`
console.log(
  [
    `${sessions} sessions in the memory store, ${liveAtOnce} at once`,
    `  bytes per live session     ${Math.round(bytesPerSession)}`,
    `  heap before and after      ${megabytes(before)}, ${megabytes(after)} (${(change * 100).toFixed(1)} %)`,
    `  took                       ${Math.round((performance.now() - startedAt) / 1000)} s`,
  ].join('\n'),
)
if (Math.abs(change) > 0.05) {
  console.error('The heap did not come back to within 5 % of what it was.')
  process.exit(1)
}

/** Sessions as a login makes them and, an hour later, a refresh leaves them. */
async function live(first) {
  const ids = []
  for (let n = first; n < first + liveAtOnce; n++) {
    const id = text(16)
    ids.push(id)
    await must(store.create(newSession(id, `user-${Math.floor(n / sessionsPerUser)}`)))
  }
  nowSeconds += 3600
  for (const id of ids) {
    const record = await store.get(id)
    await must(
      store.replace(
        {
          ...record,
          version: record.version + 1,
          generation: record.generation + 1,
          idempotencyKeyHash: text(32),
          lastRefreshAt: nowSeconds,
          expiresAt: nowSeconds + idleSeconds,
        },
        record.version,
      ),
    )
  }
}

/** The idle time of all passes. What little goes on after that has to be enough to sweep them out. */
async function expire() {
  nowSeconds += idleSeconds + 1
  for (let n = 0; n < liveAtOnce / 3; n++) {
    await must(store.create(newSession('the only one', 'user')))
    await store.delete('the only one')
  }
}

function newSession(id, userId) {
  return {
    id,
    v: 1,
    version: 1,
    method: 'code',
    userId,
    appId: 'wx0000000000000001',
    openid: text(21),
    device: 'iPhone',
    sealedKey: text(64),
    generation: 0,
    idempotencyKeyHash: text(32),
    createdAt: nowSeconds,
    lastRefreshAt: nowSeconds,
    endsAt: nowSeconds + 180 * 24 * 3600,
    expiresAt: nowSeconds + idleSeconds,
  }
}

function text(bytes) {
  return randomBytes(bytes).toString('base64url')
}

async function must(written) {
  if (!(await written)) throw new Error('the store refused a write that nothing stands against')
}

function heapBytes() {
  collect()
  collect()
  return process.memoryUsage().heapUsed
}
