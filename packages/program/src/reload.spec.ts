import { isatty } from 'node:tty';
import { afterEach, describe, expect, it } from '@jest/globals';
import { reloadOnSignal } from './reload.ts';

const STDERR = 2;
const SIGNALS = ['SIGHUP', 'SIGUSR2'] as const;
afterEach(() => {
  for (const signal of SIGNALS) process.removeAllListeners(signal);
});

function start(readLevel: () => string) {
  const lines: string[] = [];
  const write = (_fields: object, message: string) => lines.push(message);
  const log = { level: 'info', info: write, warn: write };
  reloadOnSignal(log, readLevel);
  return { log, lines };
}

const unreadable = () => {
  throw new Error('canary');
};

describe('a signal to a program that serves is taken, answered in the log, and ends nothing:', () => {
  const cases: [(typeof SIGNALS)[number], string, () => string, string, RegExp][] = [
    ['SIGHUP', 'the level is as before', () => 'info', 'info', /^SIGHUP: nothing to do/],
    ['SIGHUP', 'the level has changed', () => 'debug', 'debug', /^SIGHUP: the log level has changed$/],
    ['SIGHUP', 'the settings cannot be read', unreadable, 'info', /^SIGHUP: .* the log level stays$/],
    ['SIGUSR2', 'the level has changed', () => 'debug', 'info', /^SIGUSR2: nothing to do$/],
  ];
  // On a terminal SIGHUP says that the terminal is gone, and stops the program.
  it.each(cases.filter(([signal]) => signal !== 'SIGHUP' || !isatty(STDERR)))(
    '%s while %s',
    (signal, _state, readLevel, level, message) => {
      const { log, lines } = start(readLevel);
      expect(process.listenerCount(signal)).toBe(1);
      process.emit(signal);
      process.emit(signal);
      expect(log.level).toBe(level);
      expect(lines.some((line) => message.test(line))).toBe(true);
      expect(process.listenerCount(signal)).toBe(1);
    },
  );
});
