/**
 * JSON as it leaves the server. On some phones U+2028 and U+2029 end a line, and with it an answer that cannot be parsed.
 */
export const jsonText = (value: unknown): string =>
  JSON.stringify(value).replaceAll('\u2028', '\\u2028').replaceAll('\u2029', '\\u2029')
