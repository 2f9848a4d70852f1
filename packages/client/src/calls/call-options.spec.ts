import { Verdict } from '@callpass/contract';
import { status } from '@grpc/grpc-js';
import { afterEach, describe, expect, it } from '@jest/globals';
import { CallpassError, createCredentialClient } from '../index.ts';
import { rejectionOf, startLocalService } from '../testing/local-service.ts';

const open: { (): void }[] = [];
afterEach(() => open.splice(0).forEach((close) => close()));

describe('the options of a call:', () => {
  it('metadata goes along', async () => {
    const seen: unknown[] = [];
    const service = await startLocalService({
      validateToken: (_request, call) => {
        seen.push(call.metadata.get('x-tenant'));
        return { verdict: Verdict.VALID };
      },
    });
    const client = createCredentialClient({ address: service.address });
    open.push(service.stop, client.close);
    await client.validateToken({ realm: 'r', token: 'AB' }, { metadata: { 'x-tenant': 'north' } });
    await client.validateToken({ realm: 'r', token: 'AB' });
    expect(seen).toEqual([['north'], []]);
  });

  it('the reason of an aborted signal is the cause of the error', async () => {
    const controller = new AbortController();
    const reason = new Error('the visitor hung up');
    const service = await startLocalService({
      validateToken: () => {
        controller.abort(reason);
        return new Promise(() => undefined);
      },
    });
    const client = createCredentialClient({ address: service.address });
    open.push(service.stop, client.close);
    const call = client.validateToken({ realm: 'r', token: 'AB' }, { signal: controller.signal });
    const error = (await rejectionOf(call)) as CallpassError;
    expect(error).toBeInstanceOf(CallpassError);
    expect(error).toMatchObject({ code: status.CANCELLED, message: 'the call was cancelled' });
    expect(error.cause).toBe(reason);
  });
});
