import { spawn, type ChildProcess } from 'node:child_process';
import { nodeOptionsOf, scriptOf } from '@callpass/testkit/programs';
import { ended, ENVIRONMENT, outputOf } from './processes.ts';

/** Origin of the pages that an edge lists. */
export const ORIGIN = 'https://www.example.org';

/** A running `callpass-edge serve`. */
export interface EdgeProcess {
  readonly child: ChildProcess;
  readonly url: string;
  /** Everything it has written. */
  output(): string;
  stop(): Promise<void>;
}

/** Starts the edge as images have it, as an operator would, on a free port, without limits of its own. */
export async function startEdgeProcess(
  service: string,
  env: NodeJS.ProcessEnv = {},
  args: readonly string[] = [],
): Promise<EdgeProcess> {
  const child = spawn('node', [...nodeOptionsOf('edge'), scriptOf('edge'), 'serve', ...args], {
    env: {
      ...ENVIRONMENT,
      CALLPASS_EDGE_LISTEN_ADDRESS: '127.0.0.1:0',
      CALLPASS_EDGE_SERVICE_ADDRESS: service,
      CALLPASS_EDGE_ORIGINS: ORIGIN,
      CALLPASS_EDGE_LIMITS_PER_ADDRESS: '100000',
      CALLPASS_EDGE_COMPATIBILITY_ROUTES_DEFAULT_DESTINATION: 'd',
      CALLPASS_EDGE_LOG_LEVEL: 'debug',
      // What is not traced goes to the service in batches.
      CALLPASS_EDGE_TELEMETRY_TRUST_TRACEPARENT_OF: 'everybody',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  const output = outputOf(child, 'edge');
  const url = await new Promise<string>((resolve, reject) => {
    child.once('message', (message) => resolve((message as { ready: { edge: string } }).ready.edge));
    child.once('exit', () => reject(new Error(`the edge ended: ${output()}`)));
  });
  return {
    child,
    url,
    output,
    async stop() {
      child.kill('SIGTERM');
      await ended(child);
    },
  };
}
