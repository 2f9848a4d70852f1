import { once } from 'node:events';
import type { ClientHttp2Session } from 'node:http2';
import { create, toBinary, type DescMessage, type MessageInitShape } from '@bufbuild/protobuf';
import { BatchIssueCredentialsRequestSchema, IssueCredentialsRequestSchema } from '@callpass/contract';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { holdStore } from '../testing/hold-store.ts';
import { answerOf, CHECK, closePeers, openSession } from '../testing/peers.ts';
import { DOCUMENT, KEYS, startTestServer, type TestServer } from '../testing/test-server.ts';

function framed<Schema extends DescMessage>(schema: Schema, init: MessageInitShape<Schema>): Buffer {
  const message = toBinary(schema, create(schema, init));
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}

interface Kind {
  readonly path: string;
  readonly body?: Buffer;
}

const ONE = { destination: 'ecb' };
const ISSUE = {
  path: '/callpass.v1.CredentialService/IssueCredentials',
  body: framed(IssueCredentialsRequestSchema, ONE),
};
const BATCH = {
  path: '/callpass.v1.CredentialService/BatchIssueCredentials',
  body: framed(BatchIssueCredentialsRequestSchema, { requests: [ONE] }),
};
/** A call of each kind that ends by itself. */
const ENDING: [what: string, kind: Kind][] = [
  ['an issue', ISSUE],
  ['a batch', BATCH],
  ['a list of entries', { path: '/callpass.v1.LedgerService/ListEntries' }],
  ['a verification', { path: '/callpass.v1.LedgerService/VerifyLedger' }],
  ['a health check', { path: '/grpc.health.v1.Health/Check' }],
  ['a conversation', { path: '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo' }],
];
/** A call of each kind that goes on until its client ends it. */
const STAYING: [what: string, kind: Kind][] = [
  ['a watch', { path: '/grpc.health.v1.Health/Watch' }],
  ['a tail', { path: '/callpass.v1.LedgerService/TailEntries' }],
  ['an open conversation', { path: '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo' }],
];
/** The longest of each unit, and those just above what a timer of Node holds: 2,147,483,647 ms. */
const FAR = ['99999999H', '99999999M', '99999999S', '2147484S', '35792M', '597H'];
const NEAR = ['1n', '99999u', '00000099m', '0S', '0H', '0M'];
const INVALID = [
  '100000000S',
  '',
  '1',
  'S',
  '1s',
  '-1S',
  '+1S',
  '1.5S',
  '1 S',
  '1e3S',
  '0x1S',
  '1S, 1S',
  '1SS',
];
const MAX_CALL_MS = 500;

let server: TestServer;
let session: ClientHttp2Session;
beforeAll(async () => {
  server = await startTestServer({ environment: { CALLPASS_OVERLOAD_MAX_CALL_TIME: `${MAX_CALL_MS}ms` } });
  await server.configure(DOCUMENT);
  await server.activateKey('ecb.example', KEYS['ecb.example']);
  session = await openSession(server);
});
afterAll(async () => {
  closePeers();
  await server.stop();
});

const call = ({ path, body }: Kind, timeout: string) =>
  answerOf(session, { ':path': path, 'grpc-timeout': timeout }, body);

describe('a time limit', () => {
  it.each(ENDING)('that no timer can hold is not over for %s', async (_what, kind) => {
    for (const timeout of FAR)
      expect([timeout, await call(kind, timeout)]).toMatchObject([timeout, { status: '0' }]);
  });

  it.each(STAYING)(
    'that no timer can hold does not end %s, and neither does the longest time of a call',
    async (_what, { path }) => {
      const streams = FAR.map((timeout) => {
        const headers = { ...CHECK, ':path': path, 'grpc-timeout': timeout };
        const stream = session.request(headers, { endStream: false });
        stream.on('error', () => undefined).write(Buffer.alloc(5));
        if (!path.includes('reflection')) stream.end();
        return stream;
      });
      const first = Promise.all(streams.map((stream) => once(stream, 'data')));
      // A tail has nothing to say before something happens.
      await call(ISSUE, '20S');
      await first;
      for (const stream of streams) stream.resume();
      const release = await holdStore(server);
      // By the time that an issue has been cut off, it is over for the streams as well.
      expect(await call(ISSUE, '99999999H')).toMatchObject({ reason: 'OVERLOADED' });
      await release();
      expect(streams.map(({ closed }) => closed)).toEqual(FAR.map(() => false));
      for (const stream of streams) stream.close();
    },
  );

  it.each([...ENDING, ...STAYING])(
    'of up to eight digits and any unit is over in time for %s',
    async (_what, kind) => {
      const release = await holdStore(server);
      for (const timeout of NEAR) {
        const { status, reason } = await call(kind, timeout);
        // What is quicker than its time limit is answered.
        if (status !== '0')
          expect([timeout, reason]).toEqual([
            timeout,
            expect.stringMatching(/^(DEADLINE_EXCEEDED|OVERLOADED)$/),
          ]);
      }
      await release();
    },
  );

  it.each([...ENDING, ...STAYING])('of another form is refused for %s', async (_what, kind) => {
    for (const timeout of INVALID)
      expect([timeout, await call(kind, timeout)]).toEqual([
        timeout,
        { status: '3', reason: 'REQUEST_INVALID' },
      ]);
  });

  it.each([
    ['an issue', ISSUE],
    ['a batch', BATCH],
  ])('beyond the longest time of a call ends there: %s', async (_what, kind) => {
    const release = await holdStore(server);
    const startMs = performance.now();
    for (const answer of await Promise.all([...FAR, '9S'].map((timeout) => call(kind, timeout))))
      expect(answer).toEqual({ status: '8', reason: 'OVERLOADED' });
    expect(performance.now() - startMs).toBeGreaterThan(MAX_CALL_MS - 5);
    await release();
  });
});
