/**
 * Runs contenders in turns, so that whatever else the machine does hits all of them alike, and prints each one's
 * median time beside the first one's. Figures of other machines differ; the ratios should not.
 *
 * @param {string} title
 * @param {Record<string, { prepare?: (count: number) => unknown, run: (prepared: any, count: number) => unknown }>} contenders
 * @param {{ count: number, rounds?: number }} options
 * @returns {Promise<Record<string, number>>} microseconds for one, by name
 */
export async function measure(title, contenders, { count, rounds = 9 }) {
  const names = Object.keys(contenders)
  const times = Object.fromEntries(names.map((name) => [name, []]))

  for (let round = -1; round < rounds; round++) {
    for (const name of names) {
      const { prepare, run } = contenders[name]
      const prepared = await prepare?.(count)
      const startedAt = performance.now()
      await run(prepared, count)
      const microseconds = ((performance.now() - startedAt) * 1000) / count
      // The first round warms up.
      if (round >= 0) times[name].push(microseconds)
    }
  }

  const medians = Object.fromEntries(names.map((name) => [name, median(times[name])]))
  const [first] = names
  const width = Math.max(...names.map((name) => name.length))
  console.log(`\n${title}`)
  for (const name of names) {
    const ratio = medians[name] / medians[first]
    console.log(
      `  ${name.padEnd(width)}  ${format(medians[name]).padStart(9)} µs  ${ratio.toFixed(2).padStart(7)} ×`,
    )
  }
  return medians
}

function median(values) {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)]
}

const format = (microseconds) => microseconds.toFixed(microseconds < 10 ? 2 : 0)
