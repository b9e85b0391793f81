import type { Language, Text } from './text.js'

/** What a command exits with. */
export const exitCodes = {
  /** Done, and nothing is wrong. */
  fine: 0,
  /** Done, and something is wrong: a problem, a leak. */
  found: 1,
  /** The command was written wrongly. */
  usage: 2,
  /** What the command needs could not be read or reached. */
  failed: 3,
} as const

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes]

/** An option of a command. Without `value` it is a switch. */
export interface Option {
  /** What stands for the value in the help, `URL` for example. */
  readonly value?: string
  /** The only values that there are. */
  readonly values?: readonly string[]
  /** What is meant when it is written without a value; without this, a value is needed. */
  readonly usual?: string
  /** It is not in the help. */
  readonly isHidden?: true
  readonly about: Text
}

/** What a command gets of the world. Tests give it another. */
export interface World {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly cwd: string
  /** The clock, in milliseconds since the epoch. */
  readonly now: () => number
  /** What the command has to say, one line or more. */
  readonly print: (text: string) => void
  /** What is beside the point when the output is piped to somewhere. */
  readonly remark: (text: string) => void
  /** Says what takes its time, to somebody who waits at a terminal; what it returns takes that back. */
  readonly busy: (text: string) => () => void
  /** Resolves when the command is to end that does not end by itself, at Ctrl+C; the second time it ends at once. */
  readonly interrupted: () => Promise<void>
  /** Whether what is printed goes to the end of a file that holds something already. */
  readonly isAppending: boolean
  /** Whether somebody sits before it who can be asked. */
  readonly isInteractive: boolean
}

/** How a command was called. */
export interface Call extends World {
  /** What stands beside the options. */
  readonly words: readonly string[]
  /** What follows `--`, where the command starts a program. */
  readonly program: readonly string[]
  readonly value: (option: string) => string | undefined
  readonly has: (option: string) => boolean
  readonly language: Language
  readonly say: (text: Text) => string
}

/** A command, one file each. `--help`, `--lang` and, where there is something to read, `--json` are added to its options. */
export interface Command {
  /** What follows its name, `[path]` for example. */
  readonly usage: string
  /** How many words it takes beside its options. */
  readonly maxWords: number
  /** It starts the program that follows `--`. */
  readonly startsProgram?: true
  readonly options: Readonly<Record<string, Option>>
  /** What the help says below the options. */
  readonly notes?: Text
  readonly run: (call: Call) => Promise<ExitCode>
}

/** A command as the list of commands has it, which loads none of them. */
export interface ListedCommand {
  readonly about: Text
  readonly load: () => Promise<Command>
}
