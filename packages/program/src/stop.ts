import { isatty } from 'node:tty';
import { EXIT } from './exit.ts';

const STDERR = 2;
/** SIGHUP says that a terminal is gone; without one it is for `reloadOnSignal`. */
const STOP_SIGNALS: readonly NodeJS.Signals[] = [
  'SIGTERM',
  'SIGINT',
  'SIGQUIT',
  ...(isatty(STDERR) ? (['SIGHUP'] as const) : []),
];

/** The lines that are written about a stop. */
interface StopLog {
  info(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/**
 * Tells the process that has started this one with an IPC channel (the sandbox, the benchmark, a test) where it serves.
 * Without such a process nothing happens.
 */
export function reportReady(addresses: Readonly<Record<string, string | undefined>>): void {
  process.send?.({ ready: addresses });
}

/**
 * Calls `stop` at the first SIGTERM, SIGINT or SIGQUIT, at the end of the terminal, or when the process that has started this one with an IPC channel is gone, and
 * ends the process when it is done: with `EXIT.failed` where it rejects. A terminal's Ctrl-C reaches the whole process group,
 * and npm hands it on once more, so further signals change nothing.
 */
export function stopOnSignal(
  log: StopLog,
  stop: () => Promise<unknown>,
  signals: readonly NodeJS.Signals[] = STOP_SIGNALS,
): void {
  let stopping = false;
  const stopOnce = (why: string) => {
    if (stopping) return;
    stopping = true;
    log.info({ why }, 'stopping');
    void stop()
      .catch((error: unknown) => {
        log.error({ error: String(error) }, 'did not stop cleanly');
        process.exitCode = EXIT.failed;
      })
      .finally(() => process.exit());
  };
  for (const signal of signals) process.on(signal, stopOnce);
  if (process.send) {
    process.once('disconnect', () => {
      stopOnce('supervisor gone');
    });
  }
}
