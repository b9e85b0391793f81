// A JSON string that may contain unescaped control characters, which the grammar forbids. One without an end is taken as
// far as it goes, and not looked for again from every quote in it.
const strings = /"(?:[^"\\]|\\[ -~])*"?/g
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
const controlCharacters = /[\u0000-\u001f]/g

/**
 * Parses JSON as WeChat writes it: a nickname or an address may contain an unescaped line break or tab. Returns
 * `undefined` for anything that is still not JSON: the parser's error would quote the text.
 */
export function parseJson(text: string): unknown {
  return parse(text) ?? parse(text.replace(strings, escapeControlCharacters))
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const escapeControlCharacters = (string: string) =>
  string.replace(
    controlCharacters,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
