import { expect, it } from '@jest/globals';
import type { Destination, Limit } from '@callpass/domain';
import { allRefuseUncounted } from './health-of.ts';

const LIMIT: Limit = {
  per: 'DESTINATION',
  max: 1,
  windowMs: 60_000,
  shadow: false,
  whenUnavailable: 'REFUSE',
};

function destination(limits: Partial<Limit>[], more: Partial<Destination> = {}): Destination {
  return {
    id: 'd',
    realm: 'r.example',
    account: 'a@x.example',
    callees: ['b@x.example'],
    callers: [],
    enabled: true,
    requireSubject: false,
    hours: undefined,
    limits: limits.map((limit) => ({ ...LIMIT, ...limit })),
    ...more,
  };
}

const REFUSES = destination([{ whenUnavailable: 'ALLOW' }, {}]);

it.each<[string, Destination[], boolean]>([
  ['no destination', [], false],
  ['one that refuses', [REFUSES], true],
  ['one without limits', [destination([])], false],
  ['one that grants uncounted', [destination([{ whenUnavailable: 'ALLOW' }])], false],
  ['one with a shadow limit', [destination([{ shadow: true }])], false],
  ['one that refuses beside one that grants', [REFUSES, destination([])], false],
  ['one that refuses beside one that is off', [REFUSES, destination([], { enabled: false })], true],
  ['a limit of visitors where some are nobody', [destination([{ per: 'SUBJECT' }])], false],
  [
    'a limit of visitors where each is named',
    [destination([{ per: 'SUBJECT' }], { requireSubject: true })],
    true,
  ],
  [
    'a limit of the realm where there is none',
    [destination([{ per: 'REALM' }], { realm: undefined })],
    false,
  ],
  ['a limit of the realm', [destination([{ per: 'REALM' }])], true],
])('%s', (_name, destinations, expected) => {
  expect(allRefuseUncounted({ destinations })).toBe(expected);
});
