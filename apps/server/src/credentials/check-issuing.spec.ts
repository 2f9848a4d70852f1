import { CredentialService } from '@callpass/contract';
import type { Reason } from '@callpass/contract';
import { EMPTY_CONFIGURATION, FreezeIndex, KeyedHash } from '@callpass/domain';
import { createClient, type Connection } from '@callpass/grpc-kit';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { connectPresenting } from '../testing/presented.ts';
import { refusalOf } from '../testing/refusal.ts';
import { DOCUMENT } from '../testing/test-server.ts';
import { startTlsServer, type TlsServer } from '../testing/tls-server.ts';
import { LOCAL_PRINCIPAL } from '../state/principal.ts';
import { compileDestinations } from '../state/snapshot.ts';
import { checkIssuing } from './check-issuing.ts';

const ECB_KEY = 'AbCdEfGhIjKlMnOp';
const GRANTS: Record<string, string> = {
  all: '[{ role: ISSUER, destinations: ["*"] }]',
  two: '[{ role: ISSUER, destinations: [ecb, lobby] }]',
  one: '[{ role: ISSUER, destinations: [ecb] }]',
  off: '[{ role: ISSUER, destinations: [off] }]',
  night: '[{ role: ISSUER, destinations: [night] }]',
  keyless: '[{ role: ISSUER, destinations: [keyless] }]',
  validator: '[{ role: VALIDATOR, realms: ["*"] }]',
  nothing: '[]',
};
/** Nothing has been closed longer than this place. */
const NIGHT = `
  - id: night
    realm: ecb.example
    account: account@kandy.example
    callees: [support@kandy.example]
    hours: { timeZone: Europe/Berlin, open: ["Sun 03:00-03:01"] }
`;

let server: TlsServer;
const connections: Connection[] = [];
beforeAll(async () => {
  server = await startTlsServer();
  const clients = Object.entries(GRANTS).map(
    ([name, grants]) => `  - { name: ${name}, identities: [{ commonName: ${name} }], grants: ${grants} }`,
  );
  await server.configure(`${DOCUMENT}${NIGHT}clients:\n${clients.join('\n')}\n`);
  await server.activateKey('ecb.example', ECB_KEY);
});
afterAll(async () => {
  for (const connection of connections) connection.close();
  await server.stop();
});

async function ask(name: string): Promise<string> {
  const certificate = await server.authority.issue({ commonName: name, use: 'client' });
  const connection = connectPresenting(server.address, server.authority, certificate);
  connections.push(connection);
  const answer = createClient(CredentialService, connection).checkIssuing({});
  return answer.then(
    () => 'may issue',
    async () => String((await refusalOf(answer)).reason),
  );
}

async function whileFrozen<T>(
  scope: Parameters<TlsServer['admin']['freeze']>[0]['scope'],
  ask: () => Promise<T>,
): Promise<T> {
  await server.admin.freeze({ scope, reason: 'test' });
  try {
    return await ask();
  } finally {
    await server.admin.unfreeze({ scope });
  }
}

describe('whether a client may issue', () => {
  it.each([
    ['with every grant', 'all', 'may issue'],
    ['with one grant', 'one', 'may issue'],
    ['whose destination is switched off, which a visitor is told', 'off', 'may issue'],
    ['whose destination is closed now, which a visitor is told', 'night', 'may issue'],
    ['whose destination has no key', 'keyless', 'KEY_NOT_ACTIVE'],
    ['that may validate only', 'validator', 'CLIENT_NOT_GRANTED'],
    ['without a grant', 'nothing', 'CLIENT_NOT_GRANTED'],
    ['that is not in the configuration', 'removed', 'CLIENT_UNKNOWN'],
  ])('of a client %s', async (_what, name, expected) => {
    expect(await ask(name)).toBe(expected);
  });

  it('is no while the client is frozen, or all that it may issue for', async () => {
    const { client, destination, realm } = {
      client: { scope: { case: 'client', value: 'two' } },
      destination: { scope: { case: 'destination', value: 'ecb' } },
      realm: { scope: { case: 'realm', value: 'ecb.example' } },
    } as const;
    expect(await whileFrozen(client, () => Promise.all([ask('two'), ask('one')]))).toEqual([
      'FROZEN',
      'may issue',
    ]);
    for (const scope of [destination, realm])
      expect(await whileFrozen(scope, () => Promise.all([ask('two'), ask('one')]))).toEqual([
        'may issue',
        'FROZEN',
      ]);
  });

  it('leaves no entry in the ledger, whatever the answer is', async () => {
    const count = async () => (await server.ledger.listEntries({ pageSize: 1000 })).entries.length;
    const before = await count();
    for (const name of ['all', 'removed', 'nothing', 'keyless']) await ask(name);
    expect(await count()).toBe(before);
  });

  it.each<Reason>(['CLOCK_UNTRUSTED', 'LEDGER_UNAVAILABLE', 'LIMITER_UNAVAILABLE'])(
    'is no with the reason of a server that cannot: %s',
    (issuingFault) => {
      const destination = { id: 'd', account: 'a@x.example', callees: ['b@x.example'], callers: [] };
      const more = { realm: undefined, enabled: true, requireSubject: false, hours: undefined, limits: [] };
      const destinations = compileDestinations({
        ...EMPTY_CONFIGURATION,
        destinations: [{ ...destination, ...more }],
      });
      const snapshot = { destinations, realms: new Map(), freezes: new FreezeIndex([]) } as never;
      const ports = {
        state: { snapshot },
        clock: { now: () => 0 },
        keyedHash: new KeyedHash(new Uint8Array(32)),
      };
      const check = (fault: Reason | undefined) => () =>
        checkIssuing({ ...ports, health: { current: { issuingFault: fault } } }, LOCAL_PRINCIPAL);
      expect(check(issuingFault)).toThrow(expect.objectContaining({ reason: issuingFault }));
      expect(check(undefined)).not.toThrow();
    },
  );
});
