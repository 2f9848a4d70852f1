import { takeOrders } from '../servers/orders.ts';
import type { HttpLoadOrder } from './http-generator.ts';
import { generateHttpLoad, httpOpenLoop } from './http-load.ts';

// The program of the HTTP load generator's process.
takeOrders(({ target, shape }: HttpLoadOrder): Promise<unknown> =>
  'ratePerSecond' in shape ? httpOpenLoop(target, shape) : generateHttpLoad(target, shape),
);
