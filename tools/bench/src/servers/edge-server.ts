import { nodeOptionsOf, scriptOf } from '@callpass/testkit/programs';
import type { HttpTarget } from '../load/http-connection.ts';
import { startNode, type BenchChild } from './child-process.ts';

const NEVER_REACHED = '1000000000';
const CREDENTIALS_PATH = '/v1/destinations/support/credentials';

/** The edge as images have it, as an operator would run it, but with limits that one address does not reach. */
export interface EdgeServer {
  readonly child: BenchChild;
  /** A request for credentials of a visitor. */
  readonly target: HttpTarget;
  stop(): Promise<void>;
}

/** Starts the edge. Looks closely at a first answer, since the load counts statuses only. */
export async function startEdgeServer(options: {
  service: string;
  telemetryUrl: string;
}): Promise<EdgeServer> {
  const child = startNode([...nodeOptionsOf('edge'), scriptOf('edge'), 'serve'], {
    CALLPASS_EDGE_LISTEN_ADDRESS: '127.0.0.1:0',
    CALLPASS_EDGE_SERVICE_ADDRESS: options.service,
    CALLPASS_EDGE_LIMITS_PER_ADDRESS: NEVER_REACHED,
    CALLPASS_EDGE_LIMITS_PER_VISITOR: NEVER_REACHED,
    CALLPASS_EDGE_CONNECTIONS_MAX_REQUESTS: NEVER_REACHED,
    CALLPASS_EDGE_LOG_LEVEL: 'error',
    OTEL_EXPORTER_OTLP_ENDPOINT: options.telemetryUrl,
    OTEL_TRACES_SAMPLER: 'parentbased_traceidratio',
    OTEL_TRACES_SAMPLER_ARG: '0.01',
  });
  try {
    const { edge } = await child.ready<{ readonly edge: string }>();
    const headers = { cookie: await visitorCookie(edge) };
    return {
      child,
      target: { port: Number(new URL(edge).port), method: 'POST', path: CREDENTIALS_PATH, headers },
      stop: () => child.stop(),
    };
  } catch (error) {
    await child.stop();
    throw error;
  }
}

async function visitorCookie(edge: string): Promise<string> {
  const answer = await fetch(edge + CREDENTIALS_PATH, { method: 'POST' });
  const { credentials } = (await answer.json()) as { credentials?: { toToken?: string } };
  if (!credentials?.toToken) throw new Error(`the edge issues no tokens: ${answer.status}`);
  return answer.headers.getSetCookie()[0]?.split(';')[0] ?? '';
}
