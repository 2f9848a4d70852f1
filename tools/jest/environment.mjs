import { ModernFakeTimers } from '@jest/fake-timers';
import { context, diag, logs, metrics, propagation, trace } from '@opentelemetry/api';
import { ModuleMocker } from 'jest-mock';

/** Properties of the global object with which Jest lets a file set something for itself. The next file would find it. */
const OF_A_FILE = [Symbol.for('TEST_TIMEOUT_SYMBOL'), Symbol.for('RETRY_TIMES')];

/**
 * Test environment of files that share a process, its modules and its global object: there is no context of V8 for each. What a
 * file changes in the process is taken back after it, so that the next one finds what this one found.
 */
export default class SharedEnvironment {
  global = globalThis;
  moduleMocker = new ModuleMocker(globalThis);
  fakeTimers = null;
  fakeTimersModern;
  #conditions;
  #console = globalThis.console;
  #exit = process.exit;
  #formatStack;
  #messageListeners = process.listeners('message');
  #variables = { object: process.env, values: { ...process.env } };

  constructor({ projectConfig }) {
    this.fakeTimersModern = new ModernFakeTimers({ config: projectConfig, global: globalThis });
    this.#conditions = projectConfig.testEnvironmentOptions.customExportConditions ?? [];
  }

  async setup() {
    // Instead of Jest's, which looks for a source map of each frame: Node keeps the lines of TypeScript as they are. Jest shows the
    // path of a frame, and has none for the address that a native module has.
    this.#formatStack = Error.prepareStackTrace;
    Error.prepareStackTrace = (error, frames) =>
      [Error.prototype.toString.call(error), ...frames].join('\n    at ').replaceAll('file://', '');
  }

  async teardown() {
    this.fakeTimersModern.dispose();
    globalThis.console = this.#console;
    process.exit = this.#exit;
    Error.prepareStackTrace = this.#formatStack;
    const { object, values } = this.#variables;
    process.env = object;
    for (const name of Object.keys(object)) if (!(name in values)) delete object[name];
    Object.assign(object, values);
    for (const api of [context, diag, logs, metrics, propagation, trace]) api.disable();
    for (const name of OF_A_FILE) delete globalThis[name];
    // One that is left, as that of a library, keeps the process of Jest from its end: Node waits for more messages.
    for (const listener of process.listeners('message'))
      if (!this.#messageListeners.includes(listener)) process.off('message', listener);
  }

  exportConditions() {
    return this.#conditions;
  }

  // Jest asks whether there is this method; no module runs in a context.
  getVmContext() {
    return null;
  }
}
