// Counts what phones see, by the part of the story that it happens in, and the share of old tokens over time.

const sampleMs = 1000

export function createCounter() {
  const rows = []
  const samples = []
  let row
  let startedAt

  function sample() {
    const index = Math.floor((performance.now() - startedAt) / sampleMs)
    samples[index] ??= { old: 0, new: 0 }
    return samples[index]
  }

  return {
    begin(title, { isMistake = false } = {}) {
      const counts = { requests: 0, failed: 0, logouts: 0, oldTokens: 0, newTokens: 0 }
      row = { title, isMistake, ...counts, oldLogins: 0, silentLogins: 0, why: {} }
      rows.push(row)
      startedAt ??= performance.now()
      return row
    },

    /** A page asked for its data; with a problem if it has none. */
    asked(problem) {
      row.requests++
      if (problem === undefined) return
      row.failed++
      row.why[problem] = (row.why[problem] ?? 0) + 1
    },

    /** Something came back to a phone. */
    wire(path, status) {
      if (path === '/api/login' && status === 200) row.oldLogins++
      if (path === '/wx/login' && status === 200) row.silentLogins++
    },

    /** A request that carries a token left a phone. */
    token(version) {
      sample()[version]++
      row[version === 'old' ? 'oldTokens' : 'newTokens']++
    },

    loggedOut() {
      row.logouts++
    },

    rows: () => rows,

    print() {
      const columns = {
        '': ({ title }) => title,
        requests: ({ requests }) => requests,
        failed: ({ failed }) => failed,
        logouts: ({ logouts }) => logouts,
        'old tokens': ({ oldTokens }) => oldTokens,
        'new tokens': ({ newTokens }) => newTokens,
        'old logins': ({ oldLogins }) => oldLogins,
        'silent logins': ({ silentLogins }) => silentLogins,
      }
      const total = { title: 'in all, without the mistake' }
      const counted = rows.filter(({ isMistake }) => !isMistake)
      for (const name of Object.keys(rows[0]).filter((name) => typeof rows[0][name] === 'number')) {
        total[name] = counted.reduce((sum, one) => sum + one[name], 0)
      }
      const table = [
        Object.keys(columns),
        ...[...rows, total].map((one) => Object.values(columns).map((cell) => String(cell(one)))),
      ]
      const widths = table[0].map((_, at) => Math.max(...table.map((line) => line[at].length)))
      for (const line of table) {
        const cells = line.map((cell, at) => cell[at === 0 ? 'padEnd' : 'padStart'](widths[at]))
        console.log(cells.join('  '))
      }
      for (const { title, why } of rows) {
        for (const [problem, count] of Object.entries(why)) {
          console.log(`  ${title}: ${count} × ${problem}`)
        }
      }
      const shares = Array.from(samples, (one) =>
        one ? Math.round((100 * one.old) / (one.old + one.new)) : '–',
      )
      console.log(`old tokens, in % of the requests of each second: ${shares.join(' ')}`)
    },
  }
}
