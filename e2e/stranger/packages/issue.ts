import {
  CallpassError,
  createCredentialClient,
  makeAnonymousArguments,
  type CallOptions,
} from '@callpass/client';
import { createInMemoryCredentialClient, type InMemoryCredentialClient } from '@callpass/client/testing';
import { callpassEdge, type EdgeOptions } from '@callpass/edge';
import * as tokenCore from '@callpass/token-core';
import fastify from 'fastify';

const client = createCredentialClient({ address: process.env['ADDRESS'] ?? '' });
const double: InMemoryCredentialClient = createInMemoryCredentialClient();
const options: CallOptions = { timeoutMs: 2_000, signal: AbortSignal.timeout(2_000) };

export async function issue(destination: string): Promise<string> {
  try {
    const response = await client.issueCredentials({ destination }, options);
    const [callee, , { from, audio }] = makeAnonymousArguments(response, { audio: true });
    return `${callee} ${from} ${audio} ${response.grant.case}`;
  } catch (error) {
    if (error instanceof CallpassError && error.reason === 'LIMIT_EXCEEDED') return `${error.retryAfterMs}`;
    throw error;
  }
}

/** A client from one package for the plugin of another. */
const edgeOptions: EdgeOptions = { client: double };
await fastify().register(callpassEdge, edgeOptions);
export const core: object = tokenCore;
console.log(await issue('d'));
client.close();
