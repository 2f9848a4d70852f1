import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { takeOrders } from './orders.ts';

/**
 * The program of the telemetry sink: takes OTLP over HTTP, throws it away and counts it. Its answer is an empty export
 * response in either encoding. Any order asks for the number of exports so far.
 */
const ANSWERS: Readonly<Record<string, string>> = { 'application/json': '{}', 'application/x-protobuf': '' };
const exports: Record<string, number> = {};

const server = createServer((request, response) => {
  request.resume();
  request.on('end', () => {
    const path = request.url ?? '';
    exports[path] = (exports[path] ?? 0) + 1;
    const type = request.headers['content-type'] ?? '';
    response.writeHead(200, { 'content-type': type }).end(ANSWERS[type] ?? '');
  });
});
server.listen(0, '127.0.0.1', () => {
  process.send?.({ ready: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
});
takeOrders(async () => exports);
