import { describe, expect, it } from '@jest/globals';
import type { Destination, Realm } from './configuration.ts';
import { warnings } from './warnings.ts';

const REALM: Realm = {
  name: 'cbc',
  cipher: 'AES_256_CBC_HMAC_SHA256',
  tokenLifetimeMs: 600_000,
  maxClockSkewMs: 30_000,
  timestampUnit: 'MILLISECONDS',
};
const DESTINATION: Destination = {
  id: 'support',
  realm: 'cbc',
  account: 'anonymous@kandy.example',
  callees: ['support@kandy.example', '*@kandy.example'],
  callers: [],
  enabled: true,
  requireSubject: true,
  hours: undefined,
  limits: [{ per: 'SUBJECT', max: 5, windowMs: 60_000, shadow: false, whenUnavailable: 'REFUSE' }],
};
const OPERATOR = {
  name: 'ops',
  identities: [],
  grants: [{ role: 'OPERATOR', destinations: [], realms: [] }],
} as const;

describe('warnings', () => {
  it('are silent about what is safe, and about what an operator switched off on purpose', () => {
    const off = { ...DESTINATION, id: 'off', enabled: false };
    expect(warnings({ realms: [REALM], destinations: [DESTINATION, off], clients: [OPERATOR] })).toEqual([]);
  });

  it('name everything that is allowed but weak', () => {
    expect(
      warnings({
        realms: [REALM, { ...REALM, name: 'ecb', cipher: 'AES_128_ECB' }],
        destinations: [
          { ...DESTINATION, id: 'lobby', realm: undefined },
          { ...DESTINATION, id: 'open', callers: ['a@b.example', '*@visitors.example'] },
          { ...DESTINATION, id: 'unnamed', requireSubject: false },
        ],
        clients: [OPERATOR, { name: 'idle', identities: [], grants: [] }],
      }),
    ).toEqual([
      'realm "ecb": AES_128_ECB tokens can be spliced; validate with require_issued_here',
      'destination "lobby": calls are unrestricted; the gateway verifies nothing',
      'destination "open": callers hold a wildcard; a from token for an address is also a to token for it',
      'destination "unnamed": limits per SUBJECT do not count visitors who are not named; set requireSubject',
      'client "idle": has no grants and may do nothing',
    ]);
  });
});
