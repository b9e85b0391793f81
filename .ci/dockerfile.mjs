// The steps of a Dockerfile, run in an empty folder. The image itself is not built: what is in `FROM` beside Node is not
// looked at, and nobody becomes another user.
import { cpSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { run } from './process.mjs'

export function stepsOf(file) {
  return readFileSync(file, 'utf8')
    .split(/\r?\n/)
    .filter((line) => line !== '' && !line.startsWith('#'))
}

/** What comes of them: where the program is, how it is started, and what was wrong. */
export async function buildSteps(steps, { source, image }) {
  const built = {
    folder: image,
    env: {},
    port: 0,
    user: 'root',
    /** What ENTRYPOINT, CMD and HEALTHCHECK say: a program and its arguments. */
    entry: [],
    command: [],
    health: [],
    wrong: [],
  }
  const known = {
    FROM(what) {
      const [, major = 0] = /^node:(\d+)-slim$/.exec(what) ?? []
      if (Number(major) < 20) built.wrong.push(`FROM ${what}: not a Node that the server runs on`)
    },
    WORKDIR(path) {
      built.folder = join(image, path)
      mkdirSync(built.folder, { recursive: true })
    },
    COPY(what) {
      const [from, to] = what.split(' ')
      cpSync(join(source, from), join(built.folder, to, from), { recursive: true })
    },
    async RUN(line) {
      const [command, ...args] = line.split(' ')
      const { status, output } = await run(command, args, { cwd: built.folder })
      if (status !== 0) built.wrong.push(`RUN ${line}\n${output}`)
    },
    ENV(assignment) {
      const [name, value] = assignment.split('=')
      built.env[name] = value
    },
    EXPOSE(port) {
      built.port = Number(port)
    },
    USER(name) {
      built.user = name
    },
    HEALTHCHECK(what) {
      const [, json] = /^(?:--\S+ )*CMD (\[.*\])$/.exec(what) ?? []
      if (json) built.health = programOf(JSON.parse(json))
      else built.wrong.push(`HEALTHCHECK ${what}: only a CMD in JSON is known here`)
    },
    ENTRYPOINT(json) {
      built.entry = programOf(JSON.parse(json))
    },
    CMD(json) {
      built.command = programOf(JSON.parse(json))
    },
  }
  for (const step of steps) {
    const [, name, what] = /^([A-Z]+) (.*)$/.exec(step) ?? []
    if (known[name]) await known[name](what)
    else built.wrong.push(`a step that is not known here: ${step}`)
  }
  return built
}

const programOf = ([program, ...args]) => [program === 'node' ? process.execPath : program, ...args]
