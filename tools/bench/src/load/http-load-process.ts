import { generateHttpLoad, type HttpLoadResult, type HttpTarget } from './http-load.ts';

/** Request of the benchmark to this process. */
export interface HttpLoadOrder {
  readonly target: HttpTarget;
  readonly shape: { readonly connections: number; readonly durationMs: number };
}

/** Response of this process. */
export type HttpLoadReport = { readonly result: HttpLoadResult } | { readonly error: string };

/** The program of the HTTP load generator's process: one order, one report, until the benchmark goes away. */
process.on('message', ({ target, shape }: HttpLoadOrder) => {
  generateHttpLoad(target, shape).then(
    (result) => process.send?.({ result } satisfies HttpLoadReport),
    (error: unknown) => process.send?.({ error: String(error) } satisfies HttpLoadReport),
  );
});
process.on('disconnect', () => process.exit());
