import { ignore, openTask } from '../task.js'
import type { Wx } from '../wx.js'

/** Makes a new key, at once, so that an answer and the key that goes with it are stored in one turn. */
export type NewKey = () => string

/** What `Math.random` adds has at most 22 characters, and a key 64. */
const partLength = 40

/**
 * Keys of 90 random bits, which `wx.getRandomValues` gives in advance, and 50 of `Math.random`; where it is missing
 * (plugins, mini games, Skills, base library before 2.15), has not answered yet, or answers with something else, of 100 bits of `Math.random`: the
 * key is still unique, and the secret is the token, not the key.
 */
export function createNewKey(wx: Wx): NewKey {
  let digits = ''
  openTask(1_000, (ask) =>
    ask(
      (success, fail) => (wx.getRandomValues || fail)({ length: 4096, success, fail }),
      (result: { randomValues: ArrayBuffer }) => {
        digits = String(new Uint8Array(result.randomValues))
      },
    ),
  ).catch(ignore)

  return () => {
    const part = digits.slice(0, partLength)
    digits = digits.slice(partLength)
    return `${part || Math.random()}-${Math.random()}`.replace(/\W/g, '-')
  }
}
