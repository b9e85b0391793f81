import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type RequestListener } from 'node:http'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'
import type { World } from '../src/command.js'
import { run } from '../src/run.js'

export const root: string = fileURLToPath(new URL('../../..', import.meta.url))

export interface Ran {
  readonly exit: number
  /** What it printed. */
  readonly out: string
  /** What it said beside that. */
  readonly err: string
  /** What it printed with `--json` or `--sarif`. */
  json(): ReturnType<typeof JSON.parse>
}

/** Runs a command line in English, in an environment that has nothing else. */
export async function wxlogin(
  args: readonly string[],
  {
    env = { LANG: 'en_US.UTF-8' },
    cwd = root,
    now = Date.now,
    busy = () => () => {},
    interrupted = () => Promise.resolve(),
    isAppending = false,
  }: Partial<World> = {},
): Promise<Ran> {
  const out: string[] = []
  const err: string[] = []
  const exit = await run(args, {
    env,
    cwd,
    now,
    busy,
    print: (text) => out.push(text),
    remark: (text) => err.push(text),
    interrupted,
    isInteractive: false,
    isAppending,
  })
  return { exit, out: out.join('\n'), err: err.join('\n'), json: () => JSON.parse(out.join('\n')) }
}

/** A folder with these files, for the time of the test. */
export function folderWith(files: Readonly<Record<string, string | Buffer>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'wxlogin-cli-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), content)
  }
  return folder
}

/** A server on this machine, for the time of the test. */
export async function listen(answer: RequestListener): Promise<string> {
  const server = createServer(answer)
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  onTestFinished(async () => {
    server.closeAllConnections()
    await new Promise((closed) => server.close(closed))
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('The server has no port')
  return `http://127.0.0.1:${address.port}`
}
