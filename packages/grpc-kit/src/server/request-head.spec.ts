import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { checkHead, type HeadBounds } from './request-head.ts';

const BOUNDS: HeadBounds = { maxBytes: 4096, maxHeaders: 20, maxBinaryValues: 4 };

/** Headers that each call of gRPC has besides. */
const CALL = { ':method': 'POST', 'content-type': 'application/grpc' };

/** A head as Node gives it: names and values in turn, and the same as an object with repeated values joined. */
function headOf(...pairs: [name: string, value: string][]) {
  const headers: Record<string, string> = { ...CALL };
  for (const [name, value] of pairs) headers[name] = name in headers ? `${headers[name]}, ${value}` : value;
  return { path: '/a.B/C', headers, rawHeaders: pairs.flat() };
}

const check = (...pairs: [string, string][]) => {
  const head = headOf(...pairs);
  return { found: checkHead(head, BOUNDS), headers: head.headers };
};

describe('a head that is in order', () => {
  it('has the size that HTTP/2 counts, and stays as it is', () => {
    const { found, headers } = check([':path', '/a.B/C'], ['x-one', 'value'], ['trace-bin', 'AAEC']);
    expect(found).toBe(5 + 6 + 32 + 5 + 5 + 32 + 9 + 4 + 32);
    expect(headers).toEqual({ ...CALL, ':path': '/a.B/C', 'x-one': 'value', 'trace-bin': 'AAEC' });
  });
});

describe('a request that is no call of gRPC is refused', () => {
  it.each([
    [{ ':method': 'GET' }],
    [{ ':method': 'post' }],
    [{ 'content-type': 'text/html' }],
    [{ 'content-type': undefined }],
  ])('%j', (other) => {
    expect(checkHead({ path: '/a.B/C', headers: { ...CALL, ...other }, rawHeaders: [] }, BOUNDS)).toBe(
      'not_grpc',
    );
  });
});

describe('a head that takes too much memory is refused', () => {
  it.each<[string, [string, string][]]>([
    ['more headers than allowed', Array.from({ length: 21 }, (_, i) => [`x-${i}`, ''])],
    ['one value that is too long', [['x-long', 'v'.repeat(4096)]]],
    [
      'many values that are too long together',
      Array.from({ length: 10 }, (_, i) => [`x-${i}`, 'v'.repeat(400)]),
    ],
    ['a binary header of commas alone', [['x-bin', ','.repeat(4)]]],
    ['a binary header of many short values', [['x-bin', 'AA,AA,AA,AA,AA']]],
    [
      'binary values spread over headers',
      [
        ['a-bin', 'AA,AA'],
        ['b-bin', 'AA,AA'],
        ['c-bin', 'AA'],
      ],
    ],
    ['binary values in one header sent again and again', Array.from({ length: 5 }, () => ['a-bin', 'AA'])],
  ])('%s', (_what, pairs) => {
    expect(check(...pairs).found).toBe('headers_too_large');
  });

  it('and one at its bounds is not', () => {
    expect(check(['a-bin', 'AA,AA'], ['b-bin', ',']).found).toBeGreaterThan(0);
    expect(check(...Array.from({ length: 20 }, (_, i): [string, string] => [`x-${i}`, '']))).toMatchObject({
      found: expect.any(Number),
    });
  });

  it('whatever its values are', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.stringMatching(/^[a-z]{1,5}(-bin)?$/), fc.string({ maxLength: 900 }))),
        (pairs) => {
          const bytes = pairs.reduce((sum, [name, value]) => sum + name.length + value.length + 32, 0);
          const values = pairs
            .filter(([name]) => name.endsWith('-bin'))
            .reduce((sum, [, value]) => sum + value.split(',').length, 0);
          const fits = bytes <= 4096 && pairs.length <= 20 && values <= 4;
          expect(check(...pairs).found).toBe(fits ? bytes : 'headers_too_large');
        },
      ),
    );
  });
});

