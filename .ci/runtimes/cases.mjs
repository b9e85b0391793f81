// node | bun | deno run cases.mjs <adapter>…: in a project that has the tarballs and the frameworks. What each adapter and
// each store that this runtime has is held to, one line of JSON each.
import { createAuth, createMemoryStore } from '@wxlogin/server'
import { createSqlStore } from '@wxlogin/server/sql'
import { adapterCases, storeCases } from '@wxlogin/server/testing'

for (const adapter of process.argv.slice(2)) {
  const { variants } = await import(`./rows/${adapter}.mjs`)
  const work = []
  for (const { name, start, startAfterParser, told, toldAfterParser } of variants) {
    work.push(...casesOf(name, start, told))
    if (startAfterParser) {
      const tellings = toldAfterParser ?? { ...told, hasParser: true }
      work.push(...casesOf(`${name} after a parser`, startAfterParser, tellings))
    }
  }
  await report(adapter, work)
}

await report('memory', storeWork(createMemoryStore()))
const sqlite = await import('node:sqlite').catch(() => undefined)
if (sqlite) await report('node:sqlite', storeWork(await sqliteStore(sqlite)))
process.exit()

function casesOf(variant, start, told) {
  return adapterCases({ createAuth, ...told }).map(({ name, run }) => ({
    name: `${variant}: ${name}`,
    run: () => run(start),
  }))
}

function storeWork(store) {
  return storeCases().map(({ name, run }) => ({ name, run: () => run(store) }))
}

/** As docs/platforms.md has it. */
async function sqliteStore({ DatabaseSync }) {
  const { openStore } = await import('./documented-sqlite.mjs')
  return openStore(new DatabaseSync(':memory:'), createSqlStore)
}

async function report(what, work) {
  const failures = []
  for (const { name, run } of work) {
    await run().catch((error) => failures.push(`${name}: ${error.message}`))
  }
  console.log(JSON.stringify({ what, passed: work.length - failures.length, failures }))
}
