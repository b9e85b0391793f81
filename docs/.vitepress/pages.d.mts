export interface Page {
  /** Its path below docs/, without the ending. */
  readonly page: string
  readonly en: string
  readonly zh: string
}

export interface Section {
  readonly en: string
  readonly zh: string
  readonly pages: readonly Page[]
}

export const sections: readonly Section[]
export function sidebarIn(language: 'en' | 'zh'): readonly object[]
