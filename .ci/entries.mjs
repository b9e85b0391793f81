// What users import, and the file behind each. tsup, vitest, `size` and `packed` read this list; a test holds
// package.json to it, and to it the folders of which every file is an entry.

/** By package, and by the name after the slash; `index` is the package itself. */
export const entries = {
  server: {
    index: 'src/index.ts',
    express: 'src/adapters/express.ts',
    node: 'src/adapters/node.ts',
    fetch: 'src/adapters/fetch.ts',
    koa: 'src/adapters/koa.ts',
    fastify: 'src/adapters/fastify.ts',
    hono: 'src/adapters/hono.ts',
    nest: 'src/adapters/nest.ts',
    'cloud-function': 'src/adapters/cloud-function.ts',
    redis: 'src/stores/redis.ts',
    sql: 'src/stores/sql.ts',
    wechat: 'src/wechat/index.ts',
    errcodes: 'src/wechat/known-errcodes.ts',
    web: 'src/web-login.ts',
    telemetry: 'src/telemetry/index.ts',
    testing: 'src/testing/index.ts',
  },
  client: {
    index: 'src/index.ts',
    full: 'src/full.ts',
    backend: 'src/backend.ts',
    explain: 'src/explain.ts',
    testing: 'src/testing/index.ts',
  },
}

/** Folders of which every file is an entry, and the parts in them that are none. */
export const entryFolders = {
  'packages/server/src/adapters': [
    'attached-session.ts',
    'fetch-message.ts',
    'mount.ts',
    'node-message.ts',
    'node-routes.ts',
  ],
  'packages/server/src/stores': ['memory.ts'],
}

/** The names of the server's adapters. */
export const adapters = Object.keys(entries.server).filter((name) =>
  entries.server[name].startsWith('src/adapters/'),
)

/**
 * Those of them whose framework is not installed here: `npm run long -- frameworks` starts the framework and holds the
 * adapter to the cases.
 */
export const adaptersElsewhere = ['koa', 'fastify', 'hono', 'nest']

/** Entries that import a peer when they are loaded, so that nothing can load them here. */
export const entriesWithPeers = ['nest']

/** The client's entries that run on a phone. */
export const phoneEntries = Object.keys(entries.client).filter((name) => name !== 'testing')

/** Those of them that have `createClient`. */
export const clientEntries = phoneEntries.filter((name) => ['index', 'full'].includes(name))

/** What is written to import an entry, `@wxlogin/server/express`. */
export function specifierOf(packageName, entry) {
  return `@wxlogin/${packageName}${entry === 'index' ? '' : `/${entry}`}`
}

/** Everything that can be imported here, each with its source file, below the workspace's root. */
export function sources() {
  const published = Object.entries(entries).flatMap(([packageName, files]) =>
    Object.entries(files).map(([entry, file]) => [
      specifierOf(packageName, entry),
      `packages/${packageName}/${file}`,
    ]),
  )
  return new Map([['@wxlogin/shared', 'packages/shared/src/index.ts'], ...published])
}

/** The same for Vite: imports lead to the sources below this root, and nothing has to be built. */
export function sourceAliases(root) {
  return [...sources()].map(([specifier, file]) => ({
    find: new RegExp(`^${specifier}$`),
    replacement: `${root}${file}`,
  }))
}
