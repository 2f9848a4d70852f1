import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, it } from '@jest/globals';
import { Delivery } from './delivery.ts';
import { watchCollectors } from './watch-collectors.ts';

const EVERY_MS = 20;

let stop: () => void;
afterEach(() => stop());

/** Looks at a port; gives the next outcome of a look. */
function watch(port: number) {
  const delivery = new Delivery([{ signal: 'traces', place: 'x' }]);
  let delivered = 0;
  delivery.deliveries = () => delivered;
  let take: (cause: string | undefined) => void = () => undefined;
  delivery.noteConnection = (_, cause) => take(cause);
  stop = watchCollectors([{ signal: 'traces', host: '127.0.0.1', port }], delivery, EVERY_MS);
  return {
    next: () => new Promise<string | undefined>((resolve) => (take = resolve)),
    deliver: () => void delivered++,
  };
}

it('says that a collector is gone, and that it is back, without an export', async () => {
  const server = createServer((socket) => socket.on('error', () => undefined));
  const listen = (port: number) =>
    new Promise<void>((resolve) => void server.listen(port, '127.0.0.1', resolve));
  await listen(0);
  const { port } = server.address() as AddressInfo;
  const { next } = watch(port);
  expect(await next()).toBeUndefined();
  await new Promise((resolve) => server.close(resolve));
  expect([await next(), await next()]).toContain('ECONNREFUSED');
  await listen(port);
  expect([await next(), await next()]).toContain(undefined);
  await new Promise((resolve) => server.close(resolve));
});

it('believes exports that are taken more than connections that are refused: there is a proxy', async () => {
  const { next, deliver } = watch(1);
  expect(await next()).toBe('ECONNREFUSED');
  deliver();
  expect(await next()).toBeUndefined();
  const later = await Promise.race([
    next(),
    new Promise((resolve) => setTimeout(() => resolve('quiet'), 5 * EVERY_MS)),
  ]);
  expect(later).toBe('quiet');
});
