import { create } from '@bufbuild/protobuf';
import { describe, expect, it } from '@jest/globals';
import { Cipher, ConfigurationSchema, LimitScope, Role } from '@callpass/contract';
import type { AliasLimits } from '@callpass/program/yaml';
import fc from 'fast-check';
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

function problemsOf(text: string, limits?: AliasLimits) {
  try {
    parseConfigurationDocument(text, limits);
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

  it.each([
    ['no text', ''],
    ['spaces and line ends', ' \n\t\r\n'],
    ['a byte order mark', '\ufeff'],
    ['comments', '# realms:\n#   - name: r\n'],
    ['null', 'null # not yet\n'],
    ['~', '~'],
    ['a document without content', '---\n'],
    ['a document without content, ended', '---\n...\n'],
    ['an end', '...\n'],
    ['a directive', '%YAML 1.2\n---\n'],
    ['keys with empty lists', 'realms: []\ndestinations: []\nclients: []\n'],
    ['JSON with an empty list', '{ "realms": [] }'],
  ])('refuses a document without content, since it would remove everything: %s', (_, text) => {
    expect(problemsOf(text)).toMatchObject([
      { line: 1, message: expect.stringContaining('write {} if that is meant') },
    ]);
  });

  it('refuses any text of comments, blank lines and marks of documents', () => {
    const blank = fc.constantFrom('', ' ', '  \t', '\r');
    const comment = fc.string({ unit: 'grapheme-ascii', maxLength: 40 }).map((text) => `# ${text}`);
    const nothing = fc.constantFrom(
      'null',
      '~',
      'Null # realms: []',
      '!!null',
      'realms: []',
      'realms: []\nclients: []',
      '[]',
    );
    const lines = fc.array(fc.oneof(blank, comment), { maxLength: 8 });
    fc.assert(
      fc.property(
        fc.constantFrom('', '\ufeff'),
        lines,
        fc.constantFrom('', '---', '--- # begins'),
        lines,
        fc.option(nothing, { nil: '' }),
        lines,
        fc.constantFrom('', '...'),
        (mark, before, begin, between, value, after, end) => {
          const text = mark + [...before, begin, ...between, value, ...after, end].join('\n');
          expect([text, problemsOf(text).length > 0]).toEqual([text, true]);
        },
      ),
      { numRuns: 300 },
    );
  });

  it.each(['{}', ' { } # nothing', '---\n{}\n', '\ufeff{}', '!!map {}'])(
    'takes {} for an empty configuration that is meant: %j',
    (text) => {
      const { configuration, empty } = parseConfigurationDocument(text);
      expect(empty).toBe(true);
      expect([...configuration.realms, ...configuration.destinations, ...configuration.clients]).toEqual([]);
    },
  );

  it('gives back the empty configuration that formatConfigurationDocument writes', () => {
    expect(parseConfigurationDocument(formatConfigurationDocument(create(ConfigurationSchema))).empty).toBe(
      true,
    );
    expect(parseConfigurationDocument(FULL).empty).toBe(false);
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
    [
      'a key that is written twice',
      'realms:\n  - name: r\n    name: s\n',
      3,
      'realms[0]',
      '"name" is written twice',
    ],
    [
      'a key that is written in both spellings',
      'realms:\n  - tokenLifetime: 1s\n    token_lifetime: 2s\n',
      3,
      'realms[0]',
      '"token_lifetime" is written twice',
    ],
    [
      'a merge key',
      'realms:\n  - &a { name: a }\n  - { <<: *a, name: b }\n',
      3,
      'realms[1]',
      'merge keys (<<) are not taken',
    ],
    [
      'an anchor that is not written',
      'destinations:\n  - id: *x\n',
      2,
      'destinations[0].id',
      '*x names no anchor',
    ],
    [
      'an anchor that is written later',
      'destinations:\n  - { id: *x }\n  - { id: &x a }\n',
      2,
      'destinations[0].id',
      '*x names no anchor',
    ],
    [
      'an anchor that contains its alias',
      'destinations: &a\n  - *a\n',
      2,
      'destinations[0]',
      '*a names no anchor',
    ],
    ['half of a surrogate pair', 'realms:\n  - name: "\\uD800"\n', 2, 'realms[0].name', 'no Unicode text'],
    ['a tag', 'realms:\n  - name: !secret x\n', 2, '', 'has a tag'],
    ['a tag of YAML 1.1', 'realms:\n  - name: !!binary aGk=\n', 2, '', 'has a tag'],
    ['a second document', 'realms: []\n---\nrealms: []\n', 2, '', 'begins a second document'],
    ['a control character', '# a\nrealms: []\n# \u0002\n', 3, '', 'has a control character'],
  ])('names the line of %s', (_, text, line, path, message) => {
    const [problem] = problemsOf(text);
    expect(problem).toMatchObject({ line, path });
    expect(problem?.message).toContain(message);
    // What to do stands in it, and no word of a library.
    expect(problem?.message).toMatch(/;|^expected |^has half|^merge keys/);
    expect(problem?.message).not.toMatch(
      /undefined|null|\[object|YAML\w+|(BAD|MULTIPLE|MISSING|DUPLICATE|TAG)_|implicit|scalar|node/i,
    );
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

  it('follows an alias to the last anchor of its name before it', () => {
    const text =
      'destinations:\n  - { id: &x a, account: *x }\n  - &b { id: &x b, account: *x }\n  - *b\n  - { id: *x }\n';
    const { destinations } = parseConfigurationDocument(text).configuration;
    expect(destinations.map(({ id, account }) => [id, account])).toEqual([
      ['a', 'a'],
      ['b', 'b'],
      ['b', 'b'],
      ['b', ''],
    ]);
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

describe('a document that is small and stands for something large', () => {
  it('is refused at the alias that adds more values than all aliases may', () => {
    const destination = fc.array(fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 9 }), {
      maxLength: 6,
    });
    fc.assert(
      fc.property(
        fc.array(destination, { minLength: 1, maxLength: 4 }),
        fc.array(fc.nat({ max: 3 }), { maxLength: 40 }),
        fc.nat({ max: 200 }),
        fc.nat({ max: 300 }),
        (written, aliases, maxNodes, maxCharacters) => {
          const text = [
            'destinations:',
            ...written.map((callees, i) => `  - &d${i} { callees: ${JSON.stringify(callees)} }`),
            ...aliases.map((i) => `  - *d${i % written.length}`),
          ].join('\n');
          let nodes = 0;
          let characters = 0;
          const tooMuch = aliases.findIndex((i) => {
            const callees = written[i % written.length] ?? [];
            nodes += 2 + callees.length;
            characters += callees.join('').length;
            return nodes > maxNodes || characters > maxCharacters;
          });
          const problems = problemsOf(text, { maxNodes, maxCharacters });
          if (tooMuch < 0) expect(problems).toEqual([]);
          else {
            expect(problems).toMatchObject([
              { line: 2 + written.length + tooMuch, message: expect.stringContaining('repeats too much') },
            ]);
          }
        },
      ),
    );
  });

  const lines = (count: number, line: string) => `${line}\n`.repeat(count);
  it.each([
    [
      '50,000 destinations that are one',
      `destinations:\n  - &d { id: a, realm: r, account: a@b, callees: [a@b] }\n${lines(49_999, '  - *d')}`,
      'repeats too much',
    ],
    [
      'a list of lists of a text',
      `destinations:\n  - id: &t ${'x'.repeat(100_000)}\n    callees: [${Array(300).fill('*t').join(', ')}]\n`,
      'repeats too much',
    ],
    ['50,000 lists in each other', '['.repeat(50_000), 'nested in more than 64 levels'],
    ['50,000 list items in each other', '- '.repeat(50_000), 'nested in more than 64 levels'],
    ['50,000 keys in each other', '? '.repeat(50_000), 'nested in more than 64 levels'],
    ['20,000 maps in each other', '[{a: '.repeat(20_000), 'nested in more than 64 levels'],
    ['30,000 keys', Array.from({ length: 30_000 }, (_, i) => `k${i}: 1`).join('\n'), 'unknown key "k0"'],
    ['a key of half a megabyte', `? ${'k'.repeat(500_000)}\n: 1\n`, 'unknown key "kkk'],
    ['a text of half a megabyte', `realms: ${'x'.repeat(500_000)}`, 'expected a list'],
    ['a number of half a megabyte', `realms: [{ name: ${'9'.repeat(500_000)} }]`, 'expected a text'],
    ['100,000 documents', lines(100_000, '--- {}'), 'begins a second document'],
    ['20,000 anchors on one node', `realms: ${'&a '.repeat(20_000)}x`, 'anchor'],
    [
      '50,000 anchors',
      `realms:\n${Array.from({ length: 50_000 }, (_, i) => ` - &a${i} x`).join('\n')}`,
      'expected keys',
    ],
    ['a text without end over 20,000 lines', `realms:\n - name: "${lines(20_000, 'a')}`, 'quote'],
  ])('is refused with a line, and soon: %s', (_, text, message) => {
    const before = process.cpuUsage();
    const problems = problemsOf(text);
    const { user, system } = process.cpuUsage(before);
    expect(problems[0]?.message).toContain(message);
    expect(problems[0]?.line).toBeGreaterThan(0);
    expect(problems.length).toBeLessThanOrEqual(1000);
    expect(Math.max(...problems.map((problem) => problem.message.length))).toBeLessThan(300);
    // Processor time in ms: other work of the machine does not count.
    expect((user + system) / 1000).toBeLessThan(6000);
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
