import { createCountedLines } from '@callpass/program';
import { describeError, type Logger } from '@callpass/program/log';
import type { StateEvents } from './current-state.ts';

/** The store is asked several times a second, so its failures have a line at once, then one a minute with their number. */
const AGAIN_MS = 60_000;

/** Logs what happens while following the store. */
export function logStateEvents(log: Pick<Logger, 'info' | 'warn' | 'error'>): StateEvents {
  const failures = createCountedLines(AGAIN_MS);
  return {
    onChanged: ({ revision }) => {
      log.info({ revision }, 'state changed');
    },
    onFailed: (error) => {
      failures.note('failed', (count) => {
        log.warn(
          { error: describeError(error), count },
          'cannot follow the store; the last state stays in force',
        );
      });
    },
    onStale: (cause) => {
      if (cause) log.error({ cause }, 'the newest state of the store cannot be read: issuing stops');
      else log.warn('the newest state of the store is in force: issuing goes on');
    },
    onAltered: ({ message }) => {
      log.error(
        { faults: message },
        'somebody else has changed the store; the last state that held stays in force, and nothing can be changed',
      );
    },
    onRestored: () => {
      log.warn('the store holds again');
    },
  };
}
