import { randomBytes } from 'node:crypto'
import { baseUrl } from './backend.js'
import type { Phone, StoredRecord } from './phone.js'
import type { World } from './world.js'

/** What was stolen: just the refresh token, or everything that is stored. */
export type Loot = 'token' | 'clone'

export type Thief = ReturnType<typeof createThief>

const newKey = () => randomBytes(16).toString('base64url')

/** Someone else with a copy of what the phone stores, used by hand and, after a clone, by the real client too. */
export function createThief(world: World, loot: Loot) {
  // Everything that was ever held, the newest last.
  const held: { token: string; key: string }[] = []
  let phone: Phone | undefined

  async function present({ token, key }: { token: string; key: string }): Promise<boolean> {
    const { statusCode, body } = await world.backend.serve({
      url: `${baseUrl}/wx/refresh`,
      method: 'POST',
      header: { 'content-type': 'application/json', 'idempotency-key': key },
      body: JSON.stringify({ refresh_token: token }),
    })
    if (statusCode !== 200) return false
    held.push({ token: JSON.parse(String(body)).refresh_token, key: newKey() })
    return true
  }

  function keep({ refresh_token: token, key = '' }: StoredRecord): void {
    if (token === undefined) return
    held.push({ token, key: loot === 'clone' ? key : newKey() })
  }

  return {
    hasStolen: () => held.length > 0,

    /** Once, at any time. */
    steal(): void {
      const record = world.left.record()
      if (held.length > 0 || !record?.access_token) return
      keep(record)
      if (loot === 'clone') {
        phone = world.phoneNamed('thief', 'mallory', new Map(world.left.storage))
      }
    },

    /** Presents what was stolen or gained last. */
    async refresh(): Promise<boolean> {
      const newest = held.at(-1)
      return newest !== undefined && present(newest)
    },

    /** Lets the real client do on the cloned storage what it does. */
    request: () => phone?.request(),

    /** Tries everything that was ever held, with the keys that it came with and with new ones. */
    async tryEverything(): Promise<boolean> {
      const stored = phone?.record()
      if (stored) keep(stored)
      let hasSucceeded = false
      for (const { token, key } of held.slice().reverse()) {
        if (world.backend.ownerOf(token) === 'mallory') continue
        if (await present({ token, key })) hasSucceeded = true
        if (await present({ token, key: newKey() })) hasSucceeded = true
      }
      return hasSucceeded
    },

    whoAmI: () => phone?.whoAmI(),
  }
}
