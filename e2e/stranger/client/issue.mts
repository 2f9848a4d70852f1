import {
  CallpassError,
  createCredentialClient,
  makeAnonymousArguments,
  type CallOptions,
  type ClientInterceptor,
} from '@callpass/client';
import { fetchCredentials } from '@callpass/client/browser';
import { createInMemoryCredentialClient, type InMemoryCredentialClient } from '@callpass/client/testing';

const tenant: ClientInterceptor = async (call, next) => {
  call.metadata.set('x-tenant', 'north');
  await next();
};
const options: CallOptions = { timeoutMs: 2_000, interceptors: [tenant] };
const client = createCredentialClient({ address: process.env['ADDRESS'] ?? '' });
export const double: InMemoryCredentialClient = createInMemoryCredentialClient();
export const fetchThem: typeof fetchCredentials = fetchCredentials;
const refused = await client
  .issueCredentials({ destination: 'nowhere' }, options)
  .catch((error: unknown) => error);
const [callee] = makeAnonymousArguments(await client.issueCredentials({ destination: 'd' }, options));
console.log(callee, refused instanceof CallpassError && refused.reason);
client.close();
