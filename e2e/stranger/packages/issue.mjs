import { CallpassError, createCredentialClient, isFresh, makeAnonymousArguments } from '@callpass/client';
import { createInMemoryCredentialClient } from '@callpass/client/testing';

const client = createCredentialClient({ address: process.env.ADDRESS });
const response = await client.issueCredentials({ destination: 'd', requestId: crypto.randomUUID() });
const [callee, credentials] = makeAnonymousArguments(response);
if (!isFresh(response, Date.now())) throw new Error('not fresh');
const { verdict } = await client.validateCredentials({ timeLimited: credentials });
const refusal = await client.issueCredentials({ destination: 'nowhere' }).catch((error) => error);
client.close();

const double = createInMemoryCredentialClient();
double.refuseNext({ reason: 'LIMIT_EXCEEDED' });
const scripted = await double.issueCredentials({ destination: 'd' }).catch((error) => error);
console.log(
  callee,
  verdict,
  ...[refusal, scripted].map((error) => error instanceof CallpassError && error.reason),
);
