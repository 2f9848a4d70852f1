import { createInMemoryCredentialClient, type InMemoryCredentialClient } from '@callpass/client/testing';
import fastify, { type FastifyInstance, type InjectOptions, type LightMyRequestResponse } from 'fastify';
import { callpassEdge } from '../plugin/edge.ts';
import type { EdgeOptions } from '../plugin/options.ts';

/** The plugin in a server of its own, on a double of the service. */
export interface TestEdge {
  readonly app: FastifyInstance;
  readonly client: InMemoryCredentialClient;
  /** Sends a request; from 127.0.0.1 unless it says otherwise. */
  send(request: InjectOptions): Promise<LightMyRequestResponse>;
  /** Asks for credentials of `support`. */
  issue(
    headers?: Record<string, string>,
    more?: Omit<InjectOptions, 'headers'>,
  ): Promise<LightMyRequestResponse>;
}

export const ORIGIN = 'https://www.example.org';
export const CREDENTIALS = '/v1/destinations/support/credentials';

/** Starts one; `close` its app after the test. */
export async function startTestEdge(options: Partial<EdgeOptions> = {}): Promise<TestEdge> {
  const client = createInMemoryCredentialClient({ unrestricted: ['lobby'] });
  const app = fastify();
  await app.register(callpassEdge, { client, origins: [ORIGIN], ...options });
  const send = (request: InjectOptions) => app.inject(request);
  return {
    app,
    client,
    send,
    issue: (headers = {}, more = {}) => send({ method: 'POST', url: CREDENTIALS, headers, ...more }),
  };
}

/** The subject that the last call to the service was made for. */
export function lastSubject({ calls }: InMemoryCredentialClient): string {
  const last = calls.at(-1);
  return last?.method === 'issueCredentials' ? last.request.subject : '';
}
