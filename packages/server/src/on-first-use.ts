/** Loads with the first call, once for all. A load that fails is tried again with the next call. */
export function onFirstUse<Loaded>(load: () => Promise<Loaded>): () => Promise<Loaded> {
  let loading: Promise<Loaded> | undefined
  return () => {
    loading ??= load().catch((error) => {
      loading = undefined
      throw error
    })
    return loading
  }
}

type Method = (...input: never[]) => Promise<unknown>

/** An object, all of whose methods are asynchronous, that is loaded when one of them is called for the first time. */
export function withMethodsOf<Loaded extends Readonly<Record<keyof Loaded, Method>>>(
  load: () => Promise<Loaded>,
  names: Readonly<Record<keyof Loaded, true>>,
): Loaded {
  const loaded = onFirstUse(load)
  const methods = Object.keys(names).map((name) => [
    name,
    async (...input: never[]) => (await loaded())[name as keyof Loaded](...input),
  ])
  return Object.fromEntries(methods) as Loaded
}
