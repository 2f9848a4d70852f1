import { describe, expect, it } from '@jest/globals';
import { ReadGate, type PassedRead } from './read-gate.ts';

const passed = (gate: ReadGate): PassedRead => {
  const read = gate.pass();
  if (read === undefined) throw new Error('was not let through');
  return read;
};

describe('ReadGate', () => {
  it('lets everything through while the store answers', () => {
    const gate = new ReadGate();
    for (let read = 0; read < 5; read++) expect(gate.pass()).toBeDefined();
  });

  it('lets one read at a time through to a silent store, until one is answered', () => {
    const gate = new ReadGate();
    const [first, second] = [passed(gate), passed(gate)];
    gate.timedOut(first);
    const probe = passed(gate);
    expect(gate.pass()).toBeUndefined();
    // One that was let through before is no reason for another probe.
    gate.timedOut(second);
    expect(gate.pass()).toBeUndefined();
    gate.timedOut(probe);
    passed(gate);
    expect(gate.pass()).toBeUndefined();
    gate.answered();
    expect([gate.pass(), gate.pass()]).not.toContain(undefined);
  });
});
