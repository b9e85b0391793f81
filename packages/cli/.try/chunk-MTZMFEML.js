// packages/cli/src/command.ts
var exitCodes = {
  /** Done, and nothing is wrong. */
  fine: 0,
  /** Done, and something is wrong: a problem, a leak. */
  found: 1,
  /** The command was written wrongly. */
  usage: 2,
  /** What the command needs could not be read or reached. */
  failed: 3
};

export {
  exitCodes
};
