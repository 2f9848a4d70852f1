import {
  credentials as grpcCredentials,
  Client as GrpcClient,
  Metadata,
  status,
  type ServiceError,
} from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Verdict } from '@callpass/contract';
import { refusalOf } from '../testing/refusal.ts';
import { startConfiguredServer, type TestServer } from '../testing/test-server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startConfiguredServer();
});
afterAll(() => server.stop());

describe('a field out of its rule', () => {
  it.each([
    ['destination', { destination: '' }],
    ['destination', { destination: 'Support' }],
    ['destination', { destination: 'a'.repeat(65) }],
    ['destination', { destination: '-a' }],
    ['subject', { destination: 'ecb', subject: 'x'.repeat(257) }],
    ['subject', { destination: 'ecb', subject: 'é'.repeat(129) }],
    ['callee', { destination: 'ecb', callee: 'nobody' }],
    ['callee', { destination: 'ecb', callee: 'sip:support@kandy.example' }],
    ['callee', { destination: 'ecb', callee: 'a;b@kandy.example' }],
    ['callee', { destination: 'ecb', callee: 'a\u0007b@kandy.example' }],
    ['callee', { destination: 'ecb', callee: 'a\u0085b@kandy.example' }],
    ['callee', { destination: 'ecb', callee: 'two words@kandy.example' }],
    ['callee', { destination: 'ecb', callee: `${'a'.repeat(250)}@kandy.example` }],
    ['callee', { destination: 'ecb', callee: 'a@b@kandy.example' }],
    ['caller', { destination: 'ecb', caller: 'a;b@kandy.example' }],
    ['request_id', { destination: 'ecb', requestId: 'not-a-uuid' }],
  ])('IssueCredentials names %s for %j', async (field, request) => {
    const refusal = await refusalOf(server.credentials.issueCredentials(request));
    expect(refusal).toMatchObject({
      code: 'INVALID_ARGUMENT',
      reason: 'REQUEST_INVALID',
      domain: 'callpass',
    });
    expect(refusal.fields).toContain(field);
  });

  it.each([
    ['realm', { realm: '', token: '' }],
    ['realm', { realm: 'two words', token: '' }],
    ['token', { realm: 'ecb.example', token: 'A'.repeat(4097) }],
    ['kind', { realm: 'ecb.example', token: '', kind: 9 as never }],
  ])('ValidateToken names %s', async (field, request) => {
    expect((await refusalOf(server.credentials.validateToken(request))).fields).toEqual([field]);
  });

  it('ValidateCredentials names what is missing', async () => {
    expect((await refusalOf(server.credentials.validateCredentials({}))).fields).toEqual(['time_limited']);
    expect((await refusalOf(server.credentials.validateCredentials({ timeLimited: {} }))).fields).toEqual([
      'time_limited.realm',
    ]);
  });

  it('never sends back what was sent', async () => {
    const canary = 'canary;1234@kandy.example';
    const refusal = await refusalOf(
      server.credentials.issueCredentials({ destination: 'ecb', callee: canary }),
    );
    expect(JSON.stringify(refusal)).not.toContain('canary');
  });
});

it('gives a verdict for any text up to 4 KiB', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(
        fc.string({ unit: 'binary', maxLength: 1000 }),
        fc.string({ unit: fc.constantFrom(...'0123456789ABCDEFabcdef'), maxLength: 4096 }),
      ),
      fc.constantFrom('ecb.example', 'cbc.example'),
      async (token, realm) => {
        const { verdict } = await server.credentials.validateToken({ realm, token: token.toWellFormed() });
        expect([Verdict.MALFORMED, Verdict.UNDECIPHERABLE]).toContain(verdict);
      },
    ),
    { numRuns: 500 },
  );
});

describe('bytes that are no message', () => {
  const call = (path: string, bytes: Buffer) =>
    new Promise<ServiceError | null>((resolve) => {
      const client = new GrpcClient(server.address, grpcCredentials.createInsecure());
      const same = (buffer: Buffer) => buffer;
      client.makeUnaryRequest(path, same, same, bytes, new Metadata(), (error) => {
        client.close();
        resolve(error);
      });
    });

  it('are INVALID_ARGUMENT, and the server goes on', async () => {
    const error = await call(
      '/callpass.v1.CredentialService/IssueCredentials',
      Buffer.from([0x0a, 0xff, 0xff]),
    );
    expect(error?.code).toBe(status.INVALID_ARGUMENT);
    await server.credentials.issueCredentials({ destination: 'ecb' });
  });

  it('a token of bytes that are no UTF-8 gets a verdict or INVALID_ARGUMENT, never a crash', async () => {
    const token = Buffer.from([0xff, 0xfe, 0x80, 0xc0]);
    const message = Buffer.concat([
      Buffer.from([0x0a, 11]),
      Buffer.from('ecb.example'),
      Buffer.from([0x12, token.length]),
      token,
    ]);
    const error = await call('/callpass.v1.CredentialService/ValidateToken', message);
    expect(error === null || error.code === status.INVALID_ARGUMENT).toBe(true);
    await server.credentials.issueCredentials({ destination: 'ecb' });
  });

  it('an RPC that does not exist is UNIMPLEMENTED', async () => {
    expect((await call('/callpass.v1.CredentialService/Nothing', Buffer.alloc(0)))?.code).toBe(
      status.UNIMPLEMENTED,
    );
  });
});
