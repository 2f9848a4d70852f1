import { CredentialService, LedgerEntry_Kind, LedgerService } from '@callpass/contract';
import { createClient, type Connection } from '@callpass/grpc-kit';
import { Authorization } from '@callpass/rpc-protos/gen/envoy/service/auth/v3/external_auth_pb.js';
import { ServerReflection } from '@callpass/rpc-protos/gen/grpc/reflection/v1/reflection_pb.js';
import { ServerReflection as ServerReflectionV1Alpha } from '@callpass/rpc-protos/gen/grpc/reflection/v1alpha/reflection_pb.js';
import { subscribeRequest } from '@callpass/testkit/manipulated-requests';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { authorization, connectPresenting } from '../testing/presented.ts';
import { refusalOf } from '../testing/refusal.ts';
import { DOCUMENT, KEYS } from '../testing/test-server.ts';
import { startTlsServer, staticToken, type TlsServer } from '../testing/tls-server.ts';

const some = staticToken();
const all = staticToken();
const operator = staticToken();
const clients = (identities = `[{ tokenSha256: "${some.sha256}" }]`) => `
clients:
  - { name: some, identities: ${identities}, grants: [{ role: ISSUER, destinations: [ecb, off] }, { role: VALIDATOR, realms: [ecb.example] }] }
  - { name: all, identities: [{ tokenSha256: "${all.sha256}" }], grants: [{ role: ISSUER, destinations: ["*"] }, { role: VALIDATOR, realms: ["*"] }] }
  - { name: operating, identities: [{ tokenSha256: "${operator.sha256}" }], grants: [{ role: OPERATOR }, { role: ISSUER, destinations: [ecb] }, { role: VALIDATOR, realms: [ecb.example] }] }
`;

let server: TlsServer;
let connection: Connection;
beforeAll(async () => {
  server = await startTlsServer({ environment: { CALLPASS_AUTHORIZE_ENABLED: 'true' } });
  await server.configure(DOCUMENT + clients());
  for (const [realm, key] of Object.entries(KEYS)) await server.activateKey(realm, key);
  connection = connectPresenting(server.address, server.authority);
});
afterAll(async () => {
  connection.close();
  await server.stop();
});

const as = ({ token }: { token: string }) => ({ metadata: authorization(`Bearer ${token}`) });
const issue = (who: { token: string }, destination: string) =>
  createClient(CredentialService, connection).issueCredentials({ destination }, as(who));
const validate = (who: { token: string }, realm: string) =>
  createClient(CredentialService, connection).validateToken({ realm, token: 'AB' }, as(who));

/** Asks as Envoy does about a request with a token of a destination; gives the cause of a refusal. */
async function authorize(who: { token: string }, destination: string, realm: string): Promise<string> {
  const { grant } = await issue(all, destination);
  const { accountToken = '' } = grant.case === 'timeLimited' ? grant.value : {};
  const { method, path } = subscribeRequest({ accountToken, realm });
  const attributes = { request: { http: { method, path } } };
  const { status } = await createClient(Authorization, connection).check({ attributes }, as(who));
  return status?.message ?? '';
}

