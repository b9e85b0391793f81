/** A sentence in both languages. */
export interface Text {
  readonly en: string
  readonly zh: string
}

export type Language = keyof Text

export const languages: readonly Language[] = ['en', 'zh']

/** The language of the system, from its environment, and where that says nothing, as on Windows, from its locale. */
export function systemLanguage(
  env: Readonly<Record<string, string | undefined>>,
  systemLocale = Intl.DateTimeFormat().resolvedOptions().locale,
): Language {
  const locale = env.LC_ALL || env.LC_MESSAGES || env.LANG || systemLocale
  return /^zh\b|^zh_/i.test(locale) ? 'zh' : 'en'
}
