import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { WxResponse } from '@wxlogin/client'
import type { Backend } from '@wxlogin/client/backend'
import { transform } from 'esbuild'

export interface Description {
  readonly backend: Backend
  readonly isUnauthorized: (response: WxResponse) => boolean
  readonly unwrap: (response: WxResponse) => unknown
}

/** The code below this heading of docs/backends.md, run. Each call gives a module of its own. */
export async function descriptionOf(
  heading: string,
  root = fileURLToPath(new URL('../../../../', import.meta.url)),
): Promise<Description> {
  const text = readFileSync(`${root}docs/backends.md`, 'utf8')
  const section = text.split('\n## ').find((one) => one.startsWith(`${heading}\n`)) ?? ''
  const [, code] = /^```ts\n([\s\S]*?)^```$/m.exec(section) ?? []
  if (!code) throw new Error(`docs/backends.md describes no ${heading}`)
  const { code: script } = await transform(code, { loader: 'ts', format: 'cjs' })
  const exports = {}
  new Function('exports', 'module', script)(exports, {
    set exports(made: object) {
      Object.defineProperties(exports, Object.getOwnPropertyDescriptors(made))
    },
  })
  return exports as Description
}
