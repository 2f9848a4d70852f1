import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import type { Program } from '../processes/child.ts';
import type { PageOptions } from './page-config.ts';

/** The edge in a process of its own: an ordinary client of the service, with a token that only it holds. */
export function edgeProgram(options: {
  service: string;
  token: string;
  page: PageOptions;
  /** Origins of other pages that may ask, besides the sandbox's own. */
  origins: readonly string[];
  telemetry: Readonly<Record<string, string>>;
}): (address: string) => Program {
  const visitorSecret = randomBytes(32).toString('base64url');
  return (address) => ({
    name: 'edge',
    args: [fileURLToPath(new URL('main.js', import.meta.url)), JSON.stringify(options.page)],
    environment: {
      ...options.telemetry,
      OTEL_SERVICE_NAME: 'callpass-edge',
      CALLPASS_EDGE_LISTEN_ADDRESS: address,
      CALLPASS_EDGE_SERVICE_ADDRESS: options.service,
      CALLPASS_EDGE_SERVICE_TOKEN: options.token,
      CALLPASS_EDGE_VISITOR_SECRETS: visitorSecret,
      CALLPASS_EDGE_ORIGINS: options.origins.join(','),
      CALLPASS_EDGE_COMPATIBILITY_ROUTES_DEFAULT_DESTINATION: 'support',
      CALLPASS_EDGE_DRAIN_GRACE: '2s',
      CALLPASS_EDGE_LOG_LEVEL: process.env['CALLPASS_LOG_LEVEL'] ?? 'warn',
    },
  });
}
