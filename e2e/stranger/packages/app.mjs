import { createCredentialClient } from '@callpass/client';
import { callpassEdge } from '@callpass/edge';
import fastify from 'fastify';

const client = createCredentialClient({ address: process.env.ADDRESS });
const app = fastify();
await app.register(callpassEdge, { client });
const ask = (destination) =>
  app.inject({ method: 'POST', url: `/v1/destinations/${destination}/credentials`, payload: {} });
const [issued, refused] = [await ask('d'), await ask('nowhere')];
console.log(issued.statusCode, issued.json().callee, refused.statusCode, refused.json().reason);
await app.close();
client.close();
