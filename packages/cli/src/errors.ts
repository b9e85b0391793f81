import type { Text } from './text.js'

/** `usage`: the command was written wrongly · `failed`: what it needs cannot be read or reached. */
export type CliErrorCode = 'usage' | 'failed'

/** The only error class of this package. What it says is for whoever typed the command, and holds no secret. */
export class CliError extends Error {
  override readonly name = 'CliError'
  readonly code: CliErrorCode
  readonly text: Text

  constructor(code: CliErrorCode, text: Text, options: ErrorOptions = {}) {
    super(text.en, options)
    this.code = code
    this.text = text
  }
}