describe('a grant', () => {
  it('holds for the destinations and realms that it names', async () => {
    expect((await issue(some, 'ecb')).grant.case).toBe('timeLimited');
    expect((await validate(some, 'ecb.example')).verdict).toBeGreaterThan(0);
    expect((await issue(all, 'cbc')).grant.case).toBe('timeLimited');
    expect((await validate(all, 'cbc.example')).verdict).toBeGreaterThan(0);
  });

  it.each([
    ['a destination', (who: { token: string }, name: string) => issue(who, name), ['cbc', 'nowhere']],
    ['a realm', (who: { token: string }, name: string) => validate(who, name), ['cbc.example', 'no.example']],
  ] as const)(
    'that is missing makes %s look as if it did not exist',
    async (_what, ask, [forbidden, missing]) => {
      const answers = await Promise.all([forbidden, missing].map((name) => refusalOf(ask(some, name))));
      for (const { metadata } of answers) delete metadata?.['traceId'];
      expect(answers[0]).toEqual(answers[1]);
      expect(answers[0]).toMatchObject({
        code: 'PERMISSION_DENIED',
        reason: 'CLIENT_NOT_GRANTED',
        metadata: {},
      });
      // Who may ask for all may not find out either what there is.
      expect(await refusalOf(ask(all, missing))).toMatchObject({ reason: 'CLIENT_NOT_GRANTED' });
    },
  );

  it('decides whose tokens an Envoy lets through, and no name fills the ledger', async () => {
    const entries = async () => (await server.ledger.listEntries({ client: 'some', pageSize: 100 })).entries;
    const before = (await entries()).length;
    expect(await authorize(some, 'ecb', 'ecb.example')).toBe('');
    expect(await authorize(some, 'cbc', 'cbc.example')).toBe('REALM_NOT_LISTED');
    expect(await authorize(all, 'cbc', 'cbc.example')).toBe('');
    for (const who of [some, all]) expect(await authorize(who, 'cbc', 'no.example')).toBe('REALM_NOT_LISTED');
    expect(await entries()).toHaveLength(before);
  });

  it('is needed by an operator too, who may know what exists', async () => {
    expect((await issue(operator, 'ecb')).grant.case).toBe('timeLimited');
    expect(await refusalOf(issue(operator, 'cbc'))).toMatchObject({ reason: 'CLIENT_NOT_GRANTED' });
    expect(await refusalOf(issue(operator, 'nowhere'))).toMatchObject({ reason: 'DESTINATION_UNKNOWN' });
    expect(await refusalOf(validate(operator, 'cbc.example'))).toMatchObject({
      reason: 'CLIENT_NOT_GRANTED',
    });
    expect(await refusalOf(validate(operator, 'no.example'))).toMatchObject({ reason: 'REALM_UNKNOWN' });
  });

  it('that is missing leaves the same entry for what exists and what does not', async () => {
    const destinations = ['cbc', 'nowhere'];
    for (const destination of destinations) {
      const { entries } = await server.ledger.listEntries({
        kind: LedgerEntry_Kind.REFUSED,
        destination,
        client: 'some',
      });
      expect(entries[0]).toMatchObject({
        reason: 'CLIENT_NOT_GRANTED',
        rule: 'grant',
        client: 'some',
        destination,
      });
    }
    const { entries } = await server.ledger.listEntries({
      kind: LedgerEntry_Kind.REFUSED,
      client: 'some',
      pageSize: 100,
    });
    for (const realm of ['cbc.example', 'no.example'])
      expect(entries).toContainEqual(
        expect.objectContaining({ realm, destination: '', reason: 'CLIENT_NOT_GRANTED', rule: 'grant' }),
      );
  });

  it('is asked for each item of a batch', async () => {
    const { results } = await createClient(CredentialService, connection).batchIssueCredentials(
      { requests: ['ecb', 'cbc', 'nowhere', 'ecb'].map((destination) => ({ destination })) },
      as(some),
    );
    expect(results.map(({ result }) => result.case)).toEqual(['response', 'status', 'status', 'response']);
  });

  it('that was taken away ends what a request id would give again', async () => {
    const request = { destination: 'ecb', requestId: '0193a1f2-7c3e-7000-8000-0123456789ab' };
    const client = createClient(CredentialService, connection);
    expect((await client.issueCredentials(request, as(some))).grant.case).toBe('timeLimited');
    await server.configure(DOCUMENT + clients().replace('[ecb, off]', '[off]'));
    expect(await refusalOf(client.issueCredentials(request, as(some)))).toMatchObject({
      reason: 'CLIENT_NOT_GRANTED',
    });
    await server.configure(DOCUMENT + clients());
  });
});

