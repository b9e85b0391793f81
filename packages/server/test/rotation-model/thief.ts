import {
  excused,
  isSameToken,
  isTooOld,
  type Loot,
  type Message,
  type State,
  type Storage,
  type Token,
} from './state.js'

/** How many copies a thief holds. */
const maxLoot = 3

/** The thief keeps what may still be of use, the newest last. Of what is too old for that, one copy is like another. */
export function withLoot(state: State, loot: Loot): State {
  const isKnown = state.loot.some(({ token, key }) => {
    const isSame = isSameToken(token, loot.token) && (loot.key === undefined || key === loot.key)
    const areUseless = isTooOld(state, token) && isTooOld(state, loot.token)
    return isSame || (areUseless && token.session === loot.token.session)
  })
  if (isKnown) return state
  const others = state.loot.filter(({ token }) => !isSameToken(token, loot.token) || loot.key)
  return { ...state, loot: [...others, loot].slice(-maxLoot) }
}

export const stolenFrom = (storage: Storage): Message | undefined =>
  storage.kind === 'pair' ? storage : storage.kind === 'signed out' ? storage.untold : undefined

export function thiefsMessage(
  state: State,
  { loot, isWithKey }: { loot: number; isWithKey: boolean },
): [State, Message?] {
  const { token, key } = state.loot[loot] ?? {}
  if (!token) return [state]
  const begun = touched(state, token)
  if (isWithKey && key !== undefined) return [begun, { token, key }]
  return [
    { ...begun, nextKey: state.nextKey + 1 },
    { token, key: state.nextKey },
  ]
}

export function touched(state: State, { session }: Token): State {
  if (state.touched[session]) return state.isExcused ? state : excused(state)
  const next = state.touched.slice()
  while (next.length < session) next.push(false)
  next[session] = true
  return { ...state, touched: next, isExcused: true }
}
