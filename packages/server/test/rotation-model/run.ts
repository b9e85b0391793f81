// Run by .ci/model.mjs: prints what a search through one world finds, the stories that the broken rules lead to, or the
// names of the worlds.
import { brokenRules, realRules } from './rules.js'
import { search } from './search.js'
import { tell } from './tell.js'
import { nothing, worlds } from './worlds.js'

const [name = ''] = process.argv.slice(2)
const number = new Intl.NumberFormat('en').format

function lookAt(name: string): boolean {
  const world = worlds.find((one) => one.name === name)
  if (!world) throw new TypeError(`there is no world ${name}`)
  const { en, zh, bounds, depth = Number.POSITIVE_INFINITY } = world
  const startedAt = performance.now()
  const found = search({ rules: realRules, bounds, depth })
  const seconds = Math.round((performance.now() - startedAt) / 1000)
  const { states, transitions, isComplete, broken } = found
  const figures = [number(states), number(transitions), `${found.depth}`]
  console.log(
    JSON.stringify({
      seconds,
      en: `| ${[en, ...figures, isComplete ? 'all' : 'to this depth'].join(' | ')} |`,
      zh: `| ${[zh, ...figures, isComplete ? '全部' : '到此深度'].join(' | ')} |`,
      ...(broken && { story: tell(broken, realRules, 'en') }),
    }),
  )
  return !broken
}

function tellBroken(): boolean {
  return brokenRules.every(({ en, rules, bounds }) => {
    const { broken, states } = search({ rules, bounds: { ...nothing, ...bounds }, depth: 12 })
    console.log(`\n${en}\n${broken ? tell(broken, rules, 'en') : 'No story was found.'}`)
    console.log(`(the shortest story; ${number(states)} states)`)
    return broken !== undefined
  })
}

if (name === 'names') console.log(JSON.stringify(worlds.map(({ name }) => name)))
else if (!(name === 'broken' ? tellBroken() : lookAt(name))) process.exitCode = 1
