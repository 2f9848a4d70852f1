import { takeOrders } from '../servers/orders.ts';
import type { LoadTarget } from './load-connection.ts';

/** Order to a process that makes calls; the message as base64. */
export interface LoadOrder<Shape> {
  readonly target: Omit<LoadTarget, 'message'> & { readonly message: string };
  readonly shape: Shape;
}

/** Does each {@link LoadOrder} that this process is given. */
export function takeLoadOrders<Shape, Result>(
  load: (target: LoadTarget, shape: Shape) => Promise<Result>,
): void {
  takeOrders(({ target, shape }: LoadOrder<Shape>) =>
    load({ ...target, message: Buffer.from(target.message, 'base64') }, shape),
  );
}
