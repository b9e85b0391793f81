import type { Text } from '../text.js'

/** A mistake in the settings, and where it was made. Holds no secret. */
export interface Problem {
  readonly text: Text
  /** The variable, the member of the file, or how to name either. */
  readonly where?: string | undefined
}
