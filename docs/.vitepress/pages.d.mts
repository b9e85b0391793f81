export interface Page {
  readonly title: string
  /** Its path below docs/, without the ending. */
  readonly page: string
}

export interface Section {
  readonly title: string
  readonly pages: readonly Page[]
}

export function sectionsIn(language: 'en' | 'zh'): readonly Section[]
export function sidebarIn(language: 'en' | 'zh'): readonly object[]
