import { describe, expect, it } from '@jest/globals';
import { createHmac, hkdfSync } from 'node:crypto';
import { KeyedHash } from './keyed-hash.ts';

const SECRET = new Uint8Array(32).fill(1);
const names = new KeyedHash(SECRET);

describe('KeyedHash', () => {
  it('is HMAC-SHA-256 under a key of its own for each use', () => {
    const expected = (use: string, input: string): Buffer => {
      const key = Buffer.from(hkdfSync('sha256', SECRET, '', `callpass ledger ${use}`, 32));
      return createHmac('sha256', key).update(input).digest();
    };
    expect(names.subject('visitor-1')).toBe(expected('subject', 'visitor-1').toString('hex').slice(0, 32));
    expect([...names.token('ABCD')]).toEqual([...expected('token', 'ABCD').subarray(0, 16)]);
    expect(names.realmKey(Buffer.from('key'))).toBe(
      expected('realm key', 'key').toString('hex').slice(0, 16),
    );
  });

  it('a request with an id has another hash with another body, client, id or secret', () => {
    const request = { client: 'c', requestId: 'i', body: Uint8Array.of(1) };
    const others = [
      names.request({ ...request, body: Uint8Array.of(2) }),
      names.request({ ...request, client: 'd' }),
      names.request({ ...request, requestId: 'j' }),
      new KeyedHash(new Uint8Array(32)).request(request),
    ];
    expect(names.request(request)).toHaveLength(32);
    for (const other of others) expect(Buffer.compare(other, names.request(request))).not.toBe(0);
    expect(Buffer.compare(names.request({ ...request }), names.request(request))).toBe(0);
    expect(names.request({ ...request, body: new Uint8Array(100_000) })).toHaveLength(32);
  });

  it('fingerprints the three tokens of an issue each under its own name', () => {
    expect(names.tokens({ account: 'A', from: 'B', to: 'C' })).toEqual({
      account: names.token('A'),
      from: names.token('B'),
      to: names.token('C'),
    });
  });

  it('gives the same name on every instance that has the secret, and another without it', () => {
    expect(new KeyedHash(Uint8Array.from(SECRET)).subject('visitor-1')).toBe(names.subject('visitor-1'));
    expect(new KeyedHash(new Uint8Array(32)).subject('visitor-1')).not.toBe(names.subject('visitor-1'));
  });

  it('keeps a visitor without a name nameless', () => {
    expect(names.subject('')).toBe('');
  });

  it('gives a subject, a token and a key of the same bytes different names', () => {
    const [subject, token, key] = [names.subject('x'), names.token('x'), names.realmKey(Buffer.from('x'))];
    const starts = [subject, Buffer.from(token).toString('hex'), key].map((name) => name.slice(0, 16));
    expect(new Set(starts).size).toBe(3);
  });

  it('takes inputs up to its bound, and leaves nothing of one for the next', () => {
    expect(names.subject('é'.repeat(4096))).toMatch(/^[0-9a-f]{32}$/);
    expect(() => names.subject('x'.repeat(8193))).toThrow(RangeError);
    const short = names.subject('a');
    names.subject('b'.repeat(8192));
    expect(names.subject('a')).toBe(short);
  });

  it.each([0, 31, 33])('refuses a secret of %i bytes', (length) => {
    expect(() => new KeyedHash(new Uint8Array(length))).toThrow(TypeError);
  });
});
