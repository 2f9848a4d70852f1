import type { DescMethod } from '@bufbuild/protobuf';
import { AdminService, CredentialService, LedgerService } from '@callpass/contract';
import { Health } from '@callpass/rpc-protos/gen/grpc/health/v1/health_pb.js';
import { describe, expect, it } from '@jest/globals';
import { repeatability } from './repeatable.ts';

const REQUEST_ID = '0198c0de-0000-7000-8000-000000000001';
const METHODS = [AdminService, CredentialService, LedgerService, Health]
  .flatMap((service): readonly DescMethod[] => service.methods)
  .filter(({ methodKind }) => methodKind === 'unary');

const repeated = (request: unknown) =>
  METHODS.filter((method) => repeatability(method)(request)).map(({ name }) => name);

describe('what is asked again after UNAVAILABLE', () => {
  const READS = [
    'GetConfiguration',
    'ListConfigurationRevisions',
    'ListRealmKeys',
    'ListFreezes',
    'TryIssue',
    'ExplainToken',
    'CheckIssuing',
    'ValidateToken',
    'ValidateCredentials',
    'BatchValidateTokens',
    'BatchValidateCredentials',
    'ListEntries',
    'VerifyLedger',
    'GetAnchor',
  ];

  // Line by line what the contract says, once more and by hand: a new RPC that is repeated fails here first.
  it('is every read, no change, and never health, which is asked for as it is now', () => {
    expect(repeated({ requests: [{}] })).toEqual(READS);
  });

  it('is an issue with a request id, so that it cannot issue twice', () => {
    expect(repeated({ requestId: REQUEST_ID, requests: [{}] })).toEqual(
      expect.arrayContaining(['IssueCredentials', ...READS]),
    );
    expect(repeated({ requestId: '', requests: [{}] })).toEqual(READS);
  });

  it('is a batch only when each of its requests has a request id', () => {
    const batch = repeatability(CredentialService.method.batchIssueCredentials);
    expect(batch({ requests: [{ requestId: REQUEST_ID }, { requestId: REQUEST_ID }] })).toBe(true);
    expect(batch({ requests: [{ requestId: REQUEST_ID }, {}] })).toBe(false);
  });
});
