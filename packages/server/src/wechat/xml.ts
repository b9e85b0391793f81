/** What an element holds: a text, other elements by their name, or several of one name. */
export type XmlValue = string | { readonly [name: string]: XmlValue } | readonly XmlValue[]

// Name, opening or closing; text in CDATA; or anything up to the next `<`.
const tokens = /<(\/?)([A-Za-z_][\w.-]{0,63})>|<!\[CDATA\[([\s\S]*?)\]\]>|([^<]+)/y
const maxDepth = 6

const entities: Readonly<Record<string, string>> = {
  '&lt;': '<',
  '&gt;': '>',
  '&amp;': '&',
  '&quot;': '"',
  '&apos;': "'",
}

/**
 * The content of the root element of XML as WeChat pushes it: elements with text, CDATA or elements in them. Nothing else
 * is XML here, so no declaration is obeyed and no entity but the five of XML itself is known. `undefined` for the rest.
 */
export function readXml(xml: string): XmlValue | undefined {
  const reader = new RegExp(tokens)
  const text = xml.trim().replace(/^<\?xml [^<>]*\?>\s*/, '')

  /** What stands before the closing tag of this name. */
  function content(name: string, depth: number): XmlValue | undefined {
    if (depth > maxDepth) return undefined
    const children = new Map<string, XmlValue[]>()
    let own = ''
    let hasText = false
    for (let token = reader.exec(text); token; token = reader.exec(text)) {
      const [, slash, tag, cdata, plain] = token
      if (slash === '/') {
        if (tag !== name || (hasText && children.size > 0)) return undefined
        return children.size > 0 ? membersOf(children) : own
      }
      if (tag !== undefined) {
        const child = content(tag, depth + 1)
        if (child === undefined) return undefined
        const known = children.get(tag)
        if (known) known.push(child)
        else children.set(tag, [child])
        continue
      }
      const piece = cdata ?? decoded(plain ?? '')
      if (piece === undefined) return undefined
      // White space between elements is nobody's text.
      own += piece
      hasText ||= cdata !== undefined || piece.trim() !== ''
    }
    return undefined
  }

  const root = reader.exec(text)
  const [, slash, tag] = root ?? []
  if (slash !== '' || tag === undefined) return undefined
  const found = content(tag, 1)
  return reader.lastIndex === text.length ? found : undefined
}

function membersOf(children: ReadonlyMap<string, readonly XmlValue[]>): XmlValue {
  // As own members, whatever their name.
  return Object.fromEntries(
    [...children].map(([name, values]) => {
      const [first = '', ...others] = values
      return [name, others.length === 0 ? first : values]
    }),
  )
}

function decoded(text: string): string | undefined {
  const isKnown = text.replace(/&(lt|gt|amp|quot|apos);/g, '').includes('&') === false
  return isKnown ? text.replace(/&\w+;/g, (entity) => entities[entity] ?? '') : undefined
}

/** The same in the other direction, for answers. */
export function writeXml(fields: Readonly<Record<string, string | number>>): string {
  const elements = Object.entries(fields).map(([name, value]) => {
    const text =
      typeof value === 'number'
        ? value
        : `<![CDATA[${value.replaceAll(']]>', ']]]]><![CDATA[>')}]]>`
    return `<${name}>${text}</${name}>`
  })
  return `<xml>${elements.join('')}</xml>`
}
