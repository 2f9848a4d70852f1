import { takeLoadOrders } from './load-order.ts';
import { openLoop } from './open-loop.ts';

// The program of the process that calls at a fixed rate.
takeLoadOrders(openLoop);
