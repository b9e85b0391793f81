/** The element with this id, which `index.html` has. */
export function byId<E extends HTMLElement = HTMLElement>(id: string): E {
  const found = document.getElementById(id)
  if (!found) throw new Error(`index.html has no #${id}`)
  return found as E
}

interface Parts {
  readonly className?: string
  readonly text?: string
  readonly title?: string
}

/** A new element. Text is only ever text, whatever came over the wire. */
export function create<K extends keyof HTMLElementTagNameMap>(
  name: K,
  { className, text, title }: Parts = {},
  children: readonly Node[] = [],
): HTMLElementTagNameMap[K] {
  const element = document.createElement(name)
  if (className !== undefined) element.className = className
  if (text !== undefined) element.textContent = text
  if (title !== undefined) element.title = title
  element.append(...children)
  return element
}

export function button(text: string, onClick: () => void): HTMLButtonElement {
  const element = create('button', { text })
  element.type = 'button'
  element.addEventListener('click', onClick)
  return element
}

/** Sets a text only when it is another, so that screen readers do not say it twice. */
export function setText(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text
}

export function timeOf(ms: number): string {
  const date = new Date(ms)
  const [hours, minutes, seconds] = [date.getHours(), date.getMinutes(), date.getSeconds()].map(
    (part) => String(part).padStart(2, '0'),
  )
  return `${hours}:${minutes}:${seconds}.${String(date.getMilliseconds()).padStart(3, '0')}`
}
