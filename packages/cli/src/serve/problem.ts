import type { Text } from '../text.js'
import type { SettingName } from './setting-names.js'

/** A mistake in the settings, and where it was made. Holds no secret. */
export interface Problem {
  /** The setting, of which then nothing else is said. */
  readonly name?: SettingName | undefined
  readonly text: Text
  /** The variable, the member of the file, or how to name either. */
  readonly where?: string | undefined
}

/** As it is printed. */
export function lineOf({ text, where }: Problem, say: (text: Text) => string): string {
  return `  - ${say(text)}${where === undefined ? '' : `\n      (${where})`}`
}
