import { generateLoad } from './generate-load.ts';
import { takeLoadOrders } from './load-order.ts';

// The program of the load generator's process.
takeLoadOrders(generateLoad);
