import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { diffDocuments, type JsonValue } from './diff.ts';

const support = { id: 'support', account: 'a@b.example', limits: [{ per: 'SUBJECT', max: 5 }] };
const sales = { id: 'sales', account: 'a@b.example' };

describe('diffDocuments', () => {
  it('finds nothing between documents that say the same in another order', () => {
    const before = { realms: [{ name: 'r', cipher: 'X' }], destinations: [support, sales] };
    const after = {
      destinations: [sales, { limits: support.limits, account: 'a@b.example', id: 'support' }],
      realms: [{ cipher: 'X', name: 'r' }],
    };
    expect(diffDocuments(before, after)).toEqual([]);
  });

  it('names elements by name or id and compares lists without one as a whole', () => {
    const before = { destinations: [support], clients: [{ name: 'edge', grants: [{ role: 'ISSUER' }] }] };
    const after = {
      destinations: [{ ...support, limits: [{ per: 'SUBJECT', max: 6 }] }],
      clients: [{ name: 'edge', grants: [{ role: 'ISSUER' }, { role: 'AUDITOR' }] }],
    };
    expect(diffDocuments(before, after)).toEqual([
      {
        kind: 'CHANGED',
        path: 'destinations[support].limits',
        before: [{ per: 'SUBJECT', max: 5 }],
        after: [{ per: 'SUBJECT', max: 6 }],
      },
      {
        kind: 'CHANGED',
        path: 'clients[edge].grants',
        before: [{ role: 'ISSUER' }],
        after: [{ role: 'ISSUER' }, { role: 'AUDITOR' }],
      },
    ]);
  });

  it('lists additions and changes in the order of the new document, then removals in the order of the old', () => {
    const before = { realms: [{ name: 'r1' }, { name: 'r2' }], destinations: [support, sales] };
    const after = {
      destinations: [{ id: 'new' }, { ...sales, account: 'c@d.example' }],
      realms: [{ name: 'r2' }],
    };
    expect(diffDocuments(before, after).map(({ kind, path }) => `${kind} ${path}`)).toEqual([
      'ADDED destinations[new]',
      'CHANGED destinations[sales].account',
      'REMOVED destinations[support]',
      'REMOVED realms[r1]',
    ]);
  });

  it('takes a list that is left out for an empty one', () => {
    expect(diffDocuments({}, { destinations: [sales] })).toEqual([
      { kind: 'ADDED', path: 'destinations[sales]', after: sales },
    ]);
    expect(diffDocuments({ destinations: [sales] }, {})).toEqual([
      { kind: 'REMOVED', path: 'destinations[sales]', before: sales },
    ]);
    expect(diffDocuments({ destinations: [] }, {})).toEqual([]);
    expect(diffDocuments({}, { callers: ['x'] })).toEqual([{ kind: 'ADDED', path: 'callers', after: ['x'] }]);
  });

  it('compares a list with double or missing names as a whole', () => {
    const before = [{ name: 'a' }, { name: 'a' }];
    const after = [{ name: 'a' }, { name: 'b' }];
    expect(diffDocuments({ list: before }, { list: after })).toEqual([
      { kind: 'CHANGED', path: 'list', before, after },
    ]);
  });

  it('tells null, nothing, empty text and zero apart', () => {
    const values: JsonValue[] = [null, '', 0, false, {}];
    for (const before of values) {
      for (const after of values) {
        expect(diffDocuments({ a: before }, { a: after })).toHaveLength(before === after ? 0 : 1);
      }
      expect(diffDocuments({}, { a: before })).toEqual([{ kind: 'ADDED', path: 'a', after: before }]);
    }
  });

  it('shows documents of different kinds as one change', () => {
    expect(diffDocuments(null, [])).toEqual([{ kind: 'CHANGED', path: '', before: null, after: [] }]);
    expect(diffDocuments('a', 'a')).toEqual([]);
  });

  it('is not fooled by members named like those of every object', () => {
    const polluted = JSON.parse('{"__proto__": {"name": "x"}, "constructor": 1, "toString": 2}') as JsonValue;
    expect(diffDocuments({}, polluted).map((change) => change.path)).toEqual([
      '__proto__',
      'constructor',
      'toString',
    ]);
    expect(diffDocuments(polluted, polluted)).toEqual([]);
    expect(diffDocuments([JSON.parse('{"__proto__": {"name": "x"}}') as JsonValue], [{ a: 1 }])).toHaveLength(
      1,
    );
  });

  it('finds nothing between a document and itself, and something between two that differ', () => {
    const document = fc.jsonValue({ maxDepth: 3 }) as fc.Arbitrary<JsonValue>;
    fc.assert(
      fc.property(document, (value) => {
        expect(diffDocuments(value, JSON.parse(JSON.stringify(value)) as JsonValue)).toEqual([]);
      }),
    );
    fc.assert(
      fc.property(
        fc.dictionary(fc.string(), fc.integer()),
        fc.dictionary(fc.string(), fc.integer()),
        (a, b) => {
          const names = new Set([...Object.keys(a), ...Object.keys(b)]);
          const differing = [...names].filter((name) => a[name] !== b[name]);
          expect(diffDocuments(a, b)).toHaveLength(differing.length);
        },
      ),
    );
  });

  it('says the same backwards: additions become removals', () => {
    const element = fc.record({
      id: fc.constantFrom('a', 'b', 'c', 'd'),
      max: fc.integer({ min: 0, max: 2 }),
    });
    const list = fc.uniqueArray(element, { selector: ({ id }) => id });
    const tell = (kinds: Record<string, string>, before: JsonValue, after: JsonValue): string[] =>
      diffDocuments(before, after)
        .map(({ kind, path }) => `${kinds[kind]} ${path}`)
        .sort();
    fc.assert(
      fc.property(list, list, (before, after) => {
        const forth = tell({ ADDED: 'new', REMOVED: 'gone', CHANGED: 'other' }, before, after);
        expect(tell({ ADDED: 'gone', REMOVED: 'new', CHANGED: 'other' }, after, before)).toEqual(forth);
      }),
    );
  });
});
