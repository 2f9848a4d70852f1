import { describe, expect, it } from '@jest/globals';
import { readAnyValue, readAttributes, readInteger, readNumber } from './json-reader.ts';

describe('readAnyValue', () => {
  it.each([
    [{ stringValue: '' }, ''],
    [{ boolValue: false }, false],
    [{ intValue: '42' }, 42],
    [{ intValue: 42 }, 42],
    [{ intValue: '9223372036854775807' }, 9223372036854775807n],
    [{ doubleValue: 0.5 }, 0.5],
    [{ doubleValue: 'Infinity' }, Infinity],
    [{ bytesValue: 'AQI=' }, 'AQI='],
    [{ arrayValue: { values: [{ stringValue: 'a' }, { intValue: 1 }] } }, ['a', 1]],
    [{ arrayValue: {} }, []],
    [{ kvlistValue: { values: [{ key: 'k', value: { boolValue: true } }] } }, { k: true }],
    [{}, null],
    [undefined, null],
    ['text', null],
    [{ newValue: 1 }, null],
  ])('reads %j', (any, value) => {
    expect(readAnyValue(any)).toEqual(value);
  });

  it('stops at a nesting that would exhaust the stack', () => {
    let any: unknown = { stringValue: 'deep' };
    for (let i = 0; i < 50_000; i += 1) any = { arrayValue: { values: [any] } };
    expect(JSON.stringify(readAnyValue(any)).length).toBeLessThan(100);
  });
});

describe('readAttributes', () => {
  it('keeps a key named __proto__ a key', () => {
    const attributes = readAttributes([{ key: '__proto__', value: { stringValue: 'x' } }]);
    expect(Object.keys(attributes)).toEqual(['__proto__']);
    expect(Object.getPrototypeOf(attributes)).toBe(Object.prototype);
  });
});

describe('readInteger', () => {
  it.each([
    ['1700000000123456789', 1700000000123456789n],
    [5, 5n],
    ['', 0n],
    ['1e3', 0n],
    [1.5, 0n],
    [Infinity, 0n],
    [null, 0n],
    ['9'.repeat(1000), 0n],
  ])('reads %j as %s', (value, integer) => {
    expect(readInteger(value)).toBe(integer);
  });
});

describe('readNumber', () => {
  it.each([
    ['7', 7],
    [7, 7],
    ['NaN', NaN],
    ['seven', undefined],
    ['', undefined],
    [undefined, undefined],
    [[7], undefined],
  ])('reads %j as %s', (value, number) => {
    expect(readNumber(value)).toBe(number);
  });
});
