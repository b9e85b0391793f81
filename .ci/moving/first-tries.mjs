// The mistakes that the guide warns of, made in its own code for Nest: each has to look as the guide says.
import assert from 'node:assert/strict'
import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { createDeployment } from './deployment.mjs'
import { ask } from './refusals.mjs'

const firstTries = [
  {
    title: 'the filter for everything comes first',
    file: 'main.js',
    from: 'new wrapping_1.ErrorFilter(), new guard_1.RefusalFilter()',
    to: 'new guard_1.RefusalFilter(), new wrapping_1.ErrorFilter()',
    looksLike: { status: 401, challenge: null, body: { code: 401, msg: 'Please log in' } },
  },
  {
    title: 'an error of authenticate escapes',
    file: 'guard.js',
    from: /const { session, response } = [\s\S]*?throw new Refusal\(response\);/,
    to: 'const session = await this.auth.authenticate(request.headers.authorization);',
    looksLike: { status: 500, challenge: null, body: { code: 500 } },
  },
  {
    title: 'the guard answers and returns false',
    file: 'guard.js',
    from: 'throw new Refusal(response);',
    to: '{ context.switchToHttp().getResponse().status(401).json({}); return false; }',
    endsBy: /ERR_HTTP_HEADERS_SENT/,
  },
  {
    title: 'what verify throws gets out of acceptLegacy',
    file: 'login.js',
    from: /catch {\s*return undefined;\s*}/,
    to: 'finally {}',
    looksLike: { status: 500 },
  },
]

export async function checkFirstTries({ folder, env }) {
  const seen = []
  for (const [index, { title, file, from, to, looksLike, endsBy }] of firstTries.entries()) {
    const copy = join(folder, `out/first-try-${index}`)
    cpSync(join(folder, 'out/nest'), copy, { recursive: true })
    const path = join(copy, 'after', file)
    const code = readFileSync(path, 'utf8')
    const wrong = code.replace(from, to)
    assert.notEqual(wrong, code, `${title}: the code of the guide is another one`)
    writeFileSync(path, wrong)
    const deployment = await createDeployment({ cwd: folder, env, size: 1 })
    try {
      await deployment.roll(join(copy, 'after/main.js'))
      const answer = await ask(deployment.url, 'nonsense').catch(({ message }) => ({ message }))
      const { body, ...rest } = looksLike ?? {}
      assert.deepEqual({ ...answer, ...rest }, answer, title)
      assert.deepEqual({ ...answer.body, ...body }, answer.body, title)
      // The answer is out before the process ends.
      for (
        let waitedMs = 0;
        endsBy && !deployment.hasFallen() && waitedMs < 10_000;
        waitedMs += 50
      ) {
        await delay(50)
      }
      assert.equal(deployment.hasFallen(), endsBy !== undefined, title)
      if (endsBy) assert.match(deployment.output(), endsBy, title)
      seen.push(title)
    } finally {
      await deployment.stop()
    }
  }
  return seen
}
