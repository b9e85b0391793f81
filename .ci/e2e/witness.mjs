// What is seen on the way: sentences that have to hold, on the screen and on the wire, each told as it does.

/** @param {(line: string) => void} say */
export function createWitness(say) {
  const errors = []
  let wire = []

  return {
    /** Hears of each request: `POST /wx/login 200`. */
    onRequest: (line) => void wire.push(line),

    /** Remembers what goes wrong on this page. */
    watch(page) {
      page.on('pageerror', (error) => errors.push(String(error.stack ?? error)))
      page.on('console', (message) => {
        // A browser complains about every 401 by itself.
        const isOurs = !message.text().startsWith('Failed to load resource')
        if (message.type() === 'error' && isOurs) errors.push(message.text())
      })
    },

    holds,

    async shows(page, text) {
      const isThere = await settles(page.getByText(text, { exact: true }).waitFor())
      const seen = isThere
        ? ''
        : `It shows: ${await page.locator('main, #app').first().textContent()} ${errors.join('\n')}`
      await holds(`the screen shows ${text}`, isThere, seen)
    },

    async hides(page, text) {
      const count = await page.getByText(text, { exact: true }).count()
      await holds(`and no longer ${text}`, count === 0)
    },

    /** What went over the wire since the last look, once as much has gone as was expected. */
    async sent(...expected) {
      const endsAt = Date.now() + 15_000
      while (wire.length < expected.length && Date.now() < endsAt) await pause(20)
      // Time for what should not come.
      await pause(100)
      const lines = wire
      wire = []
      const wanted = expected.join(', then ') || 'nothing'
      await holds(
        `over the wire went ${wanted}`,
        lines.join() === expected.join(),
        `There went ${lines.join(', ') || 'nothing'}. ${errors.join('\n')}`,
      )
    },

    noErrors: () => holds('no error was thrown on the way', errors.length === 0, errors.join('\n')),
  }

  async function holds(sentence, isTrue, details = '') {
    if (!isTrue) throw new Error(`this does not hold: ${sentence}. ${details}`)
    say(`  ✓ ${sentence}`)
  }
}

function settles(promise) {
  return promise.then(
    () => true,
    () => false,
  )
}

function pause(ms) {
  return new Promise((wake) => setTimeout(wake, ms))
}
