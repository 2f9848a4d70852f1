import { existsSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { ENGINES, isReadableStoreUrl, isStoreUrl, parseStoreUrl, storeFile } from './store-url.ts';

describe('parseStoreUrl', () => {
  it('reads both kinds of store', () => {
    expect(parseStoreUrl('sqlite:./data/store.db')).toEqual({ engine: 'sqlite', path: './data/store.db' });
    expect(parseStoreUrl('postgres://u@db/callpass')).toEqual({
      engine: 'postgres',
      url: 'postgres://u@db/callpass',
    });
    expect(parseStoreUrl('postgresql://db/callpass').engine).toBe('postgres');
    expect(storeFile('sqlite:./data/store.db')).toBe('./data/store.db');
    expect(storeFile('postgres://u@db/callpass')).toBeUndefined();
  });

  it.each(['', 'sqlite:', 'mysql://user:canary-password@db/x', '/var/lib/store.db'])('refuses %p', (url) => {
    expect(isStoreUrl(url)).toBe(false);
    expect(() => parseStoreUrl(url)).toThrow(TypeError);
    expect(() => parseStoreUrl(url)).toThrow(expect.not.objectContaining({ message: /canary/ }));
  });
});

it.each([
  ['sqlite:%', true],
  ['postgres:///', true],
  ['postgres://u@/calls?host=/run/postgresql', true],
  ['postgres://u:p@db.example:5432/d', true],
  ['postgres://u:p@db.example:x/d', false],
  ['postgres://u:p/q@db.example:5432/d', false],
])('%s can be read: %s', (url, readable) => {
  expect(isReadableStoreUrl(url)).toBe(readable);
});

describe('each engine', () => {
  it.each(ENGINES)('runs the suites of a store: %s', (engine) => {
    expect(existsSync(new URL(`${engine}/${engine}-store.spec.ts`, import.meta.url))).toBe(true);
  });
});
