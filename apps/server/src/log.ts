import { isatty } from 'node:tty';
import { pino, type Logger } from 'pino';
import pretty from 'pino-pretty';
import type { Settings } from './settings/schema.ts';

export type { Logger } from 'pino';

/**
 * The server's log on standard error: JSON lines, or readable ones where that is a terminal. It is given names and numbers
 * only, never a request or an answer. Each line is written at once, so that none is lost in a crash; only where every
 * request has one they are written in bunches, the rest at the end of the process.
 */
export function createLog({ log }: Pick<Settings, 'log'>): Logger {
  const options = {
    level: log.level,
    base: null,
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
  };
  if (isatty(STDERR)) return pino(options, pretty({ destination: STDERR, sync: true, colorize: true }));
  const inBunches = log.requests === 'all';
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

const STDERR = 2;
const BUNCH_BYTES = 4096;
const BUNCH_MS = 1000;

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
