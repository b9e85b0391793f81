// A handler that is mounted without its call: it answers, and says what to write.
import assert from 'node:assert/strict'

/** `open` mounts it and gives the url of a route, the errors so far, and what closes the server. */
export async function expectUncalledToFail(open) {
  const { url, errors, close } = await open()
  try {
    const { status } = await fetch(url, {
      headers: { connection: 'close' },
      signal: AbortSignal.timeout(5000),
    })
    assert.equal(status, 500)
    assert.equal(errors.length, 1)
    assert.match(errors[0].message, /^Write requireAuth\(auth\)/)
  } finally {
    await close()
  }
}
