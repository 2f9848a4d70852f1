import { create } from '@bufbuild/protobuf';
import { anyPack, timestampFromMs } from '@bufbuild/protobuf/wkt';
import {
  BatchIssueCredentialsResponseSchema,
  IssueCredentialsResponseSchema,
  ValidateTokenResponseSchema,
  Verdict,
} from '@callpass/contract';
import { ErrorInfoSchema } from '@callpass/rpc-protos/gen/google/rpc/error_details_pb.js';
import { afterEach, describe, expect, it } from '@jest/globals';
import { createCredentialClient, timestampDate } from '../index.ts';
import { createInMemoryCredentialClient } from '../testing/index.ts';
import { startLocalService } from '../testing/local-service.ts';
import { withJson } from './with-json.ts';

const open: { (): void }[] = [];
afterEach(() => open.splice(0).forEach((close) => close()));

describe('an answer', () => {
  it('is protojson where it is stringified, and has the time as a date', async () => {
    const service = await startLocalService({
      validateToken: () => ({ verdict: Verdict.EXPIRED, issueTime: timestampFromMs(0) }),
    });
    const client = createCredentialClient({ address: service.address });
    open.push(service.stop, client.close);
    const answer = await client.validateToken({ realm: 'r', token: 'AB' });
    expect(JSON.parse(JSON.stringify(answer))).toEqual({
      verdict: 'EXPIRED',
      issueTime: '1970-01-01T00:00:00Z',
    });
    expect(answer.issueTime && timestampDate(answer.issueTime).getTime()).toBe(0);
    expect(answer).toEqual(
      create(ValidateTokenResponseSchema, { verdict: Verdict.EXPIRED, issueTime: timestampFromMs(0) }),
    );
  });

  it('is the same from the test double', async () => {
    const answer = await createInMemoryCredentialClient().issueCredentials({ destination: 'support' });
    expect(JSON.parse(JSON.stringify(answer))).toMatchObject({
      callee: answer.callee,
      issuanceId: answer.issuanceId,
    });
  });

  it('of a batch has the details of refusals', () => {
    const status = {
      code: 7,
      details: [anyPack(ErrorInfoSchema, create(ErrorInfoSchema, { reason: 'FROZEN', domain: 'callpass' }))],
    };
    const answer = create(BatchIssueCredentialsResponseSchema, {
      results: [
        { result: { case: 'response', value: create(IssueCredentialsResponseSchema, { callee: 'b' }) } },
        { result: { case: 'status', value: status } },
      ],
    });
    expect(JSON.stringify(withJson(BatchIssueCredentialsResponseSchema, answer))).toContain(
      '"reason":"FROZEN"',
    );
  });
});
