import { isatty } from 'node:tty';
import { pino, type Logger } from 'pino';
import { prettyFactory } from 'pino-pretty';
import { flushCountedLines } from './counted-lines.ts';
import { LogDestination } from './log-destination.ts';
import { ignoreLostOutput } from './output.ts';

export type { Logger } from 'pino';

const STDERR = 2;
const BUNCH = 4096;

let standardError: LogDestination | undefined;
const sinks: ((line: string) => void)[] = [];

/** Adds a taker of each line of all logs of this process, as JSON with its line feed. It must not throw. */
export function addLogSink(sink: (line: string) => void): void {
  sinks.push(sink);
}

/**
 * Creates a program's log on standard error: JSON lines with the level as a word, or readable ones where that is a terminal. It is
 * given names and numbers only, never a request or an answer. Each line is written at once, so that none is lost in a crash; `inBunches`, for
 * a program that writes one for each request, writes 4 KiB or a second together, the rest at the end of the process. Lines
 * that nobody takes are dropped and counted, see {@link LogDestination}.
 */
export function createLog({ level, inBunches = false }: { level: string; inBunches?: boolean }): Logger {
  const timestamp = () => `,"time":"${new Date().toISOString()}"`;
  const format = isatty(STDERR) ? prettyFactory({ colorize: true }) : (line: string) => line;
  const destination = (standardError ??= openStandardError((dropped) =>
    format(
      `{"level":"warn"${timestamp()},"dropped":${dropped},"msg":"log lines were dropped: nobody took them"}\n`,
    ),
  ));
  const bunch = inBunches ? BUNCH : 0;
  return pino(
    { level, base: null, timestamp, formatters: { level: (label) => ({ level: label }) } },
    {
      write(line: string) {
        for (const sink of sinks) sink(line);
        destination.write(format(line), bunch);
      },
    },
  );
}

function openStandardError(describeDropped: (lines: number) => string): LogDestination {
  ignoreLostOutput();
  const destination = new LogDestination(STDERR, describeDropped);
  process.once('exit', () => {
    flushCountedLines();
    destination.end();
  });
  return destination;
}

/** Number of log lines of this process that were dropped because standard error did not take them. */
export function droppedLogLines(): number {
  return standardError?.dropped ?? 0;
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

/**
 * Writes the line of what ends the process, whatever the level of its log.
 *
 * @param error left out where the message says it all.
 */
export function reportFailure(
  message: string,
  { error, ...fields }: { error?: unknown; origin?: string },
): void {
  createLog({ level: 'fatal' }).fatal(
    { ...fields, ...(error !== undefined && { error: describeError(error) }) },
    message,
  );
}
