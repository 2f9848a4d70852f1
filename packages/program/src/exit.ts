/** Exit codes of every program. Scripts rely on them. */
export const EXIT = {
  /** Done as asked. */
  done: 0,
  /** The work failed: the service refused, a check found a problem, or something broke. */
  failed: 1,
  /** The command line, the settings, a file or the environment is wrong; nothing was done. */
  wrongUse: 2,
  /** The service could not be reached or did not answer in time. */
  unreachable: 3,
  /** The answer could not be written to standard output: the disk is full, for example. */
  outputLost: 4,
} as const;

/** One of {@link EXIT}. */
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];
