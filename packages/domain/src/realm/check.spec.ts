import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { checkConfiguration } from './check.ts';
import type { Client, Configuration, Destination, Grant, Identity, Limit, Realm } from './configuration.ts';

const REALM: Realm = {
  name: 'support.example',
  cipher: 'AES_128_ECB',
  tokenLifetimeMs: 600_000,
  maxClockSkewMs: 30_000,
  timestampUnit: 'MILLISECONDS',
};
const DESTINATION: Destination = {
  id: 'support',
  realm: 'support.example',
  account: 'anonymous@kandy.example',
  callees: ['support@kandy.example'],
  callers: ['*@visitors.example'],
  enabled: true,
  requireSubject: true,
  hours: { timeZone: 'Europe/Berlin', open: ['Mon-Fri 08:00-18:00'], closedDates: ['2026-12-25'] },
  limits: [
    { per: 'SUBJECT', max: 5, windowMs: 60_000, shadow: false, whenUnavailable: 'REFUSE' },
    { per: 'SUBJECT', max: 20, windowMs: 3_600_000, shadow: false, whenUnavailable: 'REFUSE' },
  ],
};
const CLIENT: Client = {
  name: 'web-edge',
  identities: [{ kind: 'spiffeId', value: 'spiffe://example.org/edge' }],
  grants: [
    { role: 'ISSUER', destinations: ['support'], realms: [] },
    { role: 'VALIDATOR', destinations: [], realms: ['support.example'] },
    { role: 'OPERATOR', destinations: [], realms: [] },
    { role: 'AUDITOR', destinations: [], realms: [] },
  ],
};
const GOOD: Configuration = { realms: [REALM], destinations: [DESTINATION], clients: [CLIENT] };

const pathsOf = (configuration: Configuration): string[] =>
  checkConfiguration(configuration).map((problem) => problem.path);
const withDestination = (changes: Partial<Destination>): Configuration => ({
  ...GOOD,
  destinations: [{ ...DESTINATION, ...changes }],
});
const withGrants = (...grants: (Pick<Grant, 'role'> & Partial<Grant>)[]): Configuration => ({
  ...GOOD,
  clients: [{ ...CLIENT, grants: grants.map((grant) => ({ destinations: [], realms: [], ...grant })) }],
});
const client = (name: string, ...identities: Identity[]): Client => ({ name, identities, grants: [] });

