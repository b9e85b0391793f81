import { openTask } from '../task.js'
import type { Wx } from '../wx.js'

/**
 * 128 random bits. Where `wx.getRandomValues` is missing (plugins, mini games, Skills, base library before 2.15) or
 * does not answer they come from `Math.random`: the key is still unique, and the secret is the token, not the key.
 */
export const newIdempotencyKey = (wx: Wx): Promise<string> =>
  openTask(1_000, (ask) =>
    ask(
      (success, fail) => (wx.getRandomValues || fail)({ length: 16, success, fail }),
      ({ randomValues }: { randomValues: ArrayBuffer }) => new Uint8Array(randomValues),
    ),
  )
    .catch(() => [Math.random(), Math.random()])
    .then((numbers) => String(numbers).replace(/\W/g, '-'))
