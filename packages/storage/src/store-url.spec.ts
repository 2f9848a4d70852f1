import { describe, expect, it } from '@jest/globals';
import { parseStoreUrl } from './store-url.ts';

describe('parseStoreUrl', () => {
  it('reads both kinds of store', () => {
    expect(parseStoreUrl('sqlite:./data/store.db')).toEqual({ engine: 'sqlite', path: './data/store.db' });
    expect(parseStoreUrl('postgres://u@db/callpass')).toEqual({
      engine: 'postgres',
      url: 'postgres://u@db/callpass',
    });
    expect(parseStoreUrl('postgresql://db/callpass').engine).toBe('postgres');
  });

  it.each(['', 'sqlite:', 'mysql://user:canary-password@db/x', '/var/lib/store.db'])('refuses %p', (url) => {
    expect(() => parseStoreUrl(url)).toThrow(TypeError);
    expect(() => parseStoreUrl(url)).toThrow(expect.not.objectContaining({ message: /canary/ }));
  });
});