describe('what metadata cannot hold', () => {
  it.each([
    ['a byte above ASCII', 'x-name', 'caf\xe9'],
    ['a tab', 'x-name', 'a\tb'],
    ['a key with a character of its own', 'x!name', 'value'],
  ])('is taken out before grpc-js prints it: %s', (_what, name, value) => {
    const { found, headers } = check([name, value], ['x-kept', 'yes']);
    expect(found).toBeGreaterThan(0);
    expect(headers).toEqual({ ...CALL, 'x-kept': 'yes' });
  });

  it.each<[string, [string, string][]]>([
    ['a byte above ASCII', [['authorization', 'Bearer junk\xe9']]],
    ['a space at its end', [['authorization', 'Bearer junk ']]],
    ['a space at its start', [['authorization', ' Bearer junk']]],
    ['a tab within', [['authorization', 'Bearer\tjunk']]],
    [
      'a second one',
      [
        ['authorization', 'Bearer one'],
        ['authorization', 'Bearer two'],
      ],
    ],
    [
      'the same one twice',
      [
        ['authorization', 'Bearer one'],
        ['authorization', 'Bearer one'],
      ],
    ],
  ])('does not make a credential pass for none: %s', (_what, pairs) => {
    expect(check(...pairs).headers).toEqual({ ...CALL, authorization: '' });
  });
});

describe('a time limit', () => {
  const timeoutOf = (value: string) => check(['grpc-timeout', value]);

  it.each([
    ['100m', '100m'],
    ['2147483S', '2147483S'],
    ['2147484S', '2147483S'],
    ['99999999S', '2147483S'],
    ['35792M', '2147483S'],
    ['35791M', '35791M'],
    ['99999999H', '2147483S'],
    ['597H', '2147483S'],
    ['596H', '596H'],
    ['99999999m', '99999999m'],
    ['0n', '0n'],
  ])('%s is waited for as %s', (sent, kept) => {
    expect(timeoutOf(sent).headers).toEqual({ ...CALL, 'grpc-timeout': kept });
  });

  it('of any number of digits and any unit is waited for as it is, or for the longest time that a timer holds', () => {
    const seconds = { H: 3600, M: 60, S: 1, m: 1e-3, u: 1e-6, n: 1e-9 };
    const unit = fc.constantFrom(...(Object.keys(seconds) as (keyof typeof seconds)[]));
    const digits = fc
      .integer({ min: 1, max: 8 })
      .chain((length) => fc.stringMatching(new RegExp(`^\\d{${length}}$`)));
    fc.assert(
      fc.property(digits, unit, (amount, unit) => {
        const kept = String(timeoutOf(`${amount}${unit}`).headers['grpc-timeout']);
        const sent = Number(amount) * seconds[unit];
        expect(kept).toBe(sent > 2_147_483 ? '2147483S' : `${amount}${unit}`);
        expect(Number(kept.slice(0, -1)) * seconds[kept.at(-1) as typeof unit] * 1000).toBeLessThan(2 ** 31);
      }),
      { numRuns: 500 },
    );
  });

  it('in no other form is one', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string({ maxLength: 12 }), fc.stringMatching(/^[\d HMSmun.+-]{1,12}$/)),
        (text) => {
          fc.pre(!/^\d{1,8}[HMSmun]$/.test(text));
          expect(timeoutOf(text).found).toBe('timeout_invalid');
        },
      ),
    );
  });

  it.each(['', '1', 'S', '1s', '-1S', '1.5S', '123456789S', '1S2M', ' 1S', '1 S', '1S\xe9', '1\xa0S'])(
    '%j is none',
    (sent) => {
      expect(timeoutOf(sent).found).toBe('timeout_invalid');
    },
  );

  it('that is sent twice is none', () => {
    expect(check(['grpc-timeout', '1S'], ['grpc-timeout', '2S']).found).toBe('timeout_invalid');
  });
});

it.each(['gzip', 'deflate', 'br', 'identity, gzip', '', 'gzip\xe9'])(
  'a call compressed with %j is refused',
  (encoding) => {
    expect(check(['grpc-encoding', encoding]).found).toBe('compressed');
    expect(check(['grpc-encoding', 'identity']).found).toBeGreaterThan(0);
  },
);
