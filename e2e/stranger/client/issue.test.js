const { createCredentialClient } = require('@callpass/client');

test('a client that was installed alone issues under Jest as it is', async () => {
  const client = createCredentialClient({ address: process.env.ADDRESS });
  const { callee } = await client.issueCredentials({ destination: 'd' });
  expect(callee).toBe('b@x.example');
  client.close();
});
