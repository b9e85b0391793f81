import { setTimeout as delay } from 'node:timers/promises'

// As many as it takes until most of what runs is compiled.
const warmUpRounds = 8

/**
 * Runs contenders in turns, so that whatever else the machine does hits all of them alike, and prints what one operation
 * of each takes. The first contender is the limit: what nobody can be below. A ratio is taken within a round, against the
 * limit of that very round; printed are the median of these ratios and their quartiles. Figures of other machines differ,
 * ratios hardly do.
 *
 * @param {string} title
 * @param {Record<string, { prepare?: (count: number) => unknown, run: (prepared: any, count: number) => unknown }>} contenders
 * @param {{ count: number, rounds?: number, cpu?: () => number | Promise<number> }} options `cpu`: what the process that
 *   does the work has used so far, in microseconds (default: this one)
 */
export async function measure(title, contenders, { count, rounds = 15, cpu = ownCpu }) {
  const names = Object.keys(contenders)
  const samples = Object.fromEntries(names.map((name) => [name, { wall: [], cpu: [] }]))

  for (let round = -warmUpRounds; round < rounds; round++) {
    // Another one begins each time, so that none always runs in what the same neighbour left in the caches.
    const first = (round + warmUpRounds) % names.length
    for (const name of [...names.slice(first), ...names.slice(0, first)]) {
      const { prepare, run } = contenders[name]
      const prepared = await prepare?.(count)
      // Threads that collect and compile what preparing left behind would count, too.
      await delay(20)
      const cpuBefore = await cpu()
      const startedAt = performance.now()
      await run(prepared, count)
      const wall = ((performance.now() - startedAt) * 1000) / count
      const used = ((await cpu()) - cpuBefore) / count
      if (round < 0) continue
      samples[name].wall.push(wall)
      samples[name].cpu.push(used)
    }
  }

  const [limit] = names
  const result = {
    /** The median over the rounds of one contender's CPU time beside another's. */
    ratio: (name, other) => quartiles(ratios(samples[name].cpu, samples[other].cpu))[1],
    /** The median over the rounds of how many one contender does in the time in which another does one. */
    rate: (name, other) => quartiles(ratios(samples[other].wall, samples[name].wall))[1],
    /** The median over the rounds of what one contender takes more than another, beside a third. */
    added: (name, without, base = without) =>
      quartiles(
        samples[name].cpu.map(
          (used, round) => (used - samples[without].cpu[round]) / samples[base].cpu[round],
        ),
      )[1],
  }
  printTable(
    title,
    ['', 'µs', 'µs CPU', '× limit (CPU)', 'quartiles'],
    names.map((name) => {
      const [low, middle, high] = quartiles(ratios(samples[name].cpu, samples[limit].cpu))
      const { wall, cpu } = samples[name]
      return [
        name,
        format(quartiles(wall)[1]),
        format(quartiles(cpu)[1]),
        middle.toFixed(2),
        `${low.toFixed(2)} – ${high.toFixed(2)}`,
      ]
    }),
  )
  return result
}

/** Does `work(n)` for each n below `count`, so many at once. In operations a second, and milliseconds. */
export async function timed(work, { count, atOnce }) {
  const latencies = []
  let next = 0
  const startedAt = performance.now()
  const lane = async () => {
    for (let n = next++; n < count; n = next++) {
      const from = performance.now()
      await work(n)
      latencies.push(performance.now() - from)
    }
  }
  await Promise.all(Array.from({ length: Math.min(atOnce, count) }, lane))
  const perSecond = count / ((performance.now() - startedAt) / 1000)
  latencies.sort((a, b) => a - b)
  const at = (share) => latencies[Math.min(count - 1, Math.floor(count * share))]
  return { perSecond, p50: at(0.5), p99: at(0.99) }
}

const ratios = (values, others) => values.map((value, round) => value / others[round])

function quartiles(values) {
  const sorted = [...values].sort((a, b) => a - b)
  return [0.25, 0.5, 0.75].map((share) => sorted[Math.floor((sorted.length - 1) * share)])
}

const ownCpu = () => {
  const { user, system } = process.cpuUsage()
  return user + system
}

const format = (microseconds) => microseconds.toFixed(microseconds < 10 ? 2 : 0)

/** As Markdown, so that it can be pasted into a page. */
export function printTable(title, head, rows) {
  const widths = head.map((text, column) =>
    Math.max(text.length, 3, ...rows.map((row) => row[column].length)),
  )
  const line = (cells) =>
    `| ${cells.map((text, column) => (column === 0 ? text.padEnd(widths[0]) : text.padStart(widths[column]))).join(' | ')} |`
  console.log(`\n### ${title}\n`)
  console.log(line(head))
  console.log(
    `| ${widths.map((width, column) => (column === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`)).join(' | ')} |`,
  )
  for (const row of rows) console.log(line(row))
}