describe('checkConfiguration', () => {
  it('finds nothing in a configuration that holds', () => {
    expect(checkConfiguration(GOOD)).toEqual([]);
    expect(checkConfiguration(withDestination({ realm: undefined, hours: undefined }))).toEqual([]);
    expect(checkConfiguration({ realms: [], destinations: [], clients: [] })).toEqual([]);
  });

  it('finds double names at their second place, and tells upper from lower case', () => {
    const doubled: Configuration = {
      realms: [REALM, REALM, { ...REALM, name: 'SUPPORT.example' }],
      destinations: [DESTINATION, { ...DESTINATION, id: 'Support' }, DESTINATION, DESTINATION],
      clients: [client('a'), client('A'), client('a')],
    };
    expect(pathsOf(doubled)).toEqual([
      'realms[1].name',
      'destinations[2].id',
      'destinations[3].id',
      'clients[2].name',
    ]);
    expect(checkConfiguration(doubled)[1]?.message).toBe(
      '"support" is taken by destinations[0].id; names must be unique',
    );
  });

  it('finds references to what is not there', () => {
    expect(checkConfiguration(withDestination({ realm: 'Support.example' }))).toEqual([
      { path: 'destinations[0].realm', message: 'there is no realm named "Support.example"' },
    ]);
    const grants = withGrants(
      { role: 'ISSUER', destinations: ['support', 'sales'] },
      { role: 'VALIDATOR', realms: ['support', 'support.example'] },
    );
    expect(checkConfiguration(grants)).toEqual([
      { path: 'clients[0].grants[0].destinations[1]', message: 'there is no destination named "sales"' },
      { path: 'clients[0].grants[1].realms[0]', message: 'there is no realm named "support"' },
    ]);
  });

  it('takes a star for all, alone only', () => {
    expect(
      pathsOf(withGrants({ role: 'ISSUER', destinations: ['*'] }, { role: 'VALIDATOR', realms: ['*'] })),
    ).toEqual([]);
    expect(
      pathsOf(
        withGrants(
          { role: 'ISSUER', destinations: ['support', '*'] },
          { role: 'VALIDATOR', realms: ['*', '*'] },
        ),
      ),
    ).toEqual([
      'clients[0].grants[0].destinations[1]',
      'clients[0].grants[1].realms[0]',
      'clients[0].grants[1].realms[1]',
    ]);
  });

  it('finds grants that allow nothing, and scopes that mean nothing', () => {
    const both = { destinations: ['support'], realms: ['support.example'] };
    expect(pathsOf(withGrants({ role: 'ISSUER' }, { role: 'VALIDATOR' }))).toEqual([
      'clients[0].grants[0].destinations',
      'clients[0].grants[1].realms',
    ]);
    expect(
      pathsOf(
        withGrants(
          { role: 'ISSUER', ...both },
          { role: 'VALIDATOR', ...both },
          { role: 'OPERATOR', ...both },
          { role: 'AUDITOR', realms: ['*'] },
        ),
      ),
    ).toEqual([
      'clients[0].grants[0].realms',
      'clients[0].grants[1].destinations',
      'clients[0].grants[2].destinations',
      'clients[0].grants[2].realms',
      'clients[0].grants[3].realms',
    ]);
  });

  it.each([
    ['support'],
    ['support@'],
    ['@kandy.example'],
    ['a@b@kandy.example'],
    ['sip:support@kandy.example'],
    ['sup;port@kandy.example'],
    ['sup\nport@kandy.example'],
    [`${'a'.repeat(250)}@kandy.example`],
    [''],
    ['support@*'],
    ['support@*.example'],
    ['*@*'],
  ])('refuses %.30p as callee and as caller', (address) => {
    expect(
      pathsOf(withDestination({ callees: [...DESTINATION.callees, address], callers: [address] })),
    ).toEqual(['destinations[0].callees[1]', 'destinations[0].callers[0]']);
  });

  it('wants an exact address for the account and the first callee', () => {
    expect(pathsOf(withDestination({ account: '*@kandy.example' }))).toEqual(['destinations[0].account']);
    expect(pathsOf(withDestination({ account: 'a;b@kandy.example' }))).toEqual(['destinations[0].account']);
    expect(pathsOf(withDestination({ callees: ['*@kandy.example'] }))).toEqual([
      'destinations[0].callees[0]',
    ]);
    expect(pathsOf(withDestination({ callees: [] }))).toEqual(['destinations[0].callees']);
    expect(pathsOf(withDestination({ callees: ['support@kandy.example', '*@kandy.example'] }))).toEqual([]);
  });

  it('finds everything in hours that does not parse', () => {
    const hours = {
      timeZone: 'Europe/Atlantis',
      open: ['Mon-Fri 08:00-18:00', 'Mon 18:00', 'Tue 09:00-09:00'],
      closedDates: ['2026-12-25', '2026-02-30'],
    };
    expect(pathsOf(withDestination({ hours }))).toEqual([
      'destinations[0].hours.timeZone',
      'destinations[0].hours.open[1]',
      'destinations[0].hours.open[2]',
      'destinations[0].hours.closedDates[1]',
    ]);
    expect(pathsOf(withDestination({ hours: { timeZone: 'UTC', open: [], closedDates: [] } }))).toEqual([
      'destinations[0].hours.open',
    ]);
  });

  it('merges windows that overlap instead of refusing them', () => {
    const open = ['Mon 08:00-12:00', 'Mon 10:00-14:00', 'Sun 22:00-09:00'];
    expect(pathsOf(withDestination({ hours: { timeZone: 'UTC', open, closedDates: [] } }))).toEqual([]);
  });

  it('finds limits that cannot count, or count the same twice', () => {
    const limit: Limit = { per: 'CLIENT', max: 5, windowMs: 1000, shadow: false, whenUnavailable: 'REFUSE' };
    const limits: Limit[] = [
      { ...limit, windowMs: 0 },
      { ...limit, windowMs: -1 },
      { ...limit, windowMs: NaN },
      { ...limit, max: 0 },
      { ...limit, max: 6 },
      { ...limit, per: 'DESTINATION' },
      { ...limit, shadow: true },
    ];
    expect(pathsOf(withDestination({ limits }))).toEqual([
      'destinations[0].limits[0].window',
      'destinations[0].limits[1].window',
      'destinations[0].limits[2].window',
      'destinations[0].limits[3].max',
      'destinations[0].limits[4]',
      'destinations[0].limits[6]',
    ]);
    expect(pathsOf(withDestination({ realm: undefined, limits: [{ ...limit, per: 'REALM' }] }))).toEqual([
      'destinations[0].limits[0].per',
    ]);
  });

  it('finds realms without a lifetime or with a skew below zero', () => {
    const realms = [{ ...REALM, tokenLifetimeMs: 0, maxClockSkewMs: -1 }];
    expect(pathsOf({ ...GOOD, realms })).toEqual(['realms[0].tokenLifetime', 'realms[0].maxClockSkew']);
  });

  it('finds identities of two clients, and lets one client repeat its own', () => {
    const jwt = { kind: 'jwt', issuer: 'https://issuer.example', subject: 'edge' } as const;
    const clients = [
      client('a', { kind: 'dnsName', value: 'edge.example' }, jwt, jwt, { kind: 'tokenSha256', value: 'AB' }),
      client('b', { kind: 'commonName', value: 'edge.example' }, { ...jwt, subject: 'other' }),
      client('c', { kind: 'dnsName', value: 'EDGE.example' }, jwt, { kind: 'tokenSha256', value: 'ab' }),
    ];
    expect(checkConfiguration({ ...GOOD, clients })).toEqual(
      [0, 1, 2].map((index) => ({
        path: `clients[2].identities[${index}]`,
        message: 'clients[0] has the same identity; it must name one client only',
      })),
    );
  });

  it('reports all problems at once, in document order within a list', () => {
    const bad = { ...DESTINATION, realm: 'gone', account: 'x', callees: ['y'], callers: ['z'] };
    expect(pathsOf({ ...GOOD, destinations: [DESTINATION, { ...bad, id: 'sales' }] })).toEqual([
      'destinations[1].realm',
      'destinations[1].account',
      'destinations[1].callees[0]',
      'destinations[1].callers[0]',
    ]);
  });

  it('puts no address, token hash or hours into a message, and no name on two lines or without end', () => {
    const canary = 'canary';
    const digest = 'c0ffee'.repeat(10);
    const messages = checkConfiguration({
      realms: [],
      destinations: [
        {
          ...DESTINATION,
          realm: `${'r'.repeat(10_000)}\n`,
          account: canary,
          callees: [canary],
          callers: [canary],
          hours: { timeZone: canary, open: [canary], closedDates: [canary] },
        },
      ],
      clients: ['a', 'b'].map((name) => client(name, { kind: 'tokenSha256', value: digest })),
    }).map((problem) => problem.message);
    expect(messages).toHaveLength(8);
    for (const message of messages) {
      expect(message).not.toMatch(/canary|c0ffee|\n/);
      expect(message.length).toBeLessThan(200);
    }
  });

  it('never throws, whatever the texts', () => {
    const text = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('*', 'support', '__proto__', ''));
    const texts = fc.array(text, { maxLength: 3 });
    const destination = fc
      .record({
        id: text,
        realm: fc.option(text, { nil: undefined }),
        account: text,
        callees: texts,
        callers: texts,
        hours: fc.record({ timeZone: text, open: texts, closedDates: texts }),
      })
      .map((changes): Destination => ({ ...DESTINATION, ...changes }));
    const configuration: fc.Arbitrary<Configuration> = fc.record({
      realms: fc.array(text.map((name): Realm => ({ ...REALM, name }))),
      destinations: fc.array(destination),
      clients: fc.array(
        fc.record({
          name: text,
          identities: fc.array(fc.record({ kind: fc.constantFrom('dnsName', 'commonName'), value: text })),
          grants: fc.array(
            fc.record({ role: fc.constantFrom('ISSUER', 'OPERATOR'), destinations: texts, realms: texts }),
          ),
        }),
      ),
    });
    fc.assert(
      fc.property(configuration, (given) => {
        expect(Array.isArray(checkConfiguration(given))).toBe(true);
      }),
    );
  });

  it('takes time in proportion to the destinations', () => {
    const sized = (count: number): Configuration => ({
      realms: [REALM],
      destinations: Array.from({ length: count }, (_, index) => ({ ...DESTINATION, id: `d${index}` })),
      clients: [],
    });
    const millisecondsFor = (configuration: Configuration): number => {
      const start = performance.now();
      expect(checkConfiguration(configuration)).toEqual([]);
      return performance.now() - start;
    };
    millisecondsFor(sized(2_000));
    const few = Math.max(1, millisecondsFor(sized(5_000)));
    // Quadratic work would take 256 times as long for 16 times as many.
    expect(millisecondsFor(sized(80_000)) / few).toBeLessThan(100);
  });
});
