import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { wireErrors } from '@wxlogin/shared'
import ts from 'typescript'
import { describe, expect, test } from 'vitest'
import { sources } from '../../../.ci/entries.mjs'

const root = fileURLToPath(new URL('../../..', import.meta.url))

// Its programs are compiled and started beside their frameworks, by `npm run long -- frameworks`.
const besideFrameworks = 'docs/frameworks'
const documents = [...markdownIn(''), read('llms.txt')]
const pairs = documents
  .filter(({ file }) => file.endsWith('.zh-CN.md'))
  .map(({ file }) => pairOf(file.replace(/\.zh-CN\.md$/, '')))
const compiled = documents.filter(({ file }) => !file.startsWith(besideFrameworks))

const twoMiniPrograms = pairOf('docs/two-mini-programs')
const oneUser = pairOf('docs/one-user')
const phoneNumber = pairOf('docs/phone-number')
const backends = pairOf('docs/backends')
const onDemand = pairOf('docs/login-on-demand')
const layers = pairOf('docs/request-layers')
const requestLayer = pairOf('docs/replace-your-request-layer')
const replaceALogin = pairOf('docs/replace-a-login')

describe('the TypeScript of READMEs and guides compiles', () => {
  const problems = compile(compiled.flatMap(blocksOf))

  test.each(compiled)('$file', ({ file }) => {
    expect(problems.filter((problem) => problem.startsWith(`${file}:`))).toEqual([])
  })

  test('and nothing is wrong outside of them', () => {
    expect(problems.filter((problem) => !/^[\w./-]+\.md:\d+ /.test(problem))).toEqual([])
  })

  test('a block for Node that does not is named by file and line', () => {
    const text = '# A\n\n```ts\nconst ready = true\nauth.loginn({ code: 1 })\n```\n'

    const found = compile(blocksOf({ file: 'packages/server/README.md', text }))

    expect(found).toHaveLength(1)
    expect(found[0]).toMatch(/^packages\/server\/README\.md:5 .*loginn.*TS2551/)
  })

  test('so is one for the mini program, where there is no Node', () => {
    const text =
      "```ts\nwx.login({})\nconst secret: string = process.env.WX_APP_SECRET ?? ''\n```\n"

    const found = compile(blocksOf({ file: 'packages/client/README.md', text }))

    expect(found).toHaveLength(1)
    expect(found[0]).toMatch(/^packages\/client\/README\.md:3 .*process/)
  })

  test.each([
    ['tsx', 'const page = <View onClick={() => Taro.navigateBak()} />', 2],
    ['vue', '<script setup lang="ts">\nuni.navigateBak()\n</script>\n<template />', 3],
  ])('so is one of %s', (language, code, line) => {
    const imports =
      language === 'tsx'
        ? "import Taro from '@tarojs/taro'; import { View } from '@tarojs/components'; "
        : ''
    const text = `\`\`\`${language}\n${imports}${code}\n\`\`\`\n`

    const found = compile(blocksOf({ file: 'docs/login-on-demand.md', text }))

    expect(found).toHaveLength(1)
    expect(found[0]).toMatch(new RegExp(`^docs/login-on-demand\\.md:${line} .*navigateBak`))
  })

  test('so is one that compiles here alone, where optional properties are exact', () => {
    const text =
      '```ts\nconst token = String(Date.now())\nexport const header: Record<string, string> = token ? { satoken: token } : {}\nexport const call: { header: Record<string, string> } = ((token: string) => ({ header: token ? { satoken: token } : {} }))(token)\n```\n'

    const found = compile(blocksOf({ file: 'packages/client/README.md', text }))

    expect(found).toHaveLength(1)
    expect(found[0]).toMatch(/^packages\/client\/README\.md:4 .*satoken/)
  })

  test('a block that does not parse is reported too', () => {
    const found = compile(blocksOf({ file: 'README.md', text: '```ts\nconst = 1\n```\n' }))

    expect(found[0]).toMatch(/^README\.md:2 /)
  })
})

describe('English and Chinese say the same', () => {
  test.each(pairs)('$english.file has the headings of its translation', ({ english, chinese }) => {
    expect(levelsOf(chinese)).toEqual(levelsOf(english))
  })

  test.each(pairs)('$english.file has the code of its translation', ({ english, chinese }) => {
    expect(blocksOf(chinese).map(essence)).toEqual(blocksOf(english).map(essence))
  })

  test.each(pairs)('$english.file has the tables of its translation', ({ english, chinese }) => {
    expect(tablesOf(chinese).map(shapeOf)).toEqual(tablesOf(english).map(shapeOf))
  })
})

