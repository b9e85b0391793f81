import { fileURLToPath } from 'node:url'
import * as typescript from 'typescript'
import { expect, test } from 'vitest'
import { phoneEntries } from '../../../.ci/entries.mjs'
import { innerNames } from '../tsup.config.js'

const root = fileURLToPath(new URL('../../../', import.meta.url))
const client = `${root}packages/client/src`
const entries = phoneEntries.map((name) => `${client}/${name}.ts`)
/** The entries, the wire, the calls of `wx`, and what is stored. */
const known = [
  ...entries,
  `${root}packages/shared/src/index.ts`,
  `${client}/wx.ts`,
  `${client}/session/token-record.ts`,
]
/** Of `token-record`, which has inner parts as well. */
const stored = ['KeptRecord', 'TokenRecord', 'TokenPair', 'Out']

/** The name of everything that can be reached from what these files export, but for the language's own. */
function namesOutside(): Set<string> {
  const program = typescript.createProgram(known, {
    strict: true,
    target: typescript.ScriptTarget.ES2020,
    module: typescript.ModuleKind.ESNext,
    moduleResolution: typescript.ModuleResolutionKind.Bundler,
    paths: { '@wxlogin/shared': [`${root}packages/shared/src/index.ts`] },
    lib: ['lib.es2020.d.ts'],
    types: [],
  })
  const checker = program.getTypeChecker()
  const names = new Set<string>()
  const seen = new Set<typescript.Type>()

  const isOurs = (symbol: typescript.Symbol): boolean =>
    (symbol.declarations ?? []).some(
      (declaration) => !program.isSourceFileDefaultLibrary(declaration.getSourceFile()),
    )
  const visit = (type: typescript.Type): void => {
    if (seen.has(type)) return
    seen.add(type)
    if (type.isUnionOrIntersection()) type.types.forEach(visit)
    for (const argument of checker.getTypeArguments(type as typescript.TypeReference)) {
      visit(argument)
    }
    for (const signature of [...type.getCallSignatures(), ...type.getConstructSignatures()]) {
      visit(signature.getReturnType())
      for (const parameter of signature.parameters) visit(checker.getTypeOfSymbol(parameter))
    }
    for (const property of type.getProperties().filter(isOurs)) {
      names.add(property.name)
      visit(checker.getTypeOfSymbol(property))
    }
  }
  for (const file of known) {
    const source = program.getSourceFile(file)
    const module = source && checker.getSymbolAtLocation(source)
    for (const exported of module ? checker.getExportsOfModule(module) : []) {
      if (file.includes('token-record') && !stored.includes(exported.name)) continue
      const symbol =
        exported.flags & typescript.SymbolFlags.Alias
          ? checker.getAliasedSymbol(exported)
          : exported
      if (entries.includes(file)) names.add(exported.name)
      visit(
        symbol.flags & typescript.SymbolFlags.Type
          ? checker.getDeclaredTypeOfSymbol(symbol)
          : checker.getTypeOfSymbol(symbol),
      )
    }
  }
  return names
}

test('no name that the minifier shortens is one that an app, wx, the wire or the storage knows', () => {
  const outside = namesOutside()

  // Of an option, the client, an error, wx, a response, a body, a description of a backend and the record.
  expect([...outside]).toEqual(
    expect.arrayContaining([
      'loginTimeoutMs',
      'connectSocket',
      'retryAfterSeconds',
      'onSocketOpen',
      'statusCode',
      'previous_signed_out',
      'tokens',
      'askedMs',
    ]),
  )
  expect(innerNames.filter((name) => outside.has(name))).toEqual([])
})
