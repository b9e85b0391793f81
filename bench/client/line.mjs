/** The line between a phone and what serves it, on which messages meet their fate. */
export function createLine(serve) {
  const planned = []

  return {
    /** What becomes of the next request with such a path. */
    plan: (fate, isMeant = () => true) => void planned.push({ fate, isMeant }),

    calm() {
      planned.length = 0
    },

    serve(request) {
      const path = request.url.replace(/^https:\/\/[^/]+/, '').replace(/\?.*/, '')
      const index = planned.findIndex(({ isMeant }) => isMeant(path))
      const [{ fate } = { fate: serve }] = index < 0 ? [] : planned.splice(index, 1)
      return fate === serve ? serve(request) : fate(request, serve)
    },
  }
}

/** The server does not get it. */
export const lostRequest = () => ({ delayMs: 100 })

/** The server has done what it was asked, and nobody hears of it. */
export async function lostAnswer(request, serve) {
  await serve(request)
  return { delayMs: 100 }
}

/** A gateway that found no server, as in a rolling deploy. */
export const badGateway = () => ({
  statusCode: 502,
  header: { 'Content-Type': 'text/html' },
  data: '<html><title>502 Bad Gateway</title></html>',
  delayMs: 20,
})

/** The answer needs so long. */
export const slow = (delayMs) => async (request, serve) => ({ ...(await serve(request)), delayMs })
