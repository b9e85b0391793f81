/** As it leaves the phone: names in lower case, and a `referer` that the app cannot set. */
export function headerOf(
  given: Record<string, string> = {},
  appId: string,
): Record<string, string> {
  return { ...lowerCased(given), referer: `https://servicewechat.com/${appId}/0/page-frame.html` }
}

export function lowerCased(given: Record<string, string> = {}): Record<string, string> {
  const entries = Object.entries(given)
  return Object.fromEntries(entries.map(([name, value]) => [name.toLowerCase(), String(value)]))
}

/** One text per name, as the platform hands it to the app. */
export function folded(
  header: Readonly<Record<string, string | readonly string[]>>,
): Record<string, string> {
  const entries = Object.entries(header)
  return Object.fromEntries(entries.map(([name, value]) => [name, String(value)]))
}
