import { describe, expect, it } from '@jest/globals';
import { Cipher, LimitScope, Role } from '@callpass/contract';
import { DocumentError, formatConfigurationDocument, parseConfigurationDocument } from './index.ts';

/** The example of the contract page, every part of the document. */
const FULL = `
realms:
  - name: support.example            # the name in the vendor's admin portal
    cipher: AES_128_ECB
    tokenLifetime: 600s
    maxClockSkew: 30s
    timestampUnit: MILLISECONDS
destinations:
  - id: support
    realm: support.example
    account: anonymous@kandy.example
    callees: [support@kandy.example]
    callers: []
    enabled: true
    requireSubject: true
    hours: { timeZone: Europe/Berlin, open: ["Mon-Fri 08:00-18:00"], closedDates: ["2026-12-25"] }
    limits:
      - { per: SUBJECT, max: 5, window: 60s }
      - { per: DESTINATION, max: 1000, window: 60s, shadow: false }
clients:
  - name: web-edge
    identities: [{ spiffeId: "spiffe://example.org/edge" }]
    grants:
      - { role: ISSUER, destinations: [support] }
      - { role: VALIDATOR, realms: [support.example] }
`;

function problemsOf(text: string) {
  try {
    parseConfigurationDocument(text);
  } catch (error) {
    if (error instanceof DocumentError) return error.problems;
    throw error;
  }
  return [];
}

describe('parseConfigurationDocument', () => {
  it('reads every part of the document', () => {
    const { configuration } = parseConfigurationDocument(FULL);
    expect(configuration.realms[0]).toMatchObject({ name: 'support.example', cipher: Cipher.AES_128_ECB });
    expect(configuration.realms[0]?.tokenLifetime?.seconds).toBe(600n);
    expect(configuration.destinations[0]).toMatchObject({
      id: 'support',
      enabled: true,
      requireSubject: true,
    });
    expect(configuration.destinations[0]?.limits.map((limit) => limit.per)).toEqual([
      LimitScope.SUBJECT,
      LimitScope.DESTINATION,
    ]);
    expect(configuration.clients[0]?.identities[0]?.kind).toEqual({
      case: 'spiffeId',
      value: 'spiffe://example.org/edge',
    });
    expect(configuration.clients[0]?.grants.map((grant) => grant.role)).toEqual([
      Role.ISSUER,
      Role.VALIDATOR,
    ]);
  });

  it('reads JSON as well as YAML', () => {
    const { configuration } = parseConfigurationDocument('{"realms":[{"name":"r","cipher":"AES_128_ECB"}]}');
    expect(configuration.realms[0]?.name).toBe('r');
  });

  it('gives back what formatConfigurationDocument writes', () => {
    const { configuration } = parseConfigurationDocument(FULL);
    expect(parseConfigurationDocument(formatConfigurationDocument(configuration)).configuration).toEqual(
      configuration,
    );
  });

  it('takes an empty text as an empty configuration', () => {
    expect(parseConfigurationDocument('').configuration.realms).toEqual([]);
  });

  it.each([
    [
      'an unknown key',
      'realms:\n  - name: r\n    chipher: AES_128_ECB\n',
      3,
      'realms[0]',
      'unknown key "chipher"',
    ],
    ['an unknown key at the top', 'realm: []\n', 1, '', 'unknown key "realm"'],
    [
      'a value that is no enum',
      'realms:\n  - cipher: DES\n',
      2,
      'realms[0].cipher',
      'expected one of AES_128_ECB',
    ],
    [
      'a duration without a unit',
      'realms:\n  - tokenLifetime: 600\n',
      2,
      'realms[0].tokenLifetime',
      'such as 600s',
    ],
    [
      'a text for a number',
      'destinations:\n  - limits:\n      - max: many\n',
      3,
      'destinations[0].limits[0].max',
      'whole number',
    ],
    ['a number for a text', 'destinations:\n  - id: 7\n', 2, 'destinations[0].id', 'expected a text'],
    ['a list where none belongs', 'destinations:\n  id: x\n', 2, 'destinations', 'expected a list'],
    [
      'a wrong item of a list',
      'destinations:\n  - callees:\n      - a@b\n      - 5\n',
      4,
      'destinations[0].callees[1]',
      'expected a text',
    ],
    ['a key without a value', 'realms:\n  - name:\n', 2, 'realms[0].name', 'has no value'],
    ['a text in place of an entry', 'clients: [web]\n', 1, 'clients[0]', 'expected keys and values'],
  ])('names the line of %s', (_, text, line, path, message) => {
    const [problem] = problemsOf(text);
    expect(problem).toMatchObject({ line, path });
    expect(problem?.message).toContain(message);
  });

  it('refuses a double key and text that is no YAML, with the line', () => {
    expect(problemsOf('realms: []\nrealms: []\n')[0]).toMatchObject({ line: 2 });
    expect(problemsOf('realms: [\n')[0]?.line).toBeGreaterThan(0);
  });

  it('reports every problem, not only the first', () => {
    expect(
      problemsOf('realms:\n  - nam: r\n    cipher: DES\nfoo: 1\n').map((problem) => problem.line),
    ).toEqual([2, 3, 4]);
  });

  it('refuses a text that unfolds without bound', () => {
    const bomb = `a: &a [x,x,x,x,x,x,x,x,x]\n${'bcdefgh'
      .split('')
      .map((name, i) => `${name}: &${name} [${Array(9).fill(`*${'abcdefg'[i]}`).join(',')}]`)
      .join('\n')}\n`;
    expect(problemsOf(bomb).length).toBeGreaterThan(0);
  });

  it('follows aliases, and names the line of one that leads nowhere', () => {
    const { configuration } = parseConfigurationDocument(
      'realms:\n  - &base { name: a, cipher: AES_128_ECB }\ndestinations:\n  - { id: &x one, account: *x }\n',
    );
    expect(configuration.destinations[0]?.account).toBe('one');
    expect(problemsOf('destinations:\n  - id: *x\n')[0]?.line).toBeGreaterThan(0);
    expect(problemsOf('realms:\n  - &a { name: *a }\n').length).toBeGreaterThan(0);
  });
});

describe('locate', () => {
  it('finds a path by JSON and by proto names, and the nearest parent of one that is not written', () => {
    const document = parseConfigurationDocument(FULL);
    expect(document.locate('realms[0].tokenLifetime').line).toBe(5);
    expect(document.locate('realms[0].token_lifetime').line).toBe(5);
    expect(document.locate('clients[0].grants[1].realms[0]').line).toBe(25);
    expect(document.locate('destinations[0].nothing').line).toBe(9);
    expect(document.locate('').line).toBe(2);
  });
});
