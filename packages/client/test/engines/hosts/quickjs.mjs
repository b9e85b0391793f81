// node quickjs.mjs <folder of quickjs-emscripten> <script>: runs it on QuickJS. Unlike the other engines' this build
// does not tell of unhandled rejections; those of the timer-based Promise are seen here as well.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'

const [folder, file] = process.argv.slice(2)
const { getQuickJS } = createRequire(`${folder}/`)('quickjs-emscripten')

const engine = (await getQuickJS()).newContext()
const print = engine.newFunction('print', (line) => {
  process.stdout.write(`${engine.getString(line)}\n`)
})
engine.setProp(engine.global, 'print', print)

try {
  evaluate(readFileSync(file, 'utf8')).dispose()
  do {
    engine.unwrapResult(engine.runtime.executePendingJobs())
  } while (evaluate('runNextTimer()').consume(engine.dump))
} catch (error) {
  // Without the stack, which shows this program's minified insides.
  process.stdout.write(`${error.name}: ${error.message}\n`)
  process.exitCode = 1
}

function evaluate(code) {
  return engine.unwrapResult(engine.evalCode(code, file))
}
