import { describeError, type Logger } from '@callpass/program/log';
import type { StateEvents } from './current-state.ts';

/** Logs what happens while following the store. */
export function logStateEvents(log: Pick<Logger, 'info' | 'warn' | 'error'>): StateEvents {
  return {
    onChanged: ({ revision }) => {
      log.info({ revision }, 'state changed');
    },
    onFailed: (error) => {
      log.warn({ error: describeError(error) }, 'cannot follow the store; the last state stays in force');
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
