import type { LoadTarget } from './load-connection.ts';
import { generateLoad, type LoadResult, type LoadShape } from './generate-load.ts';

/** Request of the benchmark to this process; the message as base64. */
export interface LoadOrder {
  readonly target: Omit<LoadTarget, 'message'> & { readonly message: string };
  readonly shape: LoadShape;
}

/** Response of this process. */
export type LoadReport = { readonly result: LoadResult } | { readonly error: string };

/** The program of the load generator's process: one order, one report, until the benchmark goes away. */
process.on('message', ({ target, shape }: LoadOrder) => {
  generateLoad({ ...target, message: Buffer.from(target.message, 'base64') }, shape).then(
    (result) => process.send?.({ result } satisfies LoadReport),
    (error: unknown) => process.send?.({ error: String(error) } satisfies LoadReport),
  );
});
process.on('disconnect', () => process.exit());
