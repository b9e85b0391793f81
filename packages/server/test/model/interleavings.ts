import type fc from 'fast-check'

// `npm run chaos` asks for more; WXLOGIN_SEED and WXLOGIN_PATH repeat what a failure printed.
const { WXLOGIN_INTERLEAVINGS, WXLOGIN_SEED, WXLOGIN_PATH } = process.env

const isChaos = WXLOGIN_INTERLEAVINGS !== undefined

const usualSeed = 20_261_126

/** How often to run: this often in `npm test`, and this share (0 to 1) of all interleavings in `npm run chaos`. */
export function runsOf(few: number, share: number): fc.Parameters<unknown> {
  return {
    numRuns: isChaos ? Math.ceil(Number(WXLOGIN_INTERLEAVINGS) * share) : few,
    // `npm test` looks at the same ones each time, so that it fails for what was changed and for nothing else.
    ...(WXLOGIN_SEED !== undefined && { seed: Number(WXLOGIN_SEED) }),
    ...(WXLOGIN_SEED === undefined && !isChaos && { seed: usualSeed }),
    ...(WXLOGIN_PATH !== undefined && { path: WXLOGIN_PATH }),
  }
}

/** What happened how often: shown by `npm run chaos`, and proof that a property met what it is about. */
export function createFigures(title: string) {
  const figures = new Map<string, number>()
  const startedAt = performance.now()
  return {
    count(what: string): void {
      figures.set(what, (figures.get(what) ?? 0) + 1)
    },
    of: (what: string): number => figures.get(what) ?? 0,
    show(): void {
      if (!isChaos) return
      const rows = [...figures].sort(([a], [b]) => a.localeCompare(b))
      const seconds = Math.round((performance.now() - startedAt) / 1000)
      const lines = rows.map(([what, times]) => `  ${what.padEnd(32)}${String(times).padStart(10)}`)
      console.log([`${title} (${seconds} s)`, ...lines].join('\n'))
    },
  }
}
