import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { compileAddresses } from './addresses.ts';

describe('compileAddresses', () => {
  const matcher = compileAddresses(['Support@Kandy.example', '*@Sales.example']);

  it.each([
    ['Support@kandy.example', true],
    ['Support@KANDY.EXAMPLE', true],
    ['support@kandy.example', false],
    ['anyone@sales.example', true],
    ['ANY.one@SALES.example', true],
    ['anyone@kandy.example', false],
    ['anyone@deep.sales.example', false],
    ['anyone@xsales.example', false],
    ['', false],
    ['@sales.example', false],
    ['anyone@', false],
    ['sales.example', false],
  ])('takes %p as in the list: %p', (address, inList) => {
    expect(matcher.matches(address)).toBe(inList);
  });

  it.each([
    '*@sales.example',
    'a;b@sales.example',
    'a\0b@sales.example',
    'a@b@sales.example',
    'sip:a@sales.example',
    '\uD800@sales.example',
    `${'a'.repeat(250)}@sales.example`,
  ])('lets no wildcard pass what cannot be sealed or is nobody: %.30p', (address) => {
    expect(matcher.matches(address)).toBe(false);
  });

  it('does not take the Kelvin sign in a domain for a k', () => {
    expect(matcher.matches('Support@\u212Aandy.example')).toBe(false);
  });

  it('takes a star in an exact address for a letter, as in *21@pbx', () => {
    const feature = compileAddresses(['*21@pbx.example']);
    expect(feature.matches('*21@pbx.example')).toBe(true);
    expect(feature.matches('22@pbx.example')).toBe(false);
  });

  it('matches nothing with an empty list', () => {
    fc.assert(fc.property(fc.string(), (address) => !compileAddresses([]).matches(address)));
  });

  it('never throws, and matches only what ends in a domain of the list', () => {
    const odd = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string({ unit: 'binary' }).map((user) => `${user}@sales.example`),
    );
    fc.assert(
      fc.property(odd, (address) => {
        const matched = matcher.matches(address);
        expect(matched && !/^[^;@\p{Cc}]+@(sales|kandy)\.example$/iu.test(address)).toBe(false);
      }),
    );
  });
});
