import { Verdict } from '@callpass/contract';
import { status } from '@grpc/grpc-js';
import { afterEach, describe, expect, it } from '@jest/globals';
import { CallpassError, createCredentialClient, type ClientInterceptor } from '../index.ts';
import { refusal, rejectionOf, startLocalService } from '../testing/local-service.ts';

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
    const client = createCredentialClient({ address: service.address, retry: false });
    open.push(service.stop, client.close);
    await client.validateToken({ realm: 'r', token: 'AB' }, { metadata: { 'x-tenant': 'north' } });
    await client.validateToken({ realm: 'r', token: 'AB' });
    expect(seen).toEqual([['north'], []]);
  });

  it('interceptors wrap the call, within those of the connection, and see how it ends', async () => {
    const seen: unknown[] = [];
    const service = await startLocalService({
      validateToken: (_request, call) => {
        seen.push(call.metadata.get('x-tenant'));
        if (seen.length > 3) throw refusal(status.PERMISSION_DENIED, 'FROZEN');
        return { verdict: Verdict.VALID };
      },
    });
    const client = createCredentialClient({
      address: service.address,
      token: 'TOKEN',
      coalesce: true,
      retry: false,
    });
    open.push(service.stop, client.close);
    const tenant: ClientInterceptor = async (call, next) => {
      seen.push(call.metadata.get('authorization'));
      call.metadata.set('x-tenant', 'north');
      await next().finally(() => seen.push(call.methodName));
    };
    const call = () => client.validateToken({ realm: 'r', token: 'AB' }, { interceptors: [tenant] });
    await call();
    expect(seen).toEqual([['Bearer TOKEN'], ['north'], 'callpass.v1.CredentialService/ValidateToken']);
    expect(await rejectionOf(call())).toMatchObject({ reason: 'FROZEN' });
    expect(seen.at(-1)).toBe('callpass.v1.CredentialService/ValidateToken');
  });

  it('the error of a service that is away says what could not be reached and what to do, in no words of a library', async () => {
    const service = await startLocalService({});
    service.stop();
    const client = createCredentialClient({ address: service.address, retry: false });
    open.push(client.close);
    const error = (await rejectionOf(client.validateToken({ realm: 'r', token: 'AB' }))) as CallpassError;
    expect(error).toMatchObject({ code: status.UNAVAILABLE, reason: undefined });
    expect(error.message).toBe(
      `no answer from ${service.address}: nothing listens there; see that the service runs, and that host and port are right`,
    );
    expect(String((error.cause as Error).message)).toContain('ECONNREFUSED');
  });

  it('a time limit that is over says so, and what to do', async () => {
    const service = await startLocalService({ validateToken: () => new Promise(() => undefined) });
    const client = createCredentialClient({ address: service.address });
    open.push(service.stop, client.close);
    const call = client.validateToken({ realm: 'r', token: 'AB' }, { timeoutMs: 50 });
    expect(await rejectionOf(call)).toMatchObject({
      code: status.DEADLINE_EXCEEDED,
      message: `no answer from ${service.address} within the time limit; try again, or allow more time if it is short`,
    });
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
