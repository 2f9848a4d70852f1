import { createLog, type Logger } from './log.ts';

/**
 * Writes what Node warns of, such as a deprecated function, to a log instead of as text. It begins when this file is imported: some
 * warnings are about modules that are being loaded.
 *
 * @param log the log from now on.
 */
export function logWarnings(log: Pick<Logger, 'warn'>): void {
  process.removeAllListeners('warning');
  process.on('warning', (warning: Error & { readonly code?: string }) => {
    const { name, code, message } = warning;
    log.warn({ type: name, ...(code !== undefined && { code }) }, message);
  });
}

logWarnings(createLog({ level: 'warn' }));
