import { fstatSync, writeSync } from 'node:fs';
import { EXIT } from './exit.ts';

/**
 * Keeps the process going when standard output or standard error is gone or full, and puts them in non-blocking mode where
 * they are pipes or sockets. For programs that serve: nobody's call waits for what is written there.
 */
export function ignoreLostOutput(): void {
  for (const stream of [process.stdout, process.stderr])
    if (stream.listenerCount('error') === 0) stream.on('error', () => undefined);
}

/** Standard output of a command, for its answer. */
export interface StandardOutput {
  readonly isTTY: boolean;
  /** Size of the terminal at the moment, in characters and lines; `undefined` where it is none. */
  readonly columns?: number | undefined;
  readonly rows?: number | undefined;
  /** Aborts when the reader has closed the pipe, as `head` does: what would write without an end has nobody to write for. */
  readonly readerGone: AbortSignal;
  /** Writes a text, or nothing once the reader is gone. Where it fails the process ends, see {@link openStandardOutput}. */
  write(text: string): void;
  /** Resolves when everything is written. */
  flushed(): Promise<void>;
}

const STDOUT = 1;

/**
 * Opens standard output for the answer of a command. Where the answer cannot be written, the process ends with `EXIT.outputLost`
 * and a text on standard error. A reader that has closed the pipe is no fault: the rest is left out, and the command ends as it
 * would have.
 *
 * @param program name of the program, for that text.
 */
export function openStandardOutput(program: string): StandardOutput {
  const reader = new AbortController();
  const readerGone = reader.signal;
  const fail = (error: NodeJS.ErrnoException): void => {
    if (error.code === 'EPIPE') {
      reader.abort();
      return;
    }
    process.stderr.write(
      `${program}: standard output could not be written: ${error.message}; the answer is incomplete, but what was asked for may have been done\n`,
    );
    process.exit(EXIT.outputLost);
  };
  process.stderr.on('error', () => undefined);
  process.stdout.on('error', fail);
  if (!isFile(STDOUT)) {
    const { stdout } = process;
    return {
      isTTY: stdout.isTTY,
      get columns() {
        return stdout.isTTY ? stdout.columns : undefined;
      },
      get rows() {
        return stdout.isTTY ? stdout.rows : undefined;
      },
      readerGone,
      write(text) {
        if (!readerGone.aborted) stdout.write(text);
      },
      flushed: () => new Promise((resolve) => stdout.write('', () => resolve())),
    };
  }
  return {
    isTTY: false,
    readerGone,
    // Node's own stream takes a part that was written for the whole.
    write(text) {
      try {
        for (let rest = Buffer.from(text); rest.length > 0;) rest = rest.subarray(writeSync(STDOUT, rest));
      } catch (error) {
        fail(error as NodeJS.ErrnoException);
      }
    },
    flushed: () => Promise.resolve(),
  };
}

/** A regular file or a device that is no terminal: what is written synchronously. */
function isFile(fd: number): boolean {
  const stat = fstatSync(fd);
  return stat.isFile() || (stat.isCharacterDevice() && !process.stdout.isTTY);
}
