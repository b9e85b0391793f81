import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'

/** For everybody in the same way. Vue, which uni-app has anyway, and Node's crypto are left out. */
export async function bundle(entry, { folder, ...options }) {
  const { outputFiles } = await build({
    ...entry,
    ...options,
    bundle: true,
    write: false,
    target: 'es2018',
    external: ['vue', 'crypto'],
    logLevel: 'silent',
    nodePaths: [join(folder, 'node_modules')],
  })
  return outputFiles[0].text
}

/** What packages weigh, imported as a whole or required, whichever suits them better: the other way costs a wrapper. */
export async function weigh({ from = [], code }, folder) {
  const each = (line) => from.map(line).join('\n')
  const names = each((name) => `export * from '${name}'`)
  const defaults = each((name, index) => `export { default as default${index} } from '${name}'`)
  const required = each((name, index) => `exports[${index}] = require('${name}')`)
  if (code) return weighCode(code, folder)
  // Without a default export the first is refused.
  const imported = await weighCode(`${names}\n${defaults}`, folder).catch(() =>
    weighCode(names, folder),
  )
  const [smaller] = [imported, await weighCode(required, folder)].sort((a, b) => a.gzip - b.gzip)
  return smaller
}

async function weighCode(contents, folder) {
  const entry = { stdin: { contents, resolveDir: folder } }
  return weighBundle(await bundle(entry, { folder, format: 'esm', minify: true }))
}

export function weighBundle(code) {
  return { minified: Buffer.byteLength(code), gzip: gzipSync(code, { level: 9 }).length }
}