describe('links lead somewhere', () => {
  test.each(documents)('in $file', (document) => {
    expect(linksOf(document).filter((link) => !leadsSomewhere(document, link))).toEqual([])
  })

  // CHANGELOGs are made of the change files, and are read elsewhere: links there are addresses.
  const changes = readdirSync(join(root, '.changeset'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => read(`.changeset/${name}`))

  test('in the change files, by their addresses', () => {
    expect(changes.flatMap(linksOf)).toEqual([])
  })

  test('and so do addresses of our own pages', () => {
    const addresses = [...documents, ...changes].flatMap(addressesOf)

    expect(addresses.filter((address) => !isOurPage(address))).toEqual([])
  })

  test('an address that leads nowhere is noticed', () => {
    const text =
      '[a](https://wxlogin.github.io/wxlogin/nowhere) [b](https://wxlogin.github.io/wxlogin/zh/faq)'

    expect(
      addressesOf({ file: 'README.md', text }).filter((address) => !isOurPage(address)),
    ).toEqual(['https://wxlogin.github.io/wxlogin/nowhere'])
  })

  test('a dead one is noticed, a dead anchor as well', () => {
    const document = {
      file: 'README.md',
      text: '# Top\n\n[a](nowhere.md) [b](#top) [c](#bottom)\n',
    }

    const dead = linksOf(document).filter((link) => !leadsSomewhere(document, link))

    expect(dead).toEqual(['nowhere.md', '#bottom'])
  })
})

describe('tables name exactly what the code has', () => {
  const server = 'packages/server/src'
  const client = 'packages/client/src'

  test.each([
    ['server-options', 'apps', 'AuthOptions', server],
    ['adapters', 'fresh', 'GuardOptions', server],
    ['wechat', 'appSecret', 'WeChatOptions', `${server}/wechat`],
    ['wechat', 'code2Session', 'OwnWeChat', `${server}/wechat`],
    ['server-testing', 'rotateSessionKey', 'FakeWeChatOptions', `${server}/testing/fake-wechat`],
    ['server-testing', 'codeFor', 'FakeWeChat', `${server}/testing/fake-wechat`],
    ['client-options', 'baseUrl', 'FullClientOptions', client],
    ['client', 'launch', 'Client', client],
    ['client', 'bindPhone', 'FullClient', client],
    ['client-testing', 'touristMode', 'FakeWxOptions', `${client}/testing`],
    ['client-testing', 'onRequest', 'FakeWxControl', `${client}/testing`],
  ])('%s, the table with %s: %s', (page, name, type, folder) => {
    const ofBoth = type === 'FullClient' ? membersOf('Client', client) : []
    const members = membersOf(type, folder).filter((one) => !ofBoth.includes(one))

    for (const document of bothOf(pairOf(`docs/reference/${page}`))) {
      expect(namesBeside(name, document)).toEqual(members)
    }
  })

  const events = bothOf(pairOf('docs/reference/events'))

  test.each(events)('the events in $file', (document) => {
    const { text } = read('packages/server/src/events.ts')
    const types = [...text.matchAll(/^ {2}readonly type: '(\w+)'$/gm)].map(([, type]) => type)

    expect(namesBeside('misconfigured', document)).toEqual(types.sort())
  })

  test.each(events)('what is in the events in $file', (document) => {
    const code = withoutComments(read('packages/server/src/events.ts'))
    const words = [...code.matchAll(/['"](\w+)['"]/g)].map(([, word]) => word)
    const listed = [...words, ...membersOf('LoginMethod', 'packages/server/src')]
    const table = tablesOf(document).find((rows) => namesIn(rows).includes('misconfigured'))

    expect(listed.filter((word) => !table?.join().includes(`\`${word}\``))).toEqual([])
  })
})

describe('every error has one entry', () => {
  const errors = pairOf('docs/reference/errors')
  const pages = bothOf(errors)
  const ofClient = membersOf('ClientErrorCode', 'packages/client/src')

  test.each(pages)('and one anchor, in $file', (document) => {
    const codes = headingsOf(document).flatMap(
      ([, , heading = '']) => /^`(\w+)`$/.exec(heading)?.[1] ?? [],
    )
    const ids = [...document.text.matchAll(/<a id="([\w-]+)">/g)].map(([, id]) => id)

    expect([...codes].sort()).toEqual([...Object.keys(wireErrors), ...ofClient].sort())
    expect(new Set([...codes, ...ids]).size).toBe(codes.length + ids.length)
  })

  test.each(pages)('with its status, in $file', (document) => {
    for (const [code, status] of Object.entries(wireErrors)) {
      const [, stated] = new RegExp(`^### \`${code}\`\n\n\\D+(\\d+)`, 'm').exec(document.text) ?? []
      expect(`${code} ${stated}`).toBe(`${code} ${status}`)
    }
  })

  test('and the entries of both languages have the same lines', () => {
    const shapesOf = (document: Document) =>
      document.text
        .split(/^#{2,3} /m)
        .map(
          (entry) =>
            `${entry.split('\n')[0]?.match(/`\w+`/) ?? ''} ${entry.match(/^- /gm)?.length}`,
        )

    expect(shapesOf(errors.chinese)).toEqual(shapesOf(errors.english))
  })

  test.each(pages)('and every reason has a row, in $file', (document) => {
    const given = ['server', 'client'].flatMap((name) =>
      sourcesIn(`packages/${name}/src`).flatMap((source) => [
        ...withoutComments(source).matchAll(/\breason: "(\w+)"|\brefused\(\s*"[^"]+",\s*"(\w+)"/g),
      ]),
    )
    const names = given.map(([, reason, ofOpenData]) => reason ?? ofOpenData ?? '')
    const reasons = new Set([...names, ...membersOf('InvalidGrantReason', 'packages/shared/src')])
    // `expired` to the client.
    reasons.delete('retry_expired')

    const rows = namesBeside('phone_code', document)
    expect([...reasons].filter((reason) => !rows.includes(reason))).toEqual([])
    expect([...reasons]).toEqual(
      expect.arrayContaining(['mock_code', 'watermark_appid', 'revoked']),
    )
  })
})

describe('the READMEs are doors', () => {
  test.each([
    ['', 150],
    ['packages/server/', 120],
    ['packages/client/', 120],
    ['packages/cli/', 120],
  ])('%sREADME has at most %i lines', (folder, most) => {
    for (const { file, text } of bothOf(pairOf(`${folder}README`))) {
      expect(`${file}: ${text.split('\n').length - 1 <= most}`).toBe(`${file}: true`)
    }
  })

  test('and their badges say what holds', () => {
    const { engines, license } = JSON.parse(read('packages/server/package.json').text)
    const [, most] = /phoneBudgets = \{ index: (\d+)/.exec(read('.ci/size.mjs').text) ?? []
    const said = `client-≤ ${Number(most).toLocaleString('en')} bytes gzip node-≥ ${engines.node.slice(2)} license-${license}`

    for (const { file, text } of bothOf(pairOf('README'))) {
      const badges = [...text.matchAll(/img\.shields\.io\/badge\/(\S+?)-blue/g)].map(
        ([, words = '']) => decodeURIComponent(words),
      )
      expect([file, badges.join(' ')]).toEqual([file, said])
      expect(text).toContain('/actions/workflows/ci.yml/badge.svg')
    }
    expect(existsSync(join(root, '.github/workflows/ci.yml'))).toBe(true)
  })

  test('the contents of docs list every page of it', () => {
    for (const contents of bothOf(pairOf('docs/README'))) {
      const isChinese = contents.file.endsWith('.zh-CN.md')
      const pages = markdownIn('docs')
        .map(({ file }) => file)
        .filter(
          (file) =>
            file.endsWith('.zh-CN.md') === isChinese && !/^docs\/(README|index)\./.test(file),
        )
      const listed = linksOf(contents).map((link) => join('docs', link))

      expect(pages.filter((page) => !listed.includes(page))).toEqual([])
    }
  })

  test('every page is there in both languages', () => {
    const files = [
      ...markdownIn('docs'),
      ...['server', 'client', 'cli'].flatMap((name) => read(`packages/${name}/README.md`)),
      read('README.md'),
    ]
      .map(({ file }) => file)
      .filter((file) => !file.startsWith('docs/index'))
    const english = files.filter((file) => !file.endsWith('.zh-CN.md'))

    expect(
      english.filter((file) => !existsSync(join(root, file.replace(/md$/, 'zh-CN.md')))),
    ).toEqual([])
  })
})

interface Document {
  /** Its path in the repository. */
  readonly file: string
  readonly text: string
}

interface Pair {
  readonly english: Document
  readonly chinese: Document
}

interface Block {
  readonly file: string
  /** Where its first line of code stands, counted from 1. */
  readonly line: number
  readonly language: string
  readonly code: string
}

function read(file: string): Document {
  return { file, text: readFileSync(join(root, file), 'utf8') }
}

function pairOf(path: string): Pair {
  return { english: read(`${path}.md`), chinese: read(`${path}.zh-CN.md`) }
}

/** Every Markdown file of the repository below a folder; change files become the CHANGELOGs. */
function markdownIn(folder: string): readonly Document[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return /^(node_modules|\.)/.test(entry.name) ? [] : markdownIn(path)
    return entry.name.endsWith('.md') ? [read(path)] : []
  })
}

function bothOf({ english, chinese }: Pair): readonly Document[] {
  return [english, chinese]
}

function blocksOf({ file, text }: Document): readonly Block[] {
  return [...text.matchAll(/^```(\S+).*\n([\s\S]*?)^```$/gm)].map(
    ({ index, 1: language = '', 2: code = '' }) => ({
      file,
      line: text.slice(0, index).split('\n').length + 1,
      language,
      code,
    }),
  )
}

/** What the blocks use without declaring it: a shop, its backend, and packages that are not installed here. */
const nodePreamble = `
  declare const app: import('express').Express
  declare const auth: import('@wxlogin/server').Auth<{ role: string }>
  declare const users: {
    upsert(appId: string, openid: string): Promise<number>
    isBanned(userId: string): Promise<boolean>
    ban(userId: string): Promise<void>
    roleOf(userId: string): Promise<string>
  }
  declare const members: {
    byOpenid(appId: string, openid: string): Promise<number | undefined>
    link(appId: string, openid: string, phone: string): Promise<number>
  }
  declare const orders: { of(userId: string): Promise<{ id: string; title: string }[]> }

  declare module 'express-rate-limit' {
    function rateLimit(options: {
      windowMs: number
      limit: number
      standardHeaders: 'draft-8'
      legacyHeaders: boolean
      message: unknown
    }): import('express').RequestHandler
  }

  // npm run long -- telemetry compiles the same against the real one.
  declare module '@opentelemetry/api' {
    const metrics: NonNullable<import('@wxlogin/server/telemetry').TelemetryApi['metrics']>
    const trace: NonNullable<import('@wxlogin/server/telemetry').TelemetryApi['trace']>
  }

  // Node 20, whose types these are, does not have it.
  declare module 'node:sqlite' {
    type SQLInputValue = null | number | bigint | string | Uint8Array
    class DatabaseSync {
      constructor(path: string)
      exec(sql: string): void
      prepare(sql: string): {
        all(...values: SQLInputValue[]): unknown[]
        run(...values: SQLInputValue[]): { changes: number | bigint }
      }
    }
  }

  declare module 'supertest' {
    interface Test extends Promise<{ body: unknown }> {
      set(headers: object): this
      expect(status: number): this
    }
    function request(app: import('express').Express): { get(path: string): Test }
    export default request
  }
`

/** A store that the reader has written. */
const myStore = `
  import type { SessionStore } from '@wxlogin/server'
  export declare function createMyStore(): SessionStore
`

/** An adapter that the reader has written. */
const myAdapter = `
  export { authRoutes, maybeSessionOf, requireAuth, sessionOf } from '@wxlogin/server/express'
`

/**
 * The frameworks' objects are held to the real ones by the type tests of the client, and what is said here of request
 * layers by `npm run layers`.
 */
const miniProgramPreamble = `
  interface Order { readonly id: string; readonly title: string }
  declare const uni: Required<import('@wxlogin/client/full').Wx> & { navigateBack(): void }

  declare module '@tarojs/taro' {
    const Taro: import('@wxlogin/client/full').Wx & { navigateBack(): Promise<unknown> }
    export default Taro
    export function useLaunch(launched: (options: { scene?: number }) => void): void
    export function useLoad(loaded: () => void): void
  }

  declare module '@tarojs/components' {
    interface Properties {
      value?: string
      checked?: boolean
      openType?: 'getPhoneNumber'
      children?: unknown
      onClick?(): void
      onChange?(event: { detail: { value: string[] } }): void
      onGetPhoneNumber?(event: { detail: { code?: string } }): void
    }
    type Component = (properties: Properties) => object
    export const Button: Component
    export const Checkbox: Component
    export const CheckboxGroup: Component
    export const Label: Component
    export const Text: Component
    export const View: Component
  }

  declare module 'react' {
    export function useState<T>(initial: T): [T, (next: T) => void]
  }

  declare module 'react/jsx-runtime' {
    export namespace JSX {
      type Element = object
      interface ElementChildrenAttribute {
        children: unknown
      }
    }
  }

  declare module '@dcloudio/uni-app' {
    export function onLaunch(launched: (options?: { scene?: number }) => void): void
    export function onLoad(loaded: () => void): void
  }

  declare module 'vue' {
    export function ref<T>(value: T): { value: T }
  }

  declare module 'luch-request' {
    type Header = Record<string, string>
    interface Pass {
      header: Header
      again(statusCode: number | undefined, data: unknown): Promise<Header | undefined>
    }
    interface Config {
      url?: string
      baseURL?: string
      header?: Header
      custom?: { pass?: Pass }
    }
    interface Failure {
      statusCode?: number
      data?: unknown
      config: Config
    }
    interface Interceptors<V, E> {
      use(onFulfilled?: (value: V) => V | Promise<V>, onRejected?: (error: E) => unknown): void
    }
    export default class Request {
      constructor(config?: Config)
      interceptors: {
        request: Interceptors<Config, unknown>
        response: Interceptors<object, Failure>
      }
      request(config: Config): Promise<object>
    }
  }

  declare module 'alova' {
    interface Call {
      response(): Promise<{ statusCode: number; data: unknown; header: object } | { statusCode: number }>
      headers(): Promise<object>
      abort(): void
      onDownload?(listener: (loaded: number, total: number) => void): void
      onUpload?(listener: (loaded: number, total: number) => void): void
    }
    export type Adapter = (elements: { url: string; headers: object }, method: object) => Call
    export function createAlova(options: { baseURL: string; requestAdapter: Adapter }): object
    export function invalidateCache(): Promise<void>
  }

  declare module '@alova/adapter-uniapp' {
    export default function AdapterUniapp(): { requestAdapter: import('alova').Adapter }
  }

  declare module 'axios' {
    export interface Config {
      url?: string
      baseURL?: string
      headers: { set(headers: Record<string, string>): unknown }
    }
    export type Adapter = (config: Config) => Promise<object>
    const axios: { create(config: { baseURL: string; adapter: Adapter }): object }
    export default axios
  }

  declare module '@uni-helper/axios-adapter' {
    export function createUniAppAxiosAdapter(): import('axios').Adapter
  }

  declare module 'your-chat-sdk' {
    interface Options {
      token(): Promise<string>
      refreshToken(refused: string): Promise<string>
    }
    export function createChat(options: Options): { disconnect(): void }
  }
`

/** By the fuller entry, which has all that the lesser one has. */
const miniProgramClient = `
  import { createClient } from '@wxlogin/client/full'
  export const client = createClient<{ name: string }>({ baseUrl: 'https://api.example.com' })
`

interface Environment {
  /** Where the blocks stand, as far as imports are concerned. */
  readonly folder: string
  readonly types: readonly string[]
  readonly lib: string
  /** Files that exist only here, by their path below the folder. */
  readonly files: Readonly<Record<string, string>>
}

const node: Environment = {
  folder: join(root, 'packages/server/test/readme/'),
  types: ['node'],
  lib: 'lib.es2022.d.ts',
  files: {
    'preamble.d.ts': nodePreamble,
    'pages/index/my-store.ts': myStore,
    'pages/index/my-adapter.ts': myAdapter,
    'pages/index/users.ts': codeWith('export async function link', twoMiniPrograms),
    'pages/index/one-user.ts': codeWith('export async function linkAny', oneUser),
    'pages/index/user-table.ts': codeWith('ER_DUP_ENTRY', replaceALogin),
    'pages/index/login.ts': codeWith('acceptLegacy', replaceALogin),
    'pages/index/phone.ts': codeWith('export async function bindPhone', phoneNumber),
  },
}

const miniProgram: Environment = {
  folder: join(root, 'packages/client/test/readme/'),
  types: ['miniprogram-api-typings'],
  lib: 'lib.es2018.d.ts',
  files: {
    'preamble.d.ts': miniProgramPreamble,
    'client.ts': miniProgramClient,
    'pages/index/backend.ts': codeWith('export const backend', backends),
    'pages/index/client.ts': "export { client } from '../../client'",
    'pages/index/request.ts': codeWith('export function request', requestLayer),
    'pages/index/auth.ts': codeWith('export async function isLoggedIn', requestLayer),
    'pages/index/call.ts': codeWith('export function call', requestLayer),
    'pages/index/tokens.ts': codeWith('export async function passFor', layers),
    'login.ts': codeWith('export async function logIn', onDemand),
  },
}

/** A block's code, for the blocks that build on it. */
function codeWith(text: string, { english }: Pair): string {
  const block = blocksOf(english).find(({ code }) => code.includes(text))
  if (!block) throw new Error(`${english.file} has no ${text}`)
  return block.code
}

/** Tests run in Node, also those of a mini program. */
function environmentOf({ file, code }: Block): Environment {
  if (/from '(vitest|express|node:|@wxlogin\/server)/.test(code)) return node
  const isInside =
    /^(packages\/client\/|docs\/(login-on-demand|request-layers|replace-your-request-layer))/.test(
      file,
    ) || /from '(@wxlogin|\.{1,2})\/client(\/(full|backend))?'/.test(code)
  return isInside || /\bfrom '.*\/client'|\bwx\.\w+\(/.test(code) ? miniProgram : node
}

/** Compiles every TypeScript block as a module of its own; one line per problem, by file and line of the README. */
/** As strictly as this repository, and as most projects are, where other things fail. */
const strictness: readonly ts.CompilerOptions[] = [
  {},
  { exactOptionalPropertyTypes: false, noUncheckedIndexedAccess: false },
]

function compile(blocks: readonly Block[]): readonly string[] {
  const problems = [node, miniProgram].flatMap((environment) => {
    const ours = blocks.filter(
      (block) => block.language in endings && environmentOf(block) === environment,
    )
    if (ours.length === 0) return []
    return strictness.flatMap((others) => compileIn(environment, ours, others))
  })
  return [...new Set(problems)]
}

function compileIn(
  { folder, types, lib, files }: Environment,
  blocks: readonly Block[],
  others: ts.CompilerOptions,
): readonly string[] {
  const blockByPath = new Map(
    blocks.map((block, index) => [
      join(folder, `pages/index/block-${index}.${endings[block.language]}`),
      block,
    ]),
  )
  const virtual = new Map([
    ...Object.entries(files).map(([name, text]) => [join(folder, name), text] as const),
    ...[...blockByPath].map(([path, block]) => [path, scriptOf(block)] as const),
  ])
  const options = { ...baseOptions(), ...others, types: [...types], lib: [lib] }
  const host = ts.createCompilerHost(options)
  const { fileExists, readFile, getSourceFile, directoryExists = () => true } = host
  Object.assign(host, {
    getCurrentDirectory: () => folder,
    fileExists: (path) => virtual.has(path) || fileExists(path),
    readFile: (path) => virtual.get(path) ?? readFile(path),
    directoryExists: (path) =>
      folder.startsWith(path) || path.startsWith(folder) || directoryExists(path),
    getSourceFile(path, target, ...rest) {
      const text = virtual.get(path)
      return text === undefined
        ? getSourceFile(path, target, ...rest)
        : ts.createSourceFile(path, text, target)
    },
  } satisfies Partial<ts.CompilerHost>)

  const program = ts.createProgram([...virtual.keys()], options, host)
  const diagnostics = [
    ...program.getOptionsDiagnostics(),
    ...program.getGlobalDiagnostics(),
    ...[...virtual.keys()].flatMap((path) => {
      const source = program.getSourceFile(path)
      return [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)]
    }),
  ]
  return diagnostics.map(({ file, start = 0, messageText, code }) => {
    const message = `${ts.flattenDiagnosticMessageText(messageText, ' ')} (TS${code})`
    const block = file && blockByPath.get(file.fileName)
    if (!file || !block) return `${file?.fileName ?? 'the compiler'}: ${message}`
    const line = block.line + file.getLineAndCharacterOfPosition(start).line
    return `${block.file}:${line} ${message}`
  })
}

/** What is compiled, by language, and as which kind of file. */
const endings: Readonly<Record<string, string>> = { ts: 'ts', tsx: 'tsx', vue: 'ts' }

/** TypeScript that needs packages which are not installed here: `npm run long` compiles and runs it beside them. */
const beside = 'typescript'

/** Of a Vue file its script, on the lines where it stands. */
function scriptOf({ language, code }: Block): string {
  if (language !== 'vue') return code
  const [, before = '', script = ''] =
    /^([\s\S]*?<script[^>]*>)([\s\S]*?)<\/script>/.exec(code) ?? []
  return before.replace(/.*/g, '') + script
}

/** The repository's own settings; an excerpt may leave something unused. */
function baseOptions(): ts.CompilerOptions {
  const { config } = ts.readConfigFile(join(root, 'tsconfig.base.json'), ts.sys.readFile)
  const { options } = ts.convertCompilerOptionsFromJson(config.compilerOptions, root)
  return {
    ...options,
    jsx: ts.JsxEmit.ReactJSX,
    noUnusedLocals: false,
    noUnusedParameters: false,
    moduleDetection: ts.ModuleDetectionKind.Force,
    paths: Object.fromEntries(
      [...sources()].map(([specifier, file]) => [specifier, [join(root, file)]]),
    ),
  }
}

/** A block without what is translated: comments, and the words in a diagram. */
function essence({ language, code }: Block): string {
  if (language === 'mermaid' || language === 'text') return language
  if (language === 'vue') return `vue\n${code.replace(/ *\/\/ .*$/gm, '')}`
  if (!(language in endings || language === beside)) {
    return `${language}\n${code.replace(/ *# .*$/gm, '')}`
  }
  const ending = endings[language] ?? 'ts'
  const source = ts.createSourceFile(`block.${ending}`, code, ts.ScriptTarget.ESNext)
  return `${language}\n${ts.createPrinter({ removeComments: true }).printFile(source)}`
}

function proseOf({ text }: Document): string {
  return text.replace(/^```[\s\S]*?^```$/gm, '')
}

function headingsOf(document: Document): readonly RegExpExecArray[] {
  return [...proseOf(document).matchAll(/^(#+) (.+)$/gm)]
}

function levelsOf(document: Document): readonly number[] {
  return headingsOf(document).map(([, hashes = '']) => hashes.length)
}

function linksOf(document: Document): readonly string[] {
  const prose = proseOf(document).replace(/`[^`\n]*`/g, '')
  const targets = [...prose.matchAll(/\]\(([^)\s]+)\)|src="([^"]+)"/g)].map(
    ([, link, image]) => link ?? image ?? '',
  )
  return targets.filter((target) => !/^[a-z]+:/.test(target))
}

function leadsSomewhere({ file, text }: Document, link: string): boolean {
  const [path = '', anchor] = link.split('#')
  const target = path === '' ? file : join(dirname(file), path)
  if (!existsSync(join(root, target))) return false
  return anchor === undefined || anchorsOf(path === '' ? { file, text } : read(target)).has(anchor)
}

/** Of the site and of the repository. */
function addressesOf({ text }: Document): readonly string[] {
  return text.match(/https:\/\/(?:wxlogin\.github\.io|github\.com\/wxlogin)\/[^\s)"'`]+/g) ?? []
}

function isOurPage(address: string): boolean {
  const [, inSite, inRepository] =
    /^https:\/\/(?:wxlogin\.github\.io\/wxlogin\/(.*)|github\.com\/wxlogin\/wxlogin(?:\/(.+))?)$/.exec(
      address,
    ) ?? []
  if (inSite === undefined) {
    const [, path = ''] = /^(?:blob|tree)\/main\/(.+)/.exec(inRepository ?? '') ?? []
    const [, workflow] = /^actions\/workflows\/([\w.]+)/.exec(inRepository ?? '') ?? []
    if (workflow) return existsSync(join(root, '.github/workflows', workflow))
    return path === ''
      ? /^(issues|releases)?$/.test(inRepository ?? '')
      : leadsSomewhere({ file: 'x', text: '' }, path)
  }
  const [, zh, page = '', anchor] = /^(zh\/)?([\w/-]*)(#.+)?$/.exec(inSite) ?? []
  return leadsSomewhere(
    { file: 'docs/x', text: '' },
    `${page || 'index'}${zh ? '.zh-CN' : ''}.md${anchor ?? ''}`,
  )
}

/** As GitHub makes them: of headings, and of `<a id>`. */
function anchorsOf(document: Document): ReadonlySet<string> {
  const slugs = headingsOf(document).map(([, , heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\p{M} _-]/gu, '')
      .replace(/ /g, '-'),
  )
  const ids = [...document.text.matchAll(/<a id="([^"]+)">/g)].map(([, id = '']) => id)
  return new Set([...slugs, ...ids])
}

type Table = readonly string[]

function tablesOf(document: Document): readonly Table[] {
  const tables = proseOf(document).match(/(?:^\|.*\n)+/gm) ?? []
  return tables.map((table) => table.trim().split('\n'))
}

/** The numbers of columns and rows, and what is code in the first column. */
function shapeOf(table: Table): string {
  const columns = table[0]?.replaceAll('\\|', '').split('|').length
  return `${columns} × ${table.length}: ${namesIn(table).join(' ')}`
}

/** The names that start the rows of a table, be they followed by what they are called with. */
function namesIn(table: Table): readonly string[] {
  return table.flatMap(
    (row) => /^\| (?:<a id="[\w-]+"><\/a>)?`(\w+)(?:(?:<\w+>)?\(.*?\))?`/.exec(row)?.[1] ?? [],
  )
}

/** The names in the table that has a row for this one, sorted. */
function namesBeside(name: string, document: Document): readonly string[] {
  const table = tablesOf(document).find((candidate) => namesIn(candidate).includes(name)) ?? []
  return [...namesIn(table)].sort()
}

/** As the compiler prints it: with double quotes. */
function withoutComments({ file, text }: Document): string {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.ESNext)
  return ts.createPrinter({ removeComments: true }).printFile(source)
}

function sourcesIn(folder: string): readonly Document[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.startsWith('testing'))
    .map((name) => read(`${folder}/${name}`))
}

/** The members of an interface, inherited ones included, or the texts of a union, sorted. */
function membersOf(typeName: string, folder: string): readonly string[] {
  const sources = sourcesIn(folder).map(({ file, text }) =>
    ts.createSourceFile(file, text, ts.ScriptTarget.ESNext),
  )

  function membersNamed(name: string): readonly string[] {
    return sources.flatMap((source) =>
      source.statements.flatMap((statement) => {
        if (ts.isInterfaceDeclaration(statement) && statement.name.text === name) {
          const bases = (statement.heritageClauses ?? []).flatMap(({ types }) => types)
          return [...namesOf(statement.members), ...bases.flatMap(membersIn)]
        }
        if (ts.isTypeAliasDeclaration(statement) && statement.name.text === name) {
          return membersIn(statement.type)
        }
        return []
      }),
    )
  }

  function membersIn(type: ts.TypeNode): readonly string[] {
    if (ts.isUnionTypeNode(type) || ts.isIntersectionTypeNode(type)) {
      return type.types.flatMap(membersIn)
    }
    if (ts.isParenthesizedTypeNode(type)) return membersIn(type.type)
    if (ts.isTypeLiteralNode(type)) return namesOf(type.members)
    if (ts.isLiteralTypeNode(type) && ts.isStringLiteral(type.literal)) return [type.literal.text]
    if (ts.isTypeReferenceNode(type)) return membersNamed(nameOf(type.typeName))
    if (!ts.isExpressionWithTypeArguments(type)) return []
    const name = nameOf(type.expression)
    const [whole] = type.typeArguments ?? []
    return name === 'Omit' && whole ? membersIn(whole) : membersNamed(name)
  }

  const members = membersNamed(typeName)
  if (members.length === 0) throw new Error(`${folder} has no ${typeName}`)
  return [...new Set(members)].sort()
}

function namesOf(members: ts.NodeArray<ts.TypeElement>): readonly string[] {
  return members.flatMap(({ name }) => (name ? [nameOf(name)] : []))
}

function nameOf(node: ts.Node): string {
  return ts.isIdentifier(node) ? node.text : ''
}
