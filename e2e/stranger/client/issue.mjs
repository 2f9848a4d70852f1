import { CallpassError, createCredentialClient, makeAnonymousArguments } from '@callpass/client';

const client = createCredentialClient({ address: process.env.ADDRESS });
const response = await client.issueCredentials({ destination: 'd', requestId: crypto.randomUUID() });
const [callee] = makeAnonymousArguments(response);
const refusal = await client.issueCredentials({ destination: 'nowhere' }).catch((error) => error);
client.close();
console.log(callee, refusal instanceof CallpassError && refusal.reason);
