import type { Figures } from './traffic.js'

const { WXLOGIN_CHAOS_ROUNDS } = process.env

/** Whether this is `npm run chaos`, where faults last longer and come again. */
export const isLong = WXLOGIN_CHAOS_ROUNDS !== undefined

/** How often each fault comes. */
export const rounds: readonly number[] = Array.from(
  { length: Number(WXLOGIN_CHAOS_ROUNDS ?? 1) },
  (_, n) => n + 1,
)

const columns = [
  ['requests', 'requests'],
  ['503s', 'unavailable'],
  ['retries', 'retries'],
  ['rotated', 'rotations'],
  ['healed', 'heals'],
  ['forgotten', 'forgotten'],
  ['duels', 'duels'],
  ['both won', 'doubleWins'],
  ['recovery', 'recoveryMs'],
] as const satisfies readonly (readonly [string, keyof Figures])[]

/** A table with one line per fault. */
export function createReport() {
  const lines: string[] = []
  const line = (title: string, cells: readonly string[]) =>
    lines.push(title.padEnd(54) + cells.map((cell) => cell.padStart(10)).join(''))

  return {
    add(title: string, figures: Figures): void {
      if (lines.length === 0)
        line(
          '20 phones, 2 instances',
          columns.map(([name]) => name),
        )
      line(
        title,
        columns.map(([, name]) => {
          const figure = Math.round(figures[name])
          return name === 'recoveryMs' ? `${figure} ms` : String(figure)
        }),
      )
    },

    show(): void {
      if (lines.length > 0) console.log(lines.join('\n'))
    },
  }
}
