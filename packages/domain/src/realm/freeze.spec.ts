import { describe, expect, it } from '@jest/globals';
import { FreezeIndex, type Freeze, type FreezeKind } from './freeze.ts';

const freeze = (kind: FreezeKind, value: string, untilMs?: number): Freeze => ({
  scope: { kind, value },
  reason: 'abuse',
  freezeTimeMs: 0,
  untilMs,
  frozenBy: 'ops',
});
const CALL = { realm: 'r', destination: 'd', client: 'c', subjectHash: 's' };

describe('FreezeIndex', () => {
  it.each([
    ['REALM', 'r'],
    ['DESTINATION', 'd'],
    ['CLIENT', 'c'],
    ['SUBJECT', 's'],
  ] as const)('stops a call by its %s', (kind, value) => {
    const stop = freeze(kind, value);
    expect(new FreezeIndex([freeze(kind, 'other'), stop]).find(CALL, 0)).toBe(stop);
    expect(new FreezeIndex([freeze(kind, 'other')]).find(CALL, 0)).toBeUndefined();
  });

  it('does not take a value of one kind for the same value of another', () => {
    expect(
      new FreezeIndex([freeze('REALM', 'd')]).find({ destination: 'd', client: 'd', subjectHash: 'd' }, 0),
    ).toBe(undefined);
  });

  it('looks only at what is named', () => {
    const index = new FreezeIndex([freeze('SUBJECT', 's'), freeze('CLIENT', '')]);
    expect(index.find({}, 0)).toBeUndefined();
    expect(index.find({ subjectHash: undefined, client: 'c' }, 0)).toBeUndefined();
  });

  it('lifts a freeze by itself at its end, and not before', () => {
    const index = new FreezeIndex([freeze('CLIENT', 'c', 1000)]);
    expect(index.find(CALL, 999)).toBeDefined();
    expect(index.find(CALL, 1000)).toBeUndefined();
  });

  it('stays frozen for as long as the longest freeze says, whatever their order', () => {
    const [short, long, forever] = [
      freeze('CLIENT', 'c', 10),
      freeze('CLIENT', 'c', 20),
      freeze('CLIENT', 'c'),
    ];
    for (const freezes of [
      [short, long],
      [long, short],
    ])
      expect(new FreezeIndex(freezes).find(CALL, 15)).toBe(long);
    for (const freezes of [
      [forever, short],
      [short, forever],
    ]) {
      expect(new FreezeIndex(freezes).find(CALL, 15)).toBe(forever);
    }
  });

  it('needs a record of the issue for anything but realms', () => {
    expect(new FreezeIndex([]).needsRecord).toBe(false);
    expect(new FreezeIndex([freeze('REALM', 'r')]).needsRecord).toBe(false);
    for (const kind of ['DESTINATION', 'CLIENT', 'SUBJECT'] as const) {
      expect(new FreezeIndex([freeze(kind, 'x')]).needsRecord).toBe(true);
    }
  });
});
