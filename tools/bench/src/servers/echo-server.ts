import type { ExampleCall } from './callpass-server.ts';
import { startSource, type BenchChild } from './child-process.ts';

/** The yardstick: a bare grpc-js server that answers the same calls with as many bytes, and does nothing else. */
export async function startEchoServer(
  call: ExampleCall,
  tlsFiles: readonly string[] = [],
): Promise<{
  readonly child: BenchChild;
  readonly address: string;
  stop(): Promise<void>;
}> {
  const file = new URL('./echo-process.ts', import.meta.url);
  const child = startSource(file, [call.path, String(call.responseBytes), ...tlsFiles]);
  return { child, address: await child.ready(), stop: () => child.stop() };
}
