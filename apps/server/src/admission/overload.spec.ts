import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { refusalOf } from '../testing/refusal.ts';
import { DOCUMENT, KEYS, startTestServer, type TestServer } from '../testing/test-server.ts';

const CALLS = 300;
const BURST_OF_RESETS = 1000;

const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
const [HEADERS, RST_STREAM, SETTINGS] = [1, 3, 4] as const;
const END_HEADERS = 4;
const CANCEL = Buffer.from([0, 0, 0, 8]);
/** HPACK (RFC 7541): `:method` POST and `:scheme` http of the static table, then authority, path and content type as texts. */
const REQUEST = Buffer.concat([
  Buffer.from([0x83, 0x86]),
  literal(0x01, 'localhost'),
  literal(0x04, '/callpass.v1.CredentialService/IssueCredentials'),
  literal(0x0f10, 'application/grpc'),
]);

function literal(name: number, value: string): Buffer {
  return Buffer.from([...(name > 0xff ? [name >> 8] : []), name & 0xff, value.length, ...Buffer.from(value)]);
}

function frame(type: number, stream: number, payload: Buffer = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(type === HEADERS ? END_HEADERS : 0, 4);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({ environment: { CALLPASS_OVERLOAD_MAX_IN_FLIGHT: '2' } });
  await server.configure(DOCUMENT);
  await server.activateKey('ecb.example', KEYS['ecb.example']);
});
afterAll(() => server.stop());

const reasonOf = async (error: unknown) => (await refusalOf(Promise.reject(error))).reason;

const recorded = async () => {
  let count = 0;
  for (let pageToken = ''; ;) {
    const page = await server.ledger.listEntries({ pageSize: 500, pageToken });
    count += page.entries.length;
    pageToken = page.nextPageToken;
    if (pageToken === '') return count;
  }
};

describe('a server that is asked for more than it may have under way', () => {
  it('grants what it can, refuses the rest with a time to come back, and records the granted only', async () => {
    const before = await recorded();
    const outcomes = await Promise.all(
      Array.from({ length: CALLS }, () => {
        const call = server.credentials.issueCredentials({ destination: 'ecb' });
        return call.then(
          () => undefined,
          () => refusalOf(call),
        );
      }),
    );
    const refused = outcomes.filter((refusal) => refusal !== undefined);
    expect(refused.length).toBeGreaterThan(CALLS / 2);
    expect(refused.length).toBeLessThan(CALLS);
    for (const refusal of refused) {
      expect(refusal).toMatchObject({ code: 'RESOURCE_EXHAUSTED', domain: 'callpass', reason: 'OVERLOADED' });
      expect(refusal.retryAfterSeconds).toBeGreaterThanOrEqual(0.5);
      expect(refusal.retryAfterSeconds).toBeLessThanOrEqual(12.1);
    }
    expect((await recorded()) - before).toBe(CALLS - refused.length);
  });

  it('still validates, and serves operators, while issuing is shed', async () => {
    const { grant } = await server.credentials.issueCredentials({ destination: 'ecb' });
    const token = grant.case === 'timeLimited' ? grant.value.accountToken : '';
    const issuing = Array.from({ length: CALLS }, () =>
      server.credentials.issueCredentials({ destination: 'ecb' }).catch(() => undefined),
    );
    const [validated, freezes] = await Promise.all([
      server.credentials.validateToken({ realm: 'ecb.example', token }),
      server.admin.listFreezes({}),
    ]);
    expect(validated.verdict).toBeDefined();
    expect(freezes.freezes).toEqual([]);
    await Promise.all(issuing);
  });

  it('does not take its own refusals for calls that the client gave up', async () => {
    const refusals = async () => {
      const calls = Array.from({ length: CALLS }, () =>
        server.credentials.issueCredentials({ destination: 'ecb' }),
      );
      const settled = await Promise.all(calls.map((call) => call.then(() => 'granted', reasonOf)));
      return settled.filter((reason) => reason !== 'granted');
    };
    // More than clients may cancel before their connection is ended, `connections.maxResetsPerSecond`.
    for (let refused = 0; refused < 2 * BURST_OF_RESETS;) {
      const reasons = await refusals();
      expect(new Set(reasons)).toEqual(new Set(['OVERLOADED']));
      refused += reasons.length;
    }
  });

  it('survives calls that are taken back in the very bytes that begin them', async () => {
    const { port, hostname } = new URL(`http://${server.address}`);
    const socket = connect(Number(port), hostname);
    const streams = Array.from({ length: 2 * BURST_OF_RESETS }, (_, index) => 2 * index + 1);
    const calls = streams.flatMap((stream) => [
      frame(HEADERS, stream, REQUEST),
      frame(RST_STREAM, stream, CANCEL),
    ]);
    socket.on('error', () => undefined);
    socket.write(Buffer.concat([PREFACE, frame(SETTINGS, 0), ...calls]));
    // More than it may take back: its connection is ended while others of its calls are still to be looked at.
    await once(socket.resume(), 'close');
    await expect(server.admin.listFreezes({})).resolves.toBeDefined();
  });

  it('grants again at once when the others have ended', async () => {
    await expect(server.credentials.issueCredentials({ destination: 'ecb' })).resolves.toHaveProperty(
      'grant',
    );
  });
});
