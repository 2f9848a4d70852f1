const { createCredentialClient } = require('@callpass/client');
const { createInMemoryCredentialClient } = require('@callpass/client/testing');
const { callpassEdge } = require('@callpass/edge');
const fastify = require('fastify');

test('a client issues under Jest as it is', async () => {
  const client = createCredentialClient({ address: process.env.ADDRESS });
  const { callee } = await client.issueCredentials({ destination: 'd' });
  expect(callee).toBe('b@x.example');
  client.close();
});

test('the plugin answers a page', async () => {
  const app = fastify();
  await app.register(callpassEdge, { client: createInMemoryCredentialClient() });
  const address = await app.listen({ host: '127.0.0.1', port: 0 });
  const answer = await fetch(`${address}/v1/destinations/d/credentials`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{}',
  });
  expect(answer.status).toBe(200);
  await app.close();
});
