// The backends in Java and in Python, as their READMEs start them.
import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import * as examples from '../languages/examples.mjs'
import { root, run, start } from '../process.mjs'

const languages = { Java: examples.java, Python: examples.python }

/** Starts one for each login service, on a port that is known before. */
export async function startBackends(place, ports, env) {
  const backends = []
  for (const [name, language] of Object.entries(languages)) {
    const { debian, build, ban } = language
    if (!(await examples.isThere(language))) {
      throw new Error(`${name} needs ${debian}, which is not on this machine`)
    }
    const example = name.toLowerCase()
    const home = join(place, example)
    cpSync(join(root, 'examples', example), home, { recursive: true })
    if (build) {
      const [program, ...args] = build
      const { status, output } = await run(program, args, { cwd: home })
      if (status !== 0) throw new Error(`${name} does not compile\n${output}`)
    }
    const [program, ...args] = language.start
    const port = ports[example]
    const begin = async () => {
      const process = start(program, args, { cwd: home, env: { ...env, PORT: String(port) } })
      await listens(process, port)
      return process
    }
    let process = await begin()
    backends.push({
      name,
      url: `http://127.0.0.1:${port}`,
      ban: (openid) => ban(home, openid),
      stop: () => process.stop(),
      async startAgain() {
        process = await begin()
      },
    })
  }
  return backends
}

async function listens(process, port) {
  for (let n = 0; n < 600; n++) {
    if (process.hasEnded()) throw new Error(`It ends at once\n${process.output()}`)
    if (await fetch(`http://127.0.0.1:${port}/`).catch(() => undefined)) return
    await delay(50)
  }
  throw new Error(`It does not listen\n${process.output()}`)
}
