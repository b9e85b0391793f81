import { exchange } from './exchange.js'
import type { Offer } from './scenario.js'
import type { Settings } from './settings.js'

/** What the server has, as it answers, and what the command line told of it. */
export async function offersOf({
  serverUrl,
  appId,
  guardedUrl,
  revokeUrl,
  prefetchUrl,
  refusedInput,
}: Settings): Promise<ReadonlySet<Offer>> {
  const ask = (method: string, path: string, body?: object) =>
    exchange({
      method,
      url: serverUrl + path,
      headers: body ? { 'content-type': 'application/json' } : {},
      body: body && JSON.stringify(body),
    })
  const phone = await ask('POST', '/phone', { code: 'a' })
  const jwks = await ask('GET', '/jwks.json')
  const device = await ask('POST', '/device', { app_id: appId })
  const isThere = (outcome: typeof phone) => 'status' in outcome && outcome.status < 300
  // Without a token it is refused, where it is there.
  const hasPhone = 'status' in phone && phone.status === 401

  const found: Readonly<Record<Offer, boolean>> = {
    phone: hasPhone,
    jwks: isThere(jwks),
    device: isThere(device),
    numbers: 'members' in device && device.members.number !== undefined,
    guarded: hasPhone || guardedUrl !== undefined,
    revoke: revokeUrl !== undefined,
    refused: refusedInput !== undefined,
    prefetch: prefetchUrl !== undefined,
  }
  const names = Object.keys(found) as Offer[]
  return new Set(names.filter((offer) => found[offer]))
}
