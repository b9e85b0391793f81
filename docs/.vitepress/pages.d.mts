export interface Page {
  readonly title: string
  /** Its path below docs/, without the ending. */
  readonly page: string
  /** What is said of it there. */
  readonly about: string
}

export interface Section {
  readonly title: string
  readonly pages: readonly Page[]
}

export function sectionsIn(language: 'en' | 'zh'): readonly Section[]
export function entryOf(page: string, language: 'en' | 'zh'): Page | undefined
export function sidebarIn(language: 'en' | 'zh'): readonly object[]
