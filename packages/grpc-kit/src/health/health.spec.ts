import {
  Health,
  HealthCheckResponse_ServingStatus as Wire,
} from '@callpass/rpc-protos/gen/grpc/health/v1/health_pb.js';
import { Metadata, status } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type Client, createClient } from '../client/create-client.ts';
import { collect, rejectionOf, type RunningServer, startServer } from '../testing/echo.ts';
import { EchoService } from '../testing/gen/kit/v1/echo_pb.ts';
import { createHealth, type HealthReporter } from './health.ts';

const NAME = 'kit.v1.EchoService';
let health: HealthReporter;
let running: RunningServer;
let client: Client<typeof Health>;
beforeEach(async () => {
  health = createHealth([EchoService]);
  running = await startServer((server) => health.addTo(server));
  client = createClient(Health, running.connection);
});
afterEach(() => running.stop());

describe('health', () => {
  it('is NOT_SERVING until set', async () => {
    expect((await client.check({})).status).toBe(Wire.NOT_SERVING);
    health.set('', 'SERVING');
    expect((await client.check({})).status).toBe(Wire.SERVING);
    expect((await client.check({ service: NAME })).status).toBe(Wire.NOT_SERVING);
    health.set(EchoService, 'SERVING');
    expect((await client.check({ service: NAME })).status).toBe(Wire.SERVING);
  });

  it('answers Check of an unknown service with NOT_FOUND', async () => {
    expect(await rejectionOf(client.check({ service: 'x.Y' }))).toMatchObject({ code: status.NOT_FOUND });
    expect(await rejectionOf(client.check({ service: '__proto__' }))).toMatchObject({
      code: status.NOT_FOUND,
    });
  });

  it('lists the server and all services', async () => {
    health.setAll('SERVING');
    expect((await client.list({})).statuses).toMatchObject({
      '': { status: Wire.SERVING },
      [NAME]: { status: Wire.SERVING },
    });
  });

  it('says with Check and List what it was given to say, such as a version', async () => {
    running.stop();
    const given = new Metadata();
    given.set('kit-version', '1.2.3');
    running = await startServer((server) => createHealth([EchoService], given).addTo(server));
    client = createClient(Health, running.connection);
    const headers: Metadata[] = [];
    const options = { onHeader: (header: Metadata) => void headers.push(header) };
    await client.check({}, options);
    await client.list({}, options);
    expect(headers.map((header) => header.get('kit-version'))).toEqual([['1.2.3'], ['1.2.3']]);
  });

  it('sends a watcher the status now and each change, and nothing when nothing changes', async () => {
    const watch = client.watch({ service: NAME }, { timeoutMs: Infinity })[Symbol.asyncIterator]();
    const next = async () => (await watch.next()).value?.status;
    expect(await next()).toBe(Wire.NOT_SERVING);
    health.set(EchoService, 'NOT_SERVING');
    health.set('', 'SERVING');
    health.set(EchoService, 'SERVING');
    expect(await next()).toBe(Wire.SERVING);
    health.setAll('NOT_SERVING');
    expect(await next()).toBe(Wire.NOT_SERVING);
    await watch.return!();
  });

  it('reports an unknown service to its watcher, and goes on when it becomes known', async () => {
    const watch = client.watch({ service: 'x.Y' })[Symbol.asyncIterator]();
    expect((await watch.next()).value).toMatchObject({ status: Wire.SERVICE_UNKNOWN });
    health.set('x.Y', 'SERVING');
    expect((await watch.next()).value).toMatchObject({ status: Wire.SERVING });
    await watch.return!();
  });

  it('ends every watch on shutdown, so that watchers do not keep a server from draining', async () => {
    health.setAll('SERVING');
    const watch = client.watch({ service: NAME })[Symbol.asyncIterator]();
    expect((await watch.next()).value).toMatchObject({ status: Wire.SERVING });
    health.shutdown();
    expect((await watch.next()).value).toMatchObject({ status: Wire.NOT_SERVING });
    expect((await watch.next()).done).toBe(true);
    health.setAll('SERVING');
    expect(await collect(client.watch({ service: NAME }))).toMatchObject([{ status: Wire.NOT_SERVING }]);
  });
});
