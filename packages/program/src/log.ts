import { isatty } from 'node:tty';
import { pino, type Logger } from 'pino';
import pretty from 'pino-pretty';

export type { Logger } from 'pino';

const STDERR = 2;
const BUNCH_BYTES = 4096;
const BUNCH_MS = 1000;

/**
 * A program's log on standard error: JSON lines, or readable ones where that is a terminal. It is given names and numbers
 * only, never a request or an answer. Each line is written at once, so that none is lost in a crash; `inBunches`, for a
 * program that writes one for each request, writes 4 KiB or a second together, the rest at the end of the process.
 */
export function createLog({ level, inBunches = false }: { level: string; inBunches?: boolean }): Logger {
  const options = {
    level,
    base: null,
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
  };
  if (isatty(STDERR)) return pino(options, pretty({ destination: STDERR, sync: true, colorize: true }));
  const destination = pino.destination({
    fd: STDERR,
    ...(inBunches ? { sync: false, minLength: BUNCH_BYTES, periodicFlush: BUNCH_MS } : { sync: true }),
  });
  if (inBunches) {
    process.once('exit', () => {
      destination.flushSync();
    });
  }
  return pino(options, destination);
}

/** An error for the log: its kind and text, and those of its causes. */
export function describeError(error: unknown): {
  type: string;
  message: string;
  stack?: string;
  cause?: unknown;
} {
  if (!(error instanceof Error)) return { type: typeof error, message: 'not an Error' };
  return {
    type: error.name,
    message: error.message,
    ...(error.stack === undefined ? {} : { stack: error.stack }),
    ...(error.cause === undefined ? {} : { cause: describeError(error.cause) }),
  };
}
