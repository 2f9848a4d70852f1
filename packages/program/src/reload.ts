import { isatty } from 'node:tty';

/** A log whose level can be changed. */
interface ReloadLog {
  level: string;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

const STDERR = 2;
const ELSE =
  'certificates, keys and tokens in files are looked at every second, other settings need a restart';

/**
 * Keeps SIGHUP and SIGUSR2 from ending a program that serves, and SIGUSR1 from opening the port of Node's debugger, which gives
 * whoever is on the machine all that the program has. SIGHUP reads the log level again and sets it; what else is in
 * files is followed without a signal. On a terminal SIGHUP says that the terminal is gone, and stays with the caller of
 * `stopOnSignal`.
 *
 * @param readLevel reads the log level from the settings; may throw.
 */
export function reloadOnSignal(log: ReloadLog, readLevel: () => string): void {
  for (const signal of ['SIGUSR1', 'SIGUSR2'] as const) {
    process.on(signal, () => {
      log.info({}, `${signal}: nothing to do`);
    });
  }
  if (isatty(STDERR)) return;
  process.on('SIGHUP', () => {
    let level: string;
    try {
      level = readLevel();
    } catch (error) {
      log.warn({ error: String(error) }, 'SIGHUP: the settings cannot be read; the log level stays');
      return;
    }
    const before = log.level;
    if (level === before) {
      log.info({ logLevel: level }, `SIGHUP: nothing to do: the log level is as before; ${ELSE}`);
      return;
    }
    log.info({ before, after: level }, `SIGHUP: the log level changes; ${ELSE}`);
    log.level = level;
    log.info({ before, after: level }, 'SIGHUP: the log level has changed');
  });
}