describe('an identity', () => {
  it('may be one of several of a client', async () => {
    const second = staticToken();
    await server.configure(
      DOCUMENT + clients(`[{ tokenSha256: "${some.sha256}" }, { tokenSha256: "${second.sha256}" }]`),
    );
    expect((await issue(some, 'ecb')).grant.case).toBe('timeLimited');
    expect((await issue(second, 'ecb')).grant.case).toBe('timeLimited');
  });

  it('that is taken out of the document is nobody at the next request, also on an open connection', async () => {
    await server.configure(DOCUMENT + clients());
    const { authority } = server;
    const certificate = await authority.issue({ commonName: 'phone', use: 'client' });
    const open = connectPresenting(server.address, authority, certificate);
    const client = createClient(CredentialService, open);
    const refused = { code: 'UNAUTHENTICATED', reason: 'CLIENT_UNKNOWN', metadata: { fault: 'UNKNOWN' } };
    expect(await refusalOf(client.issueCredentials({ destination: 'ecb' }))).toMatchObject(refused);
    await server.configure(DOCUMENT + clients('[{ commonName: phone }]'));
    expect((await client.issueCredentials({ destination: 'ecb' })).grant.case).toBe('timeLimited');
    await server.configure(DOCUMENT + clients());
    expect(await refusalOf(client.issueCredentials({ destination: 'ecb' }))).toMatchObject(refused);
    open.close();
  });

  it('that is taken out of the document ends the stream that it had opened', async () => {
    const auditor = staticToken();
    const document = `${DOCUMENT}${clients()}  - { name: audit, identities: [{ tokenSha256: "${auditor.sha256}" }], grants: [{ role: AUDITOR }] }\n`;
    await server.configure(document);
    const seen: string[] = [];
    const following = (async () => {
      const tail = createClient(LedgerService, connection).tailEntries(
        {},
        { ...as(auditor), timeoutMs: 60_000 },
      );
      for await (const { entry } of tail) seen.push(entry?.rule ?? '');
    })();
    while (seen.length === 0) {
      await issue(some, 'ecb');
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    await server.configure(DOCUMENT + clients());
    expect(await refusalOf(following)).toMatchObject({ code: 'UNAUTHENTICATED', reason: 'CLIENT_UNKNOWN' });
  });

  it.each([
    ['v1', ServerReflection],
    ['v1alpha', ServerReflectionV1Alpha as unknown as typeof ServerReflection],
  ])(
    'that is taken out of the document ends an open stream of reflection %s, idle or not',
    async (_, service) => {
      await server.configure(DOCUMENT + clients());
      const client = createClient(service, connection);
      const question = { messageRequest: { case: 'listServices', value: '' } } as const;
      const removed = Promise.withResolvers<void>();
      const open = async (asking: boolean, first: PromiseWithResolvers<void>) => {
        let answers = 0;
        async function* ask() {
          yield question;
          await removed.promise;
          if (asking) for (let round = 0; round < 20; round++) yield question;
          await new Promise(() => undefined);
        }
        const stream = client.serverReflectionInfo(ask(), { ...as(some), timeoutMs: 60_000 });
        try {
          for await (const _answer of stream) {
            answers++;
            first.resolve();
          }
        } finally {
          answered.push(answers);
        }
      };
      const first = [Promise.withResolvers<void>(), Promise.withResolvers<void>()] as const;
      const answered: number[] = [];
      const streams = [open(false, first[0]), open(true, first[1])];
      await Promise.all(first.map(({ promise }) => promise));
      await server.configure(`${DOCUMENT}clients: []\n`);
      removed.resolve();
      for (const stream of streams)
        expect(await refusalOf(stream)).toMatchObject({ code: 'UNAUTHENTICATED', reason: 'CLIENT_UNKNOWN' });
      expect(answered).toEqual([1, 1]);
      await server.configure(DOCUMENT + clients());
    },
  );
});
