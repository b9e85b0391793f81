import { readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { describe, expect, test } from 'vitest'

const root = fileURLToPath(new URL('../../..', import.meta.url))
const page = 'docs/security/threat-model.md'
const english = promisesIn(page)
const chinese = promisesIn('docs/security/threat-model.zh-CN.md')

describe('the threat model', () => {
  test('has promises, each with a standard and a test', () => {
    expect(english.length).toBeGreaterThan(50)
    expect(english.filter(({ standards, tests }) => !standards.length || !tests.length)).toEqual([])
  })

  test.each(english.flatMap(({ tests }) => tests))('$file: $name', ({ file, name }) => {
    expect(testsIn(file, read(file))).toContainEqual({ name, runs: true })
  })

  test.each(english)('$text follows what is numbered as standards are', ({ standards }) => {
    expect(standards.filter((one) => !isStandard.test(one))).toEqual([])
  })

  test('says the same in Chinese: the same standards and tests, in the same order', () => {
    const what = ({ standards, tests }: Promise) => ({ standards, tests })

    expect(chinese.map(what)).toEqual(english.map(what))
  })
})

describe('a test that is named and does not hold anything is noticed', () => {
  const names = (code: string) => testsIn('packages/server/test/a.test.ts', code)

  test.each([
    ['is skipped', "test.skip('a', () => {})"],
    ['is to be written', "test.todo('a')"],
    ['is skipped on a condition', "test.skipIf(isWindows)('a', () => {})"],
    ['is in a group that is skipped', "describe.skip('g', () => { test('a', () => {}) })"],
    ['is expected to fail', "test.fails('a', () => {})"],
    ['skips itself', "test('a', (t) => { t.skip(); expect(1).toBe(2) })"],
    ['is skipped by its options', "test('a', { skip: true }, () => {})"],
    ['does nothing', "test('a', () => {})"],
    [
      'is in a group with a condition',
      "describe.runIf(isMonday)('g', () => { test('a', () => { expect(1).toBe(1) }) })",
    ],
  ])('one that %s', (_how, code) => {
    expect(names(code).filter(({ runs }) => runs)).toEqual([])
  })

  test('and one that is only mentioned', () => {
    expect(names("// test('a', () => { expect(1).toBe(1) })\nconst b = \"test('a')\"")).toEqual([])
  })

  test('while one that runs is found by its groups and its name', () => {
    const code = `describe('g', () => {
      describe.each([1])('h %s', () => { test.each([1])('a %s', (n) => { expect(n).toBe(1) }) })
      test('b', async () => { await expectRefused('x') })
    })`

    expect(names("function holds() { expect(1).toBe(1) }\ntest('a', () => { holds() })")).toEqual([
      { name: 'a', runs: true },
    ])
    expect(names(code)).toEqual([
      { name: 'g › h %s › a %s', runs: true },
      { name: 'g › b', runs: true },
    ])
  })
})

interface Promise {
  readonly text: string
  readonly standards: readonly string[]
  readonly tests: readonly { readonly file: string; readonly name: string }[]
}

const isStandard = /^(?:RFC \d{4} §\d+(?:\.\d+)*|ASVS \d{1,2}\.\d{1,2}\.\d{1,2})$/

function read(file: string): string {
  return readFileSync(join(root, file), 'utf8')
}

/** The rows of the tables whose last column names tests. */
function promisesIn(file: string): readonly Promise[] {
  return [...read(file).matchAll(/^\| ([^|]+) \| ([^|]+) \| (\[[^|]+\.ts\)[^|]+) \|$/gm)].map(
    ([, text = '', standards = '', tests = '']) => ({
      text,
      standards: standards.split(', '),
      tests: tests.split('<br>').map((one) => {
        const [, link = '', name = ''] = /^\[[^\]]+\]\(([^)]+)\) `([^`]+)`$/.exec(one) ?? []
        return { file: relative(root, join(root, dirname(file), link)).replaceAll('\\', '/'), name }
      }),
    }),
  )
}

/** Every test of a file, with the groups that it is in; of published cases every one that has a name. */
function testsIn(file: string, code: string): readonly { name: string; runs: boolean }[] {
  const source = ts.createSourceFile(file, code, ts.ScriptTarget.ESNext, true)
  const found: { name: string; runs: boolean }[] = []
  const isCases = /-cases\.ts$/.test(file)

  function look(node: ts.Node, groups: readonly string[], runs: boolean): void {
    if (isCases && ts.isPropertyAssignment(node) && node.name.getText() === 'name') {
      if (ts.isStringLiteralLike(node.initializer)) {
        found.push({ name: node.initializer.text, runs })
      }
    }
    const called = ts.isCallExpression(node) ? calledTest(node) : undefined
    if (!called || !ts.isCallExpression(node)) {
      ts.forEachChild(node, (child) => look(child, groups, runs))
      return
    }
    const isRun = runs && called.runs
    const name = [...groups, called.name]
    if (called.kind === 'describe') {
      for (const argument of node.arguments.slice(1)) look(argument, name, isRun)
    } else found.push({ name: name.join(' › '), runs: isRun && assertsSomething(node, source) })
  }

  look(source, [], true)
  return found
}

/** What is called by `test('…')`, `test.each(…)('…')` and the like, and whether it is run. */
function calledTest(call: ts.CallExpression) {
  const modifiers: string[] = []
  let callee: ts.Node = call.expression
  // What needs a service is left out where this machine cannot have it, and with CI=true it fails.
  const needsService = /^describe\.runIf\(isWanted\([^()]*\)\)$/.test(callee.getText())
  while (!ts.isIdentifier(callee)) {
    if (ts.isPropertyAccessExpression(callee)) modifiers.push(callee.name.text)
    else if (!ts.isCallExpression(callee) && !ts.isTaggedTemplateExpression(callee))
      return undefined
    callee = ts.isTaggedTemplateExpression(callee) ? callee.tag : callee.expression
  }
  const [title] = call.arguments
  if (!/^(?:test|describe)$/.test(callee.text) || !title || !ts.isStringLiteralLike(title)) {
    return undefined
  }
  return {
    kind: callee.text,
    name: title.text,
    runs: needsService || modifiers.every((one) => one === 'each' || one === 'concurrent'),
  }
}

const skipsItself = /(?<![\w.])(?:t|ctx|context)\.skip\s*\(|(?<![\w.])skip\s*\(|\bskip:\s*true/

/** Whether there is anything in it that may fail, in itself or in a helper of its file, and nothing that skips it. */
function assertsSomething(call: ts.CallExpression, source: ts.SourceFile): boolean {
  const text = call.arguments
    .slice(1)
    .map((one) => one.getText())
    .join('\n')
  if (skipsItself.test(text)) return false
  const helpers = functionsIn(source).filter(({ body }) => asserts.test(body))
  return asserts.test(text) || helpers.some(({ name }) => text.includes(`${name}(`))
}

const asserts = /\b(?:expect|fc\.assert|rejects)\w*/

function functionsIn(source: ts.SourceFile): readonly { name: string; body: string }[] {
  const found: { name: string; body: string }[] = []
  const look = (node: ts.Node): void => {
    if (ts.isFunctionDeclaration(node) && node.name) {
      found.push({ name: node.name.text, body: node.getText() })
    }
    ts.forEachChild(node, look)
  }
  look(source)
  return found
}
