import type { LoadTarget } from './load-connection.ts';
import { openLoop } from './open-loop.ts';
import type { OpenLoopResult, OpenLoopShape } from './pace.ts';

/** Request to this process; the message as base64. */
export interface OpenLoopOrder {
  readonly target: Omit<LoadTarget, 'message'> & { readonly message: string };
  readonly shape: OpenLoopShape;
}

/** Response of this process. */
export type OpenLoopReport = { readonly result: OpenLoopResult } | { readonly error: string };

/** The program of the open-loop generator's process: one order, one report, until whoever asks goes away. */
process.on('message', ({ target, shape }: OpenLoopOrder) => {
  openLoop({ ...target, message: Buffer.from(target.message, 'base64') }, shape).then(
    (result) => process.send?.({ result } satisfies OpenLoopReport),
    (error: unknown) => process.send?.({ error: String(error) } satisfies OpenLoopReport),
  );
});
process.on('disconnect', () => process.exit());
