// A whole string of JSON, but for what the grammar forbids in it as it is: control characters.
const strings = /"(?:[^"\\]|\\[ -~])*"/g
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
const controlCharacters = /[\u0000-\u001f]/g

/**
 * JSON as WeChat writes it: in a nickname or an address a line break or a tab may stand unescaped. `undefined` for what
 * is not JSON all the same; the parser's error quotes the text, so it is not passed on.
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
