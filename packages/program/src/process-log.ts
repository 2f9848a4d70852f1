import { createCountedLines, flushCountedLines } from './counted-lines.ts';
import { EXIT } from './exit.ts';
import { createLog, reportFailure, type Logger } from './log.ts';
import { logWarnings } from './log-warnings.ts';

/** Limit on the characters of a text that something else than the log has written. */
const MAX_TEXT = 4096;

/**
 * Opens the log of a program that serves, and makes all that the process writes from then on a line of it: warnings of Node, errors
 * that nobody has caught, and what libraries write to standard output and standard error. An uncaught error ends the process with
 * `EXIT.failed`, whatever the level. Only what Node writes as it dies (out of memory, for example) is no line.
 */
export function openProcessLog(options: Parameters<typeof createLog>[0]): Logger {
  const log = createLog(options);
  logWarnings(log);
  process.on('uncaughtException', (error, origin) => {
    flushCountedLines();
    reportFailure('the process ends: nobody has caught an error', { error, origin });
    process.exit(EXIT.failed);
  });
  captureOutput('stdout', log);
  captureOutput('stderr', log);
  return log;
}

/** Output for which a line has waited a second is counted with it: a library may write for every call. */
function captureOutput(name: 'stdout' | 'stderr', log: Logger): void {
  const counted = createCountedLines();
  const write = (
    chunk: Uint8Array | string,
    ...[encoding, done]: [(BufferEncoding | Done)?, Done?]
  ): boolean => {
    const text = (typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString())
      .trim()
      .slice(0, MAX_TEXT);
    if (text !== '')
      counted.note(name, (count) => {
        log.warn({ stream: name, text, count }, 'output that is not of the log');
      });
    const callback = typeof encoding === 'function' ? encoding : done;
    if (callback !== undefined) process.nextTick(callback);
    return true;
  };
  process[name].write = write;
}

type Done = (error?: Error | null) => void;
