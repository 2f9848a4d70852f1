const { CallpassError, createCredentialClient, makeAnonymousArguments } = require('@callpass/client');
const { createInMemoryCredentialClient } = require('@callpass/client/testing');
const { generateKeyText } = require('@callpass/token-core');

(async () => {
  const client = createCredentialClient({ address: process.env.ADDRESS });
  const response = await client.issueCredentials({ destination: 'd', requestId: crypto.randomUUID() });
  const [callee, credentials] = makeAnonymousArguments(response);
  const { verdict } = await client.validateCredentials({ timeLimited: credentials });
  client.close();
  const double = createInMemoryCredentialClient();
  double.refuseNext({ reason: 'LIMIT_EXCEEDED' });
  const scripted = await double.issueCredentials({ destination: 'd' }).catch((error) => error);
  // What is imported and what is required are one package.
  const imported = await import('@callpass/client');
  console.log(
    callee,
    verdict,
    scripted instanceof imported.CallpassError,
    typeof generateKeyText,
    imported.CallpassError === CallpassError,
  );
})();
