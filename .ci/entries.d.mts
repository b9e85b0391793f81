export const entries: Readonly<Record<'server' | 'client', Readonly<Record<string, string>>>>
export const entryFolders: Readonly<Record<string, readonly string[]>>
export const adapters: readonly string[]
export const adaptersElsewhere: readonly string[]
export const entriesWithPeers: readonly string[]
export const phoneEntries: readonly string[]
export const clientEntries: readonly string[]
export function specifierOf(packageName: string, entry: string): string
export function sources(): ReadonlyMap<string, string>
export function sourceAliases(root: string): { find: RegExp; replacement: string }[]
