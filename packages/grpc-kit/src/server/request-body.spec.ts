import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { RequestBody, type BodyBounds, type BodyFault } from './request-body.ts';

const MAX = 200;
const STREAM: BodyBounds = { maxMessageBytes: MAX, single: false };
const ONE: BodyBounds = { maxMessageBytes: MAX, single: true };

function framed(length: number, flags = 0): Buffer {
  const bytes = Buffer.alloc(5 + length, 0xff);
  bytes[0] = flags;
  bytes.writeUInt32BE(length, 1);
  return bytes;
}

/** The first fault of a body that arrives in pieces. */
function faultOf(bounds: BodyBounds, bytes: Buffer, cuts: readonly number[] = [bytes.length]) {
  const body = new RequestBody(bounds);
  let fault: BodyFault | undefined;
  for (let at = 0, cut = 0; at < bytes.length && fault === undefined; cut++) {
    const size = Math.max(1, cuts[cut % cuts.length] as number);
    fault = body.take(bytes.subarray(at, at + size));
    at += size;
  }
  return fault ?? body.end();
}

const cuts = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 });

describe('a body of a stream', () => {
  it('may have any number of messages up to the bound, however its bytes are cut', () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 300 }), { maxLength: 8 }), cuts, (lengths, pieces) => {
        const bytes = Buffer.concat(lengths.map((length) => framed(length)));
        const expected = lengths.every((length) => length <= MAX) ? undefined : 'message_too_large';
        expect(faultOf(STREAM, bytes, pieces)).toBe(expected);
      }),
    );
  });

  it('must not end within a message', () => {
    fc.assert(
      fc.property(fc.nat({ max: MAX }), fc.nat(), cuts, (length, cutOff, pieces) => {
        const bytes = framed(length);
        const end = 1 + (cutOff % (bytes.length - 1));
        expect(faultOf(STREAM, bytes.subarray(0, end), pieces)).toBe('body_invalid');
      }),
    );
  });
});

describe('a body of one message', () => {
  it('has neither none nor a second one', () => {
    expect(faultOf(ONE, framed(3))).toBeUndefined();
    expect(faultOf(ONE, Buffer.alloc(0))).toBe('body_invalid');
    expect(faultOf(ONE, Buffer.concat([framed(3), framed(3)]))).toBe('body_invalid');
    // Known from its first byte.
    expect(new RequestBody(ONE).take(Buffer.concat([framed(0), framed(0).subarray(0, 1)]))).toBe(
      'body_invalid',
    );
  });
});

it('a message that is too long is known from its prefix', () => {
  expect(new RequestBody(ONE).take(framed(MAX + 1).subarray(0, 5))).toBe('message_too_large');
  expect(new RequestBody(ONE).take(Buffer.from([0, 0xff, 0xff, 0xff, 0xff]))).toBe('message_too_large');
});

it('a message that is compressed, or has a flag that nobody knows, is known from its first byte', () => {
  expect(new RequestBody(STREAM).take(framed(3, 1).subarray(0, 1))).toBe('compressed');
  for (const flags of [2, 3, 0x80, 0xff]) expect(faultOf(STREAM, framed(3, flags))).toBe('body_invalid');
});
