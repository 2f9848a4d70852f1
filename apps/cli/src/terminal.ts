import type { Readable } from 'node:stream';

/** A place to write text to. */
export interface Sink {
  readonly isTTY?: boolean | undefined;
  /** Characters of a line, and lines, of a terminal at the moment. */
  readonly columns?: number | undefined;
  readonly rows?: number | undefined;
  write(text: string): unknown;
}

/** The streams of the program. */
export interface Terminal {
  readonly stdin: Readable;
  /** Answers: what a script reads. */
  readonly stdout: Sink;
  /** Notes and errors: what a person reads. */
  readonly stderr: Sink;
  /** `true` if `NO_COLOR` is set, see no-color.org. */
  readonly noColor: boolean;
  /** From now on Ctrl-C and SIGTERM do not end the program but abort this; so does a reader of stdout that is gone. */
  untilInterrupted(): AbortSignal;
}
