/** A native promise turn: out of reach of fake timers and of a replaced `globalThis.Promise`. */
export async function inLaterTurn(run: () => void): Promise<void> {
  await undefined
  run()
}
