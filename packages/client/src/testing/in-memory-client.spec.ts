import { describe, expect, it } from '@jest/globals';
import { ErrorReason, REASONS, TokenKind, Verdict } from '@callpass/contract';
import { status } from '@grpc/grpc-js';
import { errorFromStatus } from '../errors/from-status.ts';
import { createInMemoryCredentialClient } from './in-memory-client.ts';

describe('createInMemoryCredentialClient', () => {
  it('issues credentials that it verifies as the service would, until they expire', async () => {
    let nowMs = 1_000_000;
    const client = createInMemoryCredentialClient({ nowMs: () => nowMs, tokenLifetimeMs: 60_000 });
    const { grant } = await client.issueCredentials({ destination: 'support' });
    if (grant.case !== 'timeLimited') throw new TypeError('expected tokens');
    const { realm, toToken } = grant.value;
    const validate = async (kind?: TokenKind, ignoreExpiry = false) =>
      (await client.validateToken({ realm, token: toToken, ignoreExpiry, ...(kind && { kind }) })).verdict;

    expect(await validate(TokenKind.TO)).toBe(Verdict.VALID);
    expect(await validate(TokenKind.ACCOUNT)).toBe(Verdict.WRONG_KIND);
    expect((await client.validateToken({ realm: 'other', token: toToken })).verdict).toBe(
      Verdict.UNDECIPHERABLE,
    );
    expect((await client.validateToken({ realm, token: 'no hex' })).verdict).toBe(Verdict.MALFORMED);
    nowMs += 60_000;
    expect(await validate()).toBe(Verdict.EXPIRED);
    expect(await validate(TokenKind.TO, true)).toBe(Verdict.VALID);
    expect(await validate(TokenKind.ACCOUNT, true)).toBe(Verdict.WRONG_KIND);
  });

  it('verifies sets: one issue holds together, tokens of two do not', async () => {
    const client = createInMemoryCredentialClient();
    const sets = [];
    for (let i = 0; i < 2; i++) {
      const { grant } = await client.issueCredentials({ destination: 'support' });
      if (grant.case === 'timeLimited') sets.push(grant.value);
    }
    const [first, second] = sets;
    if (!first || !second) throw new TypeError('expected two sets');
    expect((await client.validateCredentials({ timeLimited: first })).verdict).toBe(Verdict.VALID);
    const spliced = { ...first, toToken: second.toToken };
    expect((await client.validateCredentials({ timeLimited: spliced })).verdict).toBe(Verdict.MISMATCHED);
    const other = await client.validateCredentials({
      timeLimited: first,
      expectedCallee: 'other@test.example',
    });
    expect(other.verdict).toBe(Verdict.MISMATCHED);
  });

  it('answers the same request id with the same credentials', async () => {
    const client = createInMemoryCredentialClient();
    const request = { destination: 'support', requestId: '0198c0de-0000-7000-8000-000000000001' };
    const first = await client.issueCredentials(request);
    expect((await client.issueCredentials(request)).issuanceId).toBe(first.issuanceId);
    const another = await client.issueCredentials({ destination: 'support' });
    expect(another.issuanceId).not.toBe(first.issuanceId);
  });

  it('gives no tokens for an unrestricted destination', async () => {
    const client = createInMemoryCredentialClient({ unrestricted: ['lobby'] });
    const { grant, expireTime } = await client.issueCredentials({ destination: 'lobby' });
    expect([grant.case, expireTime]).toEqual(['unrestricted', undefined]);
  });

  it('refuses as scripted, once each, and records every call', async () => {
    const client = createInMemoryCredentialClient();
    client.refuseNext({ reason: 'LIMIT_EXCEEDED', retryAfterMs: 1_500 });
    client.refuseNext({});
    await expect(client.issueCredentials({ destination: 'support' })).rejects.toMatchObject({
      reason: 'LIMIT_EXCEEDED',
      code: status.RESOURCE_EXHAUSTED,
      retryAfterMs: 1_500,
    });
    await expect(client.validateToken({})).rejects.toMatchObject({
      code: status.UNAVAILABLE,
      reason: undefined,
    });
    await client.issueCredentials({ destination: 'support', subject: 'visitor' });
    expect(client.calls.map(({ method }) => method)).toEqual([
      'issueCredentials',
      'validateToken',
      'issueCredentials',
    ]);
    expect(client.calls[2]).toMatchObject({ request: { subject: 'visitor' } });
  });

  it('refuses items of a batch one by one', async () => {
    const client = createInMemoryCredentialClient();
    client.refuseNext({ reason: 'FROZEN' });
    const { results } = await client.batchIssueCredentials({
      requests: [{ destination: 'a' }, { destination: 'b' }],
    });
    const [first, second] = results;
    if (first?.result.case !== 'status') throw new TypeError('expected a refusal');
    expect(errorFromStatus(first.result.value).reason).toBe('FROZEN');
    expect(second?.result.case).toBe('response');
  });

  it('validates in batches what it has issued', async () => {
    const client = createInMemoryCredentialClient();
    const { grant } = await client.issueCredentials({ destination: 'a' });
    if (grant.case !== 'timeLimited') throw new TypeError('expected tokens');
    const { realm, toToken: token } = grant.value;
    const tokens = await client.batchValidateTokens({
      requests: [
        { realm, token },
        { realm, token: 'AB' },
      ],
    });
    const verdicts = tokens.results.map(({ result }) => result.case === 'response' && result.value.verdict);
    expect(verdicts).toEqual([Verdict.VALID, (await client.validateToken({ realm, token: 'AB' })).verdict]);
    client.refuseNext({ reason: 'FROZEN' });
    const sets = await client.batchValidateCredentials({
      requests: [{ timeLimited: grant.value }, { timeLimited: grant.value }],
    });
    expect(sets.results.map(({ result }) => result.case)).toEqual(['status', 'response']);
  });

  it('has a status for each reason of the contract', () => {
    const reasons = Object.keys(ErrorReason).filter(
      (name) => name !== 'UNSPECIFIED' && Number.isNaN(Number(name)),
    );
    expect(Object.keys(REASONS).sort()).toEqual(reasons.sort());
  });
});
