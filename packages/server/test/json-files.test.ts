import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { expect, test } from 'vitest'

const root = fileURLToPath(new URL('../../..', import.meta.url))
const notOurs = new Set(['node_modules', 'dist', 'miniprogram_dist', '.git', '.cache'])

test.each(jsonFilesIn(''))('%s has no key twice', (file) => {
  expect(twiceIn(readFileSync(join(root, file), 'utf8'))).toEqual([])
})

test('a key that is there twice is noticed, however deep', () => {
  expect(twiceIn('{ "a": [{ "b": 1, "c": 2, "b": 3 }], "b": {} }')).toEqual(['b'])
  expect(twiceIn('{ "a": 1, /* as in a tsconfig */ "a": 2 }')).toEqual(['a'])
})

function jsonFilesIn(folder: string): readonly string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = folder === '' ? entry.name : `${folder}/${entry.name}`
    if (entry.isDirectory()) return notOurs.has(entry.name) ? [] : jsonFilesIn(path)
    return entry.name.endsWith('.json') ? [path] : []
  })
}

/** JSON.parse takes the last of two and says nothing. */
function twiceIn(json: string): readonly string[] {
  const twice: string[] = []
  const look = (node: ts.Node) => {
    if (ts.isObjectLiteralExpression(node)) {
      const keys = node.properties.map(({ name }) => (name as ts.StringLiteral).text)
      twice.push(...keys.filter((key, n) => keys.indexOf(key) < n))
    }
    ts.forEachChild(node, look)
  }
  look(ts.parseJsonText('file.json', json))
  return twice
}
