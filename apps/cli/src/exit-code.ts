/** What the program ends with. Scripts rely on it. */
export const EXIT = {
  /** Done as asked. */
  done: 0,
  /** The service refused, or what was given or judged is not valid. */
  refused: 1,
  /** The command line, a file or the environment is wrong; nothing was asked. */
  wrongUse: 2,
  /** The service could not be reached or did not answer in time. */
  unreachable: 3,
} as const;

/** One of {@link EXIT}. */
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];
