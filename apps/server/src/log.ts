import { pino, type Logger } from 'pino';
import type { Settings } from './settings/schema.ts';

export type { Logger } from 'pino';

/** The server's log: JSON lines on standard error. It is given names and numbers only, never a request or an answer. */
export function createLog(settings: Pick<Settings, 'log'>): Logger {
  return pino(
    { level: settings.log.level, base: null, timestamp: () => `,"time":"${new Date().toISOString()}"` },
    pino.destination({ fd: 2, sync: true }),
  );
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
