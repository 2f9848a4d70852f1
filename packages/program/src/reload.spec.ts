import { isatty } from 'node:tty';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { reloadOnSignal } from './reload.ts';

const STDERR = 2;
const SIGNALS = ['SIGHUP', 'SIGUSR1', 'SIGUSR2'] as const;
const forgetSignals = () => {
  for (const signal of SIGNALS) process.removeAllListeners(signal);
};
/** Listeners of others in this process, such as a server that another file of tests has started. */
const ofOthers = SIGNALS.map((signal) => [signal, process.listeners(signal)] as const);
beforeAll(forgetSignals);
afterEach(forgetSignals);
afterAll(() => {
  for (const [signal, listeners] of ofOthers) for (const listener of listeners) process.on(signal, listener);
});

function start(readLevel: () => string) {
  const lines: string[] = [];
  const write = (fields: object, message: string) => {
    // The line has a level of its own.
    expect(fields).not.toHaveProperty('level');
    lines.push(message);
  };
  const log = { level: 'info', info: write, warn: write };
  reloadOnSignal(log, readLevel);
  return { log, lines };
}

const unreadable = (): never => {
  throw new Error('canary');
};

describe('a signal to a program that serves is taken, answered in the log, and ends nothing:', () => {
  const cases: [(typeof SIGNALS)[number], string, () => string, string, RegExp][] = [
    ['SIGHUP', 'the level is as before', () => 'info', 'info', /^SIGHUP: nothing to do/],
    ['SIGHUP', 'the level has changed', () => 'debug', 'debug', /^SIGHUP: the log level has changed$/],
    ['SIGHUP', 'the settings cannot be read', unreadable, 'info', /^SIGHUP: .* the log level stays$/],
    ['SIGUSR1', 'the level has changed', () => 'debug', 'info', /^SIGUSR1: nothing to do$/],
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

it('any row of signals leaves the level of the last settings that could be read, and one answer for each', () => {
  const setting = fc.constantFrom('debug', 'info', 'warn', undefined);
  fc.assert(
    fc.property(fc.array(fc.record({ signal: fc.constantFrom(...SIGNALS), setting })), (row) => {
      let now: string | undefined = 'info';
      const { log, lines } = start(() => now ?? unreadable());
      let expected = 'info';
      for (const { signal, setting: level } of row) {
        if (process.listenerCount(signal) === 0) continue;
        now = level;
        const before = lines.length;
        process.emit(signal);
        if (signal === 'SIGHUP') expected = level ?? expected;
        expect(log.level).toBe(expected);
        expect(lines.slice(before).some((line) => line.startsWith(`${signal}: `))).toBe(true);
      }
      forgetSignals();
    }),
  );
});
