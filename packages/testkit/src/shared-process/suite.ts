import { expect, it, jest } from '@jest/globals';
import { trace, type TracerProvider } from '@opentelemetry/api';

const VARIABLE = 'CALLPASS_LEFT_BEHIND';
let files = 0;

/** Tests that a file finds the process as it was, and then leaves in it what files leave. */
export function leavesNothing(): void {
  it('finds the process as it was, though modules are shared', () => {
    console.log(`file ${++files}`);
    expect(process.env[VARIABLE]).toBeUndefined();
    expect(process.env['PATH']).toBeDefined();
    expect(trace.setGlobalTracerProvider({} as TracerProvider)).toBe(true);
    expect(Reflect.get(process, 'cwd')).not.toHaveProperty('mock');
    expect(setTimeout).toHaveProperty('name', 'setTimeout');
    expect(Date.now()).toBeGreaterThan(1);

    process.env = { ...process.env, [VARIABLE]: 'of an environment that was replaced' };
    jest.spyOn(process, 'cwd');
    jest.useFakeTimers({ now: 1 });
  });
}
