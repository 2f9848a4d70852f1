import { join } from 'node:path';
import { startNode, type BenchChild } from './child-process.ts';

const BIN = join(import.meta.dirname, '../../../../apps/edge/bin/callpass-edge.js');
const NEVER_REACHED = '1000000000';

/** The built edge, as an operator would run it, but with limits that one address does not reach. */
export async function startEdgeServer(options: { service: string; telemetryUrl: string }): Promise<{
  readonly child: BenchChild;
  readonly port: number;
}> {
  const child = startNode([BIN, 'serve'], {
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
  const { ready } = (await child.message()) as { ready: { edge: string } };
  return { child, port: Number(new URL(ready.edge).port) };
}
