import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { startTestEdge } from '../testing/test-edge.ts';
import { holderOf, parseAddress, siteOf } from './address.ts';

const port = fc.integer({ min: 0, max: 65_535 });
const zone = fc.constantFrom('', '%eth0', '%25en1', '%1');
const space = fc.constantFrom('', ' ', '\t');
const padded = (part: string, zeros: number) => '0'.repeat(zeros) + part;

/** An IPv4 address, and a way in which a proxy may write it. */
const ipv4 = fc
  .record({
    parts: fc.array(fc.nat(255), { minLength: 4, maxLength: 4 }),
    zeros: fc.nat(3),
    form: fc.constantFrom(
      (text: string) => text,
      (text: string) => `::ffff:${text}`,
      (text: string) => `::FFFF:${text}`,
      (text: string) => `[0:0:0:0:0:ffff:${text}]`,
    ),
    port: fc.option(port),
    quoted: fc.boolean(),
  })
  .map(({ parts, zeros, form, port, quoted }) => {
    const text = form(parts.map((part) => padded(String(part), zeros)).join('.'));
    const open = port === null || (text.includes(':') && !text.startsWith('[')) ? text : `${text}:${port}`;
    return { address: parts.join('.'), written: quoted ? `"${open}"` : open };
  });

const ipv6 = fc
  .record({
    groups: fc.array(fc.integer({ min: 1, max: 0xffff }), { minLength: 5, maxLength: 5 }),
    capitals: fc.boolean(),
    fill: fc.boolean(),
    short: fc.boolean(),
    zone,
    port: fc.option(port),
    brackets: fc.boolean(),
  })
  .map(({ groups, capitals, fill, short, zone, port, brackets }) => {
    const hex = groups.map((group) => group.toString(16));
    const texts = hex.map((group) => (fill ? group.padStart(4, '0') : group));
    const middle = short ? '' : '0:0:0:';
    const plain = `${texts.slice(0, 3).join(':')}:${middle}${short ? ':' : ''}${texts.slice(3).join(':')}`;
    const cased = `${capitals ? plain.toUpperCase() : plain}${zone}`;
    const bracketed = brackets || port !== null;
    return {
      address: [...hex.slice(0, 3), '0', '0', '0', ...hex.slice(3)].join(':'),
      written: bracketed ? `[${cased}]${port === null ? '' : `:${port}`}` : cased,
    };
  });

describe('an address', () => {
  it('has one form, however a proxy writes it', () => {
    fc.assert(
      fc.property(fc.oneof(ipv4, ipv6), space, space, ({ address, written }, before, after) => {
        expect(parseAddress(`${before}${written}${after}`)).toBe(address);
      }),
      { numRuns: 1000 },
    );
  });

  it.each([
    '',
    'unknown',
    '_hidden',
    '1.2.3',
    '1.2.3.4.5',
    '256.1.1.1',
    '1.2.3.4:http',
    '1.2.3.4 1.2.3.4',
    '[1.2.3.4',
    '[::1]x',
    '::1::',
    '12345::1',
    '-1.2.3.4',
    'x'.repeat(10_000),
    `${'0'.repeat(200)}1.2.3.4`,
  ])('is not %s', (text) => {
    expect(parseAddress(text)).toBeUndefined();
  });

  it('is nothing that arbitrary text leads to but an address', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (text) => {
        const address = parseAddress(text);
        if (address !== undefined) expect(parseAddress(address)).toBe(address);
      }),
    );
  });

  it('belongs to a holder and to a site', () => {
    expect([holderOf('192.0.2.1'), siteOf('192.0.2.1')]).toEqual(['192.0.2.1', '192.0.2']);
    expect([holderOf('2001:db8:1:2:3:4:5:6'), siteOf('2001:db8:1:2')]).toEqual([
      '2001:db8:1:2',
      '2001:db8:1',
    ]);
  });
});

describe('a visitor behind a listed proxy', () => {
  const PROXY = '10.0.0.1';
  const start = async () => {
    const { app, send } = await startTestEdge({ limits: { perAddress: 1 }, trustedProxies: ['10.0.0.0/8'] });
    const from = async (forwardedFor: string | string[]) => {
      const headers = { 'x-forwarded-for': forwardedFor };
      return (await send({ url: '/callparameters', headers, remoteAddress: PROXY })).statusCode;
    };
    return { app, from, ask: send };
  };

  it('is one visitor with one limit, whatever the form of X-Forwarded-For', async () => {
    await fc.assert(
      fc.asyncProperty(fc.oneof(ipv4, ipv6), async ({ address, written }) => {
        fc.pre(!address.startsWith('10.'));
        const { app, from } = await start();
        await from(address);
        expect(await from(written)).toBe(429);
        expect(await from(`203.0.113.1, ${written}, , 10.3.4.5:443`)).toBe(429);
        expect(await from(['203.0.113.1', written])).toBe(429);
        await app.close();
      }),
      { numRuns: 30 },
    );
  });

  it('has no limit of their own by a word or a long text: that is the proxy’s', async () => {
    const { app, from, ask } = await start();
    await ask({ url: '/callparameters', remoteAddress: PROXY });
    for (const word of [
      'unknown',
      '_a',
      '_b',
      '999.1.1.1',
      'x'.repeat(5000),
      '192.0.2.1 x',
      '192.0.2.7, _c',
    ]) {
      expect(await from(word)).toBe(429);
    }
    expect(await from('192.0.2.7')).not.toBe(429);
    await app.close();
  });
});
