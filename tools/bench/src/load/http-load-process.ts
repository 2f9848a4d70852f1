import type { HttpTarget } from './http-connection.ts';
import { generateHttpLoad, httpOpenLoop, type HttpLoadResult } from './http-load.ts';
import type { OpenLoopResult, OpenLoopShape } from './pace.ts';

/** Request of the benchmark to this process: as much as it takes, or at a rate. */
export interface HttpLoadOrder {
  readonly target: HttpTarget;
  readonly shape: { readonly connections: number; readonly durationMs: number } | OpenLoopShape;
}

/** Response of this process. */
export type HttpLoadReport =
  { readonly result: HttpLoadResult } | { readonly paced: OpenLoopResult } | { readonly error: string };

/** The program of the HTTP load generator's process: one order, one report, until the benchmark goes away. */
process.on('message', ({ target, shape }: HttpLoadOrder) => {
  const report: Promise<HttpLoadReport> =
    'ratePerSecond' in shape
      ? httpOpenLoop(target, shape).then((paced) => ({ paced }))
      : generateHttpLoad(target, shape).then((result) => ({ result }));
  report.then(
    (done) => process.send?.(done),
    (error: unknown) => process.send?.({ error: String(error) } satisfies HttpLoadReport),
  );
});
process.on('disconnect', () => process.exit());
